"""The GPUs of this machine, or those that a daemon looks at, behind one class."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from ctypes import byref, c_int32, c_uint16, c_uint64, c_void_p

from . import _native
from ._keeper import Keeper, callback_thread
from .errors import InvalidArgument, Unavailable
from .lease import Lease, book
from .reading import STATES, Reading, State, Throttling, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Iterable

    from .sizes import Size


class Event:
    """Something that happened (docs/api.md, "Events"). `device` is None where it is of none."""

    __slots__ = ("sequence", "type", "device", "_json")

    def __init__(self, raw: _native.gk_event) -> None:
        self.sequence: int = raw.sequence
        self.type: str = _native.text(raw.type)
        self.device: int | None = None if raw.device < 0 else raw.device
        self._json = _native.text(raw.json)

    @property
    def data(self) -> dict[str, Any]:
        import json

        value = json.loads(self._json) if self._json else {}
        return value if isinstance(value, dict) else {}

    def __repr__(self) -> str:
        return f"<Event {self.sequence}: {self.type}>"


class Subscription:
    """A listener that is called until cancel(), or until the monitor is closed."""

    def __init__(self, keeper: Keeper, listener: Callable[[Event], object], types: Iterable[str] | None) -> None:
        self._keeper = keeper
        self._id: c_uint64 | None = c_uint64()
        handle = keeper.handle
        address = handle.value

        def called(raw: Any, _: Any) -> None:
            callback_thread.keeper = address
            try:
                listener(Event(raw.contents))
            except BaseException:  # it must not reach C++, SystemExit neither
                import logging

                logging.getLogger("gpukeeper").exception("a listener of GPU events failed")
            finally:
                callback_thread.keeper = None

        self._trampoline = _native.gk_listener(called)
        handle.listeners.append(self._trampoline)
        chosen = None if types is None else _native.encoded(",".join(types))
        keeper.call("gk_subscribe", chosen, self._trampoline, None, byref(self._id))

    def cancel(self) -> None:
        """After it the listener is not running and never called again, unless the listener itself says this."""
        number, self._id = self._id, None
        if number is None or self._keeper.closed:
            return
        handle = self._keeper.handle
        self._keeper.call("gk_unsubscribe", number)
        if getattr(callback_thread, "keeper", None) != handle.value:  # else it is what runs now
            handle.listeners.remove(self._trampoline)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


class Monitor:
    """Looks at GPUs in this process, or (`host`) through a daemon, and books their memory.

    with gpukeeper.Monitor() as monitor:
        for reading in monitor.readings():
            print(reading.name, reading.temperature_celsius)

    `source`: as --source, such as "simulated:FILE"; None: $GPUKEEPER_SOURCE, else this machine's. `host`: as --host.
    `ledger`: "machine", the one that all programs share, or "memory", one of this monitor's own.
    Without a GPU or a driver it opens, with no devices. Threads: any.
    """

    def __init__(
        self,
        source: str | None = None,
        *,
        host: str | None = None,
        config: str | None = None,
        state_dir: str | None = None,
        ledger: str = "machine",
        monitoring: bool = False,
    ) -> None:
        if ledger not in ("machine", "memory"):
            raise InvalidArgument(f"ledger is {ledger!r}; it takes 'machine' or 'memory'")
        self._keeper = Keeper(source, host, config, state_dir, ledger == "memory", monitoring)

    # ---- what the GPUs do

    @property
    def device_count(self) -> int:
        return int(self._keeper.library.gk_device_count(self._keeper.handle))

    @property
    def host(self) -> str:
        """Of the daemon that is asked; "" where this process looks for itself."""
        return _native.text(self._keeper.library.gk_host(self._keeper.handle))

    def _reading(self, function: str, index: int) -> Reading:
        if not 0 <= index < 2**32:
            raise InvalidArgument(f"there is no GPU {index}: indices begin at 0")
        raw = _native.gk_reading(ctypes.sizeof(_native.gk_reading))
        self._keeper.call(function, index, byref(raw))
        return Reading(raw)

    def read(self, index: int = 0) -> Reading:
        """A reading no older than 100 ms. Raises NotFound for a GPU that there is not."""
        return self._reading("gk_read", index)

    def latest(self, index: int = 0) -> Reading:
        """The latest that is known, at once and without a look."""
        return self._reading("gk_latest", index)

    def readings(self) -> list[Reading]:
        """Of every GPU, by index."""
        return [self.read(index) for index in range(self.device_count)]

    def throttling(self, index: int | None = None) -> Throttling:
        """How fast work may go on one GPU, or on all as one job on them has to take it."""
        raw = _native.gk_throttling(ctypes.sizeof(_native.gk_throttling))
        self._keeper.call("gk_throttle", _native.ALL_DEVICES if index is None else index, byref(raw))
        return Throttling(raw)

    def judge(self, temperature_celsius: float | None, memory_percent: float | None) -> State:
        """Which state these readings would be, by the configured thresholds."""
        nan = float("nan")
        state = c_int32()
        temperature = nan if temperature_celsius is None else temperature_celsius
        memory = nan if memory_percent is None else memory_percent
        self._keeper.call("gk_judge", temperature, memory, byref(state))
        return STATES[state.value]

    def wait_until_clear(self, timeout: float | None = None, *, index: int | None = None, every: float = 1.0) -> bool:
        """Waits until nothing throttles any more; False when `timeout` seconds were not enough."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = threading.Event()
        while self.throttling(index).should_throttle:
            left = every if end is None else min(every, end - time.monotonic())
            if left <= 0:
                return False
            pause.wait(left)
            self.readings()
        return True

    # ---- looking all the time

    def start(self) -> None:
        self._keeper.call("gk_monitor", 1)

    def stop(self) -> None:
        self._keeper.call("gk_monitor", 0)

    @property
    def is_monitoring(self) -> bool:
        return bool(self._keeper.library.gk_is_monitoring(self._keeper.handle))

    def subscribe(self, listener: Callable[[Event], object], types: Iterable[str] | None = None) -> Subscription:
        """Calls `listener` with every event of these types, on a thread of the library's. It may call anything; what it
        raises is logged; what it is too slow for is dropped, and an event says so."""
        return Subscription(self._keeper, listener, types)

    # ---- everything else, as documents

    def ask(self, method: str, target: str, body: Any = None) -> Any:
        """What docs/api.md has under /api/v1/: ask("GET", "/api/v1/snapshot")."""
        return self._keeper.ask(method, target, body)

    def snapshot(self) -> dict[str, Any]:
        document = self.ask("GET", "/api/v1/snapshot")
        return document if isinstance(document, dict) else {}

    def metrics(self, families: Iterable[str] | None = None) -> str:
        """As Prometheus reads them."""
        return self._keeper.text("gk_metrics", None if families is None else _native.encoded(",".join(families)))

    def serve_metrics(self, address: str = "127.0.0.1:9090") -> int:
        """Serves them until close(); port 0 takes any. Returns the port."""
        port = c_uint16()
        self._keeper.call("gk_serve_metrics", _native.encoded(address), byref(port))
        return port.value

    def configure(self, patch: dict[str, Any]) -> None:
        """Changes this monitor's configuration (docs/configuration.md), all or nothing."""
        self._keeper.configure(patch)

    def configuration(self) -> dict[str, Any]:
        import json

        document = json.loads(self._keeper.text("gk_configuration"))
        return document if isinstance(document, dict) else {}

    # ---- memory, booked

    def lease(self, size: Size, **terms: Any) -> Lease:
        """Books memory: lease("6GiB", service="training", device=0, wait=60). The terms are those of lease.book()."""
        return book(self._keeper, size, **terms)

    def available_bytes(self, index: int = 0) -> int:
        """How much could be booked on a GPU now."""
        count = c_uint64()
        self._keeper.call("gk_available", index, byref(count))
        return count.value

    # ---- its end

    def close(self) -> None:
        self._keeper.close()

    @property
    def closed(self) -> bool:
        return self._keeper.closed

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<Monitor: closed>" if self.closed else f"<Monitor of {self.device_count} GPUs>"

    def _repr_html_(self) -> str:
        try:
            return table(self.readings())
        except Unavailable as error:
            from html import escape

            return f"<em>{escape(str(error))}</em>"


_default: Monitor | None = None
_default_lock = threading.Lock()


def default_monitor() -> Monitor:
    """The one of this process, opened when it is first asked for; after fork() the child's own."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Monitor()
        return _default


def _after_fork() -> None:
    global _default, _default_lock
    _default = None
    _default_lock = threading.Lock()




os.register_at_fork(after_in_child=_after_fork)
