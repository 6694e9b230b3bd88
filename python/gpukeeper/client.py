"""A client of a running daemon, in Python alone: http.client over a unix socket or TCP, without the library."""

from __future__ import annotations

import http.client
import json
import os
import socket

from . import _http
from .errors import GpukeeperError, TimedOut, Unavailable
from .lease import GivenBack, tell_holders
from .sizes import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator, Optional

    from ._http import Place
    from .sizes import Size


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket and over TLS, too."""

    def __init__(self, place: Place, timeout: Optional[float]) -> None:
        super().__init__(place.host, place.port or None, timeout=timeout)
        self._path = place.path
        self._tls = _http.trust() if place.tls else None

    def connect(self) -> None:
        if not self._path:
            super().connect()
            if self._tls is not None:
                self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class ClientLease(GivenBack):
    """A lease of the daemon's ledger; given back at the end of its `with`."""

    def __init__(self, client: Client, document: dict[str, Any]) -> None:
        self._client = client
        self.document = document
        self.id = str(document["id"])
        self.device: Optional[int] = document.get("index")
        self.bytes = int(document["min_bytes"])
        self.released = False

    def _ask(self, method: str, target: str, body: Optional[dict[str, Any]]) -> Any:
        return self._client.request(method, target, body)

    def heartbeat(self) -> None:
        self._client.request("POST", f"/api/v1/leases/{self.id}/heartbeat")

    def resize(self, size: Size) -> None:
        count = parse_size(size)
        self._client.request("PATCH", f"/api/v1/leases/{self.id}", {"min_bytes": count})
        self.bytes = count

    def release(self) -> None:
        if not self.released:
            self._client.request("DELETE", f"/api/v1/leases/{self.id}")
            self.released = True

    def __repr__(self) -> str:
        return f"<ClientLease {self.id}: {self.bytes / 2**20:.0f} MiB of GPU {self.device}>"


class Client:
    """Asks `gpukeeper serve`: Client().snapshot().

    `host`: "unix:PATH", "HOST:PORT", "https://HOST:PORT"; None: $GPUKEEPER_HOST, else the usual places of this machine.
    `token`: None: $GPUKEEPER_TOKEN. Every question has a connection of its own. Threads: any.
    """

    def __init__(self, host: str | None = None, *, token: str | None = None, timeout: float = 30.0) -> None:
        self._places = _http.places(host)
        self._token = token if token is not None else os.environ.get("GPUKEEPER_TOKEN")
        self.timeout = timeout

    def _connect(self, timeout: float | None) -> _Connection:
        tried: list[tuple[Place, OSError]] = []
        for place in self._places:
            connection = _Connection(place, timeout)
            try:
                connection.connect()
                return connection
            except OSError as error:
                connection.close()
                tried.append((place, error))
        raise Unavailable(_http.unreachable(tried))

    def request(self, method: str, target: str, body: Any = None, *, timeout: float | None = None) -> Any:
        """The document of an answer (docs/api.md); a refusal is raised with its problem document."""
        said = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = _http.headers(self._token, said is not None)
        _http.checked_target(target)
        connection = self._connect(self.timeout if timeout is None else timeout)
        try:
            connection.request(method, target, said, headers)
            answer = connection.getresponse()
            text = answer.read(_http.MOST_OF_ANSWER + 1)
        except socket.timeout:
            raise TimedOut(f"the daemon did not answer {method} {target} in time") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the daemon broke off at {method} {target}: {error}") from error
        finally:
            connection.close()
        if len(text) > _http.MOST_OF_ANSWER:
            raise GpukeeperError(f"the daemon's answer to {method} {target} is longer than 64 MiB")
        return _http.understood(answer.status, text)

    def get(self, path: str, **query: Any) -> Any:
        return self.request("GET", _http.target_of(path, query))

    def health(self) -> dict[str, Any]:
        document: dict[str, Any] = self.get("/health")
        return document

    def snapshot(self, device: str | None = None) -> dict[str, Any]:
        document: dict[str, Any] = self.get("/api/v1/snapshot", device=device)
        return document

    def throttle(self, device: str | None = None) -> dict[str, Any]:
        document: dict[str, Any] = self.get("/api/v1/throttle", device=device)
        return document

    def history(self, **query: Any) -> dict[str, Any]:
        """metric=, device=, since=, step=."""
        document: dict[str, Any] = self.get("/api/v1/history", **query)
        return document

    def leases(self, **query: Any) -> dict[str, Any]:
        """device=, service=, state=."""
        document: dict[str, Any] = self.get("/api/v1/leases", **query)
        return document

    def metrics(self) -> str:
        return str(self.get("/metrics"))

    def lease(self, size: Size, **terms: Any) -> ClientLease:
        """Books memory: lease("6GiB", service="training", device=0, wait=60, owner="process")."""
        wish = _http.lease_wish(parse_size(size), terms)
        patience = self.timeout + float(terms.get("wait") or 0)
        document = self.request("POST", "/api/v1/leases", wish, timeout=patience)
        lease = ClientLease(self, document["leases"][0])
        tell_holders(lease)
        return lease

    def events(
        self, types: Iterable[str] | None = None, *, device: str | None = None, after: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """What happens, as it happens, until the daemon ends or the iterator is closed."""
        chosen = None if types is None else ",".join(types)
        target = _http.target_of("/api/v1/events/stream", {"types": chosen, "device": device, "after": after})
        connection = self._connect(self.timeout)
        try:
            said = _http.headers(self._token, False)
            said["Accept"] = "text/event-stream"
            connection.request("GET", target, headers=said)
            answer = connection.getresponse()
            if answer.status != 200:
                _http.understood(answer.status, answer.read(_http.MOST_OF_ANSWER))
            text = _http.EventText()
            while True:
                piece = answer.read1(65536)
                if not piece:
                    return
                yield from text.take(piece)
        except socket.timeout:  # comments come every 15 s
            raise TimedOut("the daemon has fallen silent") from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, GpukeeperError):
                raise
            raise Unavailable(f"the daemon broke off the events: {error}") from error
        finally:
            connection.close()
