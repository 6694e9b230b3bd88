"""What both clients of a daemon share: where it is, what is written and what an answer means. No input or output."""

from __future__ import annotations

import os

from .errors import GpukeeperError, InvalidArgument, by_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any, Iterator, Mapping, NamedTuple, Optional

    class Place(NamedTuple):
        path: str  # of a unix socket; "" for TCP
        host: str
        port: int
        tls: bool

else:
    from collections import namedtuple

    Place = namedtuple("Place", "path host port tls")

DEFAULT_PORT = 8737
MOST_OF_ANSWER = 64 * 2**20
MOST_OF_EVENT = 16 * 2**20


def parse_host(text: str) -> Place:
    """ "unix:PATH", "HOST", "HOST:PORT", "[v6]:PORT", the last three also behind "http://" or "https://"; as --host
    takes it."""
    if text.startswith("unix:"):
        if not text[5:]:
            raise InvalidArgument("'unix:' names no socket: write unix:PATH")
        return Place(text[5:], "localhost", 0, False)
    tls = text.startswith("https://")
    rest = text[8 if tls else 7 :].rstrip("/") if tls or text.startswith("http://") else text
    if rest.startswith("["):
        name, closed, port = rest[1:].partition("]")
        port = port[1:] if port.startswith(":") else port
        good = bool(closed and name)
    elif rest.count(":") > 1:
        name, port, good = rest, "", True  # an IPv6 address without brackets
    else:
        name, _, port = rest.partition(":")
        good = bool(name)
    if not good or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        raise InvalidArgument(f"{text!r} names no daemon: write unix:PATH, HOST or HOST:PORT")
    return Place("", name, int(port) if port else DEFAULT_PORT, tls)


def usual_places(environment: Mapping[str, str], user: int) -> list[Place]:
    """Where a daemon of this machine listens, in the order in which it is looked for."""
    folders = []
    if environment.get("RUNTIME_DIRECTORY"):
        folders.append(environment["RUNTIME_DIRECTORY"].split(":")[0])
    elif user != 0 and environment.get("XDG_RUNTIME_DIR"):
        folders.append(environment["XDG_RUNTIME_DIR"])
    if "/run/gpukeeper" not in folders:
        folders.append("/run/gpukeeper")
    sockets = [Place(os.path.join(folder, "gpukeeper.sock"), "localhost", 0, False) for folder in folders]
    return sockets + [Place("", "127.0.0.1", DEFAULT_PORT, False)]


def trust() -> ssl.SSLContext:
    """Whom to believe over TLS, and what to show of ourselves: $GPUKEEPER_CA in place of the machine's authorities,
    $GPUKEEPER_CERTIFICATE and $GPUKEEPER_KEY. Raises InvalidArgument naming the variable whose file will not do."""
    import ssl

    authorities, certificate, key = (
        os.environ.get(f"GPUKEEPER_{name}") or None for name in ("CA", "CERTIFICATE", "KEY")
    )
    try:
        context = ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise InvalidArgument(f"GPUKEEPER_CA: {authorities} cannot be used: {error}") from None
    if bool(certificate) != bool(key):
        raise InvalidArgument("GPUKEEPER_CERTIFICATE and GPUKEEPER_KEY go together")
    if certificate:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise InvalidArgument(f"GPUKEEPER_CERTIFICATE: {certificate} cannot be used: {error}") from None
    return context


def places(host: Optional[str]) -> list[Place]:
    """Where to look for what the caller named, or else the environment."""
    named = host or os.environ.get("GPUKEEPER_HOST") or os.environ.get("GPUKEEPER_DAEMON") or ""
    if named and named != "local":
        return [parse_host(named)]
    return usual_places(os.environ, os.geteuid())


def unreachable(tried: list[tuple[Place, OSError]]) -> str:
    shown = [f"{place.path or f'{place.host}:{place.port}'} ({error.strerror or error})" for place, error in tried]
    return f"no gpukeeper daemon answers at {' or '.join(shown)}: start one with 'gpukeeper serve'"


def headers(token: Optional[str], body: bool) -> dict[str, str]:
    said = {"Accept": "application/json", "User-Agent": "gpukeeper-python"}
    if token:
        if not token.isascii() or any(c <= " " or c == "\x7f" for c in token):
            raise InvalidArgument("a token is printable ASCII without spaces")
        said["Authorization"] = f"Bearer {token}"
    if body:
        said["Content-Type"] = "application/json"
    return said


def checked_target(target: str) -> str:
    if not target.startswith("/") or not target.isascii() or any(c <= " " or c == "\x7f" for c in target):
        raise InvalidArgument(f"{target!r} is no target: it begins with / and has no spaces; see urllib.parse.quote()")
    return target


def target_of(path: str, query: Mapping[str, Any]) -> str:
    """The path with what of the query is not None."""
    from urllib.parse import quote, urlencode

    said = {name: value for name, value in query.items() if value is not None}
    return quote(path) + ("?" + urlencode(said) if said else "")


def understood(status: int, body: bytes) -> Any:
    """The document of an answer. Raises what a refusal means, with its problem document."""
    import json

    try:
        document = json.loads(body) if body.strip() else None
    except ValueError:
        document = None
        if 200 <= status < 300:
            return body.decode("utf-8", "replace")  # /metrics
    if 200 <= status < 300:
        return document
    problem = document if isinstance(document, dict) else {}
    reason = problem.get("detail") or problem.get("error") or f"the daemon answered {status} without a reason"
    raise by_status(status, str(problem.get("code", "")))(str(reason), problem)


class EventText:
    """Server-Sent Events out of pieces of a stream, wherever it is cut. Yields the documents behind `data:`."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes) -> Iterator[dict[str, Any]]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MOST_OF_EVENT:
            raise GpukeeperError("the daemon sent a line of more than 16 MiB")
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event is not None:
                yield event

    def _line(self, line: bytes) -> Optional[dict[str, Any]]:
        import json

        if line.startswith(b"data:"):
            self._size += len(line)
            if self._size > MOST_OF_EVENT:
                raise GpukeeperError("the daemon sent an event of more than 16 MiB")
            self._data.append(line[5:].lstrip(b" "))
            return None
        if line or not self._data:
            return None
        text, self._data, self._size = b"\n".join(self._data), [], 0
        try:
            document = json.loads(text)
        except ValueError:
            raise GpukeeperError("the daemon sent an event that is no JSON") from None
        return document if isinstance(document, dict) else None


def lease_wish(size: int, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The body of POST /api/v1/leases: the terms of Monitor.lease() by the names that docs/api.md has for them."""
    names = {
        "service": "service", "name": "name", "max_size": "max_bytes", "device": "device", "exclusive": "exclusive",
        "require_device": "require_device", "priority": "priority", "wait": "wait_seconds", "metadata": "metadata",
        "request_id": "request_id", "owner": "owner", "ttl": "ttl_seconds", "lifetime": "lifetime_seconds",
    }  # fmt: skip
    wish: dict[str, Any] = {"service": "default", "min_bytes": size}
    for name, value in terms.items():
        if name not in names:
            raise InvalidArgument(f"a lease has no {name!r}: it takes {', '.join(names)}")
        if value is not None:
            wish[names[name]] = str(value) if name == "device" else value
    return wish
