"""The same client for asyncio: streams of the standard library, no threads, no third-party package."""

from __future__ import annotations

import asyncio
import json
import os

from . import _http
from .errors import GpukeeperError, TimedOut, Unavailable
from .sizes import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, AsyncIterator, Iterable

    from .sizes import Size

_MOST_OF_HEAD = 64 * 1024


class _Exchange:
    """One request on one connection, and its answer: the status, then the body in pieces."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.status = 0
        self._length: int | None = None
        self._chunked = False

    def write(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        said = {"Host": "localhost", "Connection": "close", "Content-Length": str(len(body)), **headers}
        lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in said.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode("ascii") + body)

    async def head(self) -> None:
        try:
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            self.status = int(first.split(" ", 2)[1])
        except (ValueError, IndexError, asyncio.LimitOverrunError):
            raise GpukeeperError("what answers is no HTTP server") from None
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        length = fields.get("content-length", "")
        self._length = int(length) if length.isdigit() else None

    async def pieces(self) -> AsyncIterator[bytes]:
        if self._chunked:
            while True:
                size = int((await self._reader.readline()).split(b";")[0] or b"0", 16)
                if size > _http.MOST_OF_ANSWER:
                    raise GpukeeperError("the daemon sent a chunk of more than 64 MiB")
                if size == 0:
                    return
                yield await self._reader.readexactly(size)
                await self._reader.readexactly(2)
        left = self._length
        while left is None or left > 0:
            piece = await self._reader.read(65536 if left is None else min(left, 65536))
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece

    async def body(self) -> bytes:
        text = b""
        async for piece in self.pieces():
            text += piece
            if len(text) > _http.MOST_OF_ANSWER:
                raise GpukeeperError("the daemon's answer is longer than 64 MiB")
        return text

    def close(self) -> None:
        self._writer.close()


class AsyncClientLease:
    """A lease of the daemon's ledger; given back at the end of its `async with`."""

    def __init__(self, client: AsyncClient, document: dict[str, Any]) -> None:
        self._client = client
        self.document = document
        self.id = str(document["id"])
        self.device: int | None = document.get("index")
        self.bytes = int(document["min_bytes"])
        self.released = False

    async def heartbeat(self) -> None:
        await self._client.request("POST", f"/api/v1/leases/{self.id}/heartbeat")

    async def release(self) -> None:
        if not self.released:
            await self._client.request("DELETE", f"/api/v1/leases/{self.id}")
            self.released = True

    async def __aenter__(self) -> AsyncClientLease:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.release()
        except GpukeeperError:
            if error is None:
                raise


class AsyncClient:
    """Asks `gpukeeper serve` from a coroutine: await AsyncClient().snapshot(). Arguments as those of Client."""

    def __init__(self, host: str | None = None, *, token: str | None = None, timeout: float = 30.0) -> None:
        self._places = _http.places(host)
        self._token = token if token is not None else os.environ.get("GPUKEEPER_TOKEN")
        self.timeout = timeout

    async def _connect(self) -> _Exchange:
        tried = []
        for place in self._places:
            try:
                if place.path:
                    streams = await asyncio.open_unix_connection(place.path, limit=_MOST_OF_HEAD)
                else:
                    trust = _http.trust() if place.tls else None
                    streams = await asyncio.open_connection(place.host, place.port, limit=_MOST_OF_HEAD, ssl=trust)
                return _Exchange(*streams)
            except OSError as error:
                tried.append((place, error))
        raise Unavailable(_http.unreachable(tried))

    async def _answer(self, method: str, target: str, said: bytes) -> Any:
        headers = _http.headers(self._token, bool(said))
        _http.checked_target(target)
        exchange = await self._connect()
        try:
            exchange.write(method, target, headers, said)
            await exchange.head()
            return _http.understood(exchange.status, await exchange.body())
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if isinstance(error, GpukeeperError):
                raise
            raise Unavailable(f"the daemon broke off at {method} {target}: {error}") from error
        finally:
            exchange.close()

    async def request(self, method: str, target: str, body: Any = None, *, timeout: float | None = None) -> Any:
        """The document of an answer (docs/api.md); a refusal is raised with its problem document."""
        said = b"" if body is None else json.dumps(body, allow_nan=False).encode()
        patience = self.timeout if timeout is None else timeout
        try:
            return await asyncio.wait_for(self._answer(method, target, said), patience)
        except asyncio.TimeoutError as error:
            if isinstance(error, GpukeeperError):
                raise
            raise TimedOut(f"the daemon did not answer {method} {target} in time") from None

    async def get(self, path: str, **query: Any) -> Any:
        return await self.request("GET", _http.target_of(path, query))

    async def health(self) -> dict[str, Any]:
        document: dict[str, Any] = await self.get("/health")
        return document

    async def snapshot(self, device: str | None = None) -> dict[str, Any]:
        document: dict[str, Any] = await self.get("/api/v1/snapshot", device=device)
        return document

    async def throttle(self, device: str | None = None) -> dict[str, Any]:
        document: dict[str, Any] = await self.get("/api/v1/throttle", device=device)
        return document

    async def leases(self, **query: Any) -> dict[str, Any]:
        document: dict[str, Any] = await self.get("/api/v1/leases", **query)
        return document

    async def lease(self, size: Size, **terms: Any) -> AsyncClientLease:
        """Books memory; while it waits for room other coroutines run."""
        wish = _http.lease_wish(parse_size(size), terms)
        patience = self.timeout + float(terms.get("wait") or 0)
        document = await self.request("POST", "/api/v1/leases", wish, timeout=patience)
        return AsyncClientLease(self, document["leases"][0])

    async def events(
        self, types: Iterable[str] | None = None, *, device: str | None = None, after: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """What happens, as it happens, until the daemon ends or the generator is closed."""
        chosen = None if types is None else ",".join(types)
        target = _http.target_of("/api/v1/events/stream", {"types": chosen, "device": device, "after": after})
        exchange = await self._connect()
        try:
            said = _http.headers(self._token, False)
            said["Accept"] = "text/event-stream"
            exchange.write("GET", target, said, b"")
            await exchange.head()
            if exchange.status != 200:
                _http.understood(exchange.status, await exchange.body())
            text = _http.EventText()
            async for piece in exchange.pieces():
                for event in text.take(piece):
                    yield event
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if isinstance(error, GpukeeperError):
                raise
            raise Unavailable(f"the daemon broke off the events: {error}") from error
        finally:
            exchange.close()
