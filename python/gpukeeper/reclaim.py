"""Memory that comes back when gpukeeper asks for it (docs/reclaim.md).

    gpukeeper.on_reclaim(gpukeeper.pytorch_cache)      # PyTorch's unused cache, measured

    @gpukeeper.on_reclaim
    def give_back(request):
        freed = model.unload()
        return freed                                    # bytes, or None where it is not known

Every lease that a Monitor or a Client of this process books, also later, gets this process as its holder: the daemon
asks over a unix socket that a thread of this module answers. What is promised is only promised; what the driver shows
is reported.
"""

from __future__ import annotations

import os
import sys
import threading

from .errors import GpukeeperError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union

    Answer = Union["ReclaimReply", int, None]

_MOST_OF_QUESTION = 64 * 1024
_PATIENCE = 10.0  # seconds for whoever connected to say what he wants
_LONGEST_NOTE = 200
_LARGE = 2**20  # bytes, above which PyTorch's allocator takes from its large segments


class ReclaimRequest:
    """What is asked for. `wanted_bytes` None: as much as can be. `move_to`: another GPU's id, give everything back
    here. `scrub`: overwrite first what is given back."""

    __slots__ = (
        "lease", "service", "device", "observed_bytes", "guaranteed_bytes", "wanted_bytes", "move_to", "scrub",
        "deadline_seconds",
    )  # fmt: skip

    def __init__(self, document: dict[str, Any]) -> None:
        self.lease = str(document.get("lease") or "")
        self.service = str(document.get("service") or "")
        self.device = str(document.get("device") or "")
        self.observed_bytes = _count(document.get("observed_bytes"))
        self.guaranteed_bytes = _count(document.get("guaranteed_bytes")) or 0
        self.wanted_bytes = _count(document.get("wanted_bytes"))
        self.move_to: Optional[str] = document.get("move_to") or None
        self.scrub = document.get("scrub") is True
        seconds = document.get("deadline_seconds")
        self.deadline_seconds = float(seconds) if isinstance(seconds, (int, float)) else 0.0

    def __repr__(self) -> str:
        return f"<ReclaimRequest: lease {self.lease} of {self.service}, {self.wanted_bytes} bytes>"


def _count(value: Any) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class ReclaimReply:
    """What was done: bytes that were given back as far as that is known, whether they were overwritten, a word more."""

    __slots__ = ("promised_bytes", "scrubbed", "note")

    def __init__(
        self, promised_bytes: Optional[int] = None, *, scrubbed: Optional[bool] = None, note: str = ""
    ) -> None:
        self.promised_bytes = promised_bytes
        self.scrubbed = scrubbed
        self.note = note

    def document(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if self.promised_bytes is not None:
            said["promised_bytes"] = max(0, self.promised_bytes)
        if self.scrubbed is not None:
            said["scrubbed"] = self.scrubbed
        if self.note:
            said["note"] = self.note[:_LONGEST_NOTE]
        return said


def pytorch_cache(request: ReclaimRequest) -> ReclaimReply:
    """Gives the unused part of PyTorch's caching allocator back, and says how much that was, by its own counters.
    Tensors that are alive stay. Where it is to be scrubbed, the cache is overwritten with zeros first; `scrubbed` is
    true where all that was given back had been. A process that does not use PyTorch is not made to load it."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ReclaimReply(0, note="PyTorch uses no GPU in this process")
    import gc

    devices = _devices_of(torch, request.device)
    before = sum(torch.cuda.memory_reserved(index) for index in devices)
    gc.collect()  # tensors in cycles
    overwritten = sum(_overwrite(torch, index) for index in devices) if request.scrub else 0
    torch.cuda.empty_cache()
    after = sum(torch.cuda.memory_reserved(index) for index in devices)
    freed = max(0, before - after)
    scrubbed = overwritten >= freed if request.scrub else None
    return ReclaimReply(freed, scrubbed=scrubbed, note="PyTorch's cache was emptied")


def _overwrite(torch: Any, index: int) -> int:
    """Fills the blocks that the caching allocator keeps unused with zeros, and says how many bytes those were.

    A tensor of exactly a block's size gets that block. Not reached are blocks of other streams than the default one,
    and small remainders of large segments, as such a size is looked for in another pool: they would make it grow.
    """
    filled, taken = 0, []
    reserved = torch.cuda.memory_reserved(index)
    for size in sorted(_unused_blocks(torch, index), reverse=True):
        tensor = torch.zeros(size, dtype=torch.uint8, device=f"cuda:{index}")
        if torch.cuda.memory_reserved(index) > reserved:  # it was no block of the cache after all
            break
        taken.append(tensor)
        filled += size
    torch.cuda.synchronize(index)
    return filled


def _unused_blocks(torch: Any, index: int) -> list[int]:
    return [
        block["size"]
        for segment in torch.cuda.memory_snapshot()
        if segment["device"] == index and segment["stream"] == 0
        for block in segment["blocks"]
        if block["state"] == "inactive" and (segment["segment_type"] == "small" or block["size"] > _LARGE)
    ]


def _devices_of(torch: Any, wanted: str) -> list[int]:
    """PyTorch's own indices of that GPU; of all where it does not tell their UUIDs (before 2.5)."""
    every = list(range(torch.cuda.device_count()))
    same = [i for i in every if _uuid_of(torch, i) and _uuid_of(torch, i) in wanted]
    return same or every


def _uuid_of(torch: Any, index: int) -> str:
    return str(getattr(torch.cuda.get_device_properties(index), "uuid", ""))


class Reclaimer:
    """Answers for this process until close(), or its end."""

    def __init__(self, callback: Callable[[ReclaimRequest], Answer]) -> None:
        import tempfile

        self._callback = callback
        self._pid = os.getpid()
        self._leases: dict[str, Any] = {}
        self._lock = threading.Lock()
        # The daemon may be another user's; who asks is judged by the kernel's word, not by the file's mode.
        self._folder = tempfile.mkdtemp(prefix="gpukeeper-")
        os.chmod(self._folder, 0o711)
        self.socket = os.path.join(self._folder, "reclaim.sock")
        self._server = _serve(self.socket, self.answer)

    def __call__(self, request: ReclaimRequest) -> Answer:
        """So that a decorated function is still one."""
        return self._callback(request)

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        """The answer to the daemon's question."""
        reply = self._callback(ReclaimRequest(document))
        if isinstance(reply, ReclaimReply):
            return reply.document()
        return ReclaimReply(_count(reply)).document()

    def serve(self, lease: Any) -> None:
        """Has the ledger ask here for this lease's memory. Raises what the ledger says against it."""
        holder = {"kind": "pytorch", "socket": self.socket}
        lease._ask("PUT", f"/api/v1/leases/{lease.id}/holder", holder)
        with self._lock:
            held = {number: each for number, each in self._leases.items() if not each.released}
            self._leases = {**held, str(lease.id): lease}

    @property
    def leases(self) -> list[str]:
        """The ids of those for which it is asked."""
        with self._lock:
            return sorted(number for number, lease in self._leases.items() if not lease.released)

    def close(self) -> None:
        _active.discard(self)
        if self._pid != os.getpid() or self._server is None:
            return  # in a forked child it is the parent's
        server, self._server = self._server, None
        with self._lock:
            leases, self._leases = self._leases, {}
        for lease in leases.values():
            try:
                if not lease.released:
                    lease._ask("DELETE", f"/api/v1/leases/{lease.id}/holder", None)
            except GpukeeperError:
                pass  # it is over, or the daemon is
        server.shutdown()
        server.server_close()
        for remove, path in ((os.unlink, self.socket), (os.rmdir, self._folder)):
            try:
                remove(path)
            except OSError:
                pass

    def __enter__(self) -> Reclaimer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_active: set[Reclaimer] = set()
_at_exit = False


def on_reclaim(callback: Callable[[ReclaimRequest], Answer]) -> Reclaimer:
    """Calls `callback` when memory of this process's leases is wanted back, on a thread of its own, one question at a
    time. It returns the bytes that it gave back, a ReclaimReply, or None; what it raises is told to who asked."""
    global _at_exit
    reclaimer = Reclaimer(callback)
    _active.add(reclaimer)
    if not _at_exit:
        import atexit

        _at_exit = True
        atexit.register(_close_all)
    from .lease import held

    for lease in held():
        _register(reclaimer, lease)
    return reclaimer


def _close_all() -> None:
    for reclaimer in list(_active):
        reclaimer.close()


def lease_was_booked(lease: Any) -> None:
    for reclaimer in list(_active):
        _register(reclaimer, lease)


def _register(reclaimer: Reclaimer, lease: Any) -> None:
    if lease.released:
        return
    try:
        reclaimer.serve(lease)
    except GpukeeperError as error:
        import logging

        logging.getLogger("gpukeeper").warning("lease %s cannot be asked back: %s", lease.id, error)


def _serve(path: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A server of one route on a unix socket, with a daemon thread. Loaded only where somebody registers."""
    import http.server
    import json
    import socket
    import socketserver
    import struct

    allowed = {0, os.geteuid()} | _daemon_users()

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > _MOST_OF_QUESTION:
                return self.say(413, {"error": "the question is too long, or does not say how long it is"})
            try:
                document = json.loads(self.rfile.read(int(length)))
                if not isinstance(document, dict):
                    raise ValueError("it is no object")
            except (ValueError, RecursionError) as error:
                return self.say(400, {"error": f"the question is no JSON: {error}"})
            try:
                self.say(200, answer(document))
            except Exception as error:
                import logging

                logging.getLogger("gpukeeper").exception("giving memory back failed")
                self.say(500, {"error": f"{type(error).__name__}: {error}"[:_LONGEST_NOTE]})

        def say(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(socketserver.UnixStreamServer):
        def verify_request(self, request: Any, client_address: Any) -> bool:
            size = struct.calcsize("3i")
            credentials = request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
            return struct.unpack("3i", credentials)[1] in allowed

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # who went away in the middle

    server = Server(path, Handler)
    os.chmod(path, 0o666)
    work = {"poll_interval": 0.1}
    threading.Thread(target=server.serve_forever, kwargs=work, name="gpukeeper reclaim", daemon=True).start()
    return server


def _daemon_users() -> set[int]:
    """The user whom the daemon of this machine runs as, by its socket."""
    from . import _http

    users = set()
    for place in _http.places(None):
        try:
            users.add(os.stat(place.path).st_uid)
        except OSError:
            continue
    return users
