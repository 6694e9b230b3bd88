"""The monitor loop: a thread that samples, and what of a sample is news."""

from __future__ import annotations

import threading

from ._log import log_exception
from .events import Dispatcher
from .metrics import GPUMetrics, GPUState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


class Changes:
    """What the samples before said of each GPU."""

    def __init__(self) -> None:
        self._states: dict[int, GPUState] = {}
        self._emergency: set[int] = set()

    def take(self, metrics: GPUMetrics, temp_critical: float) -> tuple[GPUState, bool]:
        """The state before this sample, and whether the GPU has just reached the emergency line."""
        gpu_id, temperature = metrics.gpu_id, metrics.temperature_celsius
        before = self._states.get(gpu_id, GPUState.OPTIMAL)
        self._states[gpu_id] = metrics.state
        emergency = temperature is not None and temperature >= temp_critical
        entered = emergency and gpu_id not in self._emergency
        (self._emergency.add if emergency else self._emergency.discard)(gpu_id)
        return before, entered


class Watch:
    """One run of the loop, from start_monitoring() to stop_monitoring(); another start is another run, so that an old
    one can never come back. `sample` is called with it, the first time before start() returns; `interval` says for how
    many seconds to wait then."""

    def __init__(self, sample: Callable[[Watch], None], interval: Callable[[], float]) -> None:
        self.changes = Changes()
        self.callbacks = Dispatcher()
        self._sample = sample
        self._interval = interval
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name="gpu_manager monitor", daemon=True)

    def start(self) -> None:
        self._try()
        self.thread.start()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """At once: callbacks that run go on to their end, and nobody waits for them."""
        self._stop.set()
        self.callbacks.stop()

    def _run(self) -> None:
        while not self._stop.wait(self._interval()):
            self._try()

    def _try(self) -> None:
        """Whatever fails in a sample, the loop goes on."""
        try:
            self._sample(self)
        except Exception:
            if not self.stopped:
                log_exception("Error in GPU monitoring loop")


_running: Any = None


def stop_at_exit(manager: Any) -> None:
    """Ends its loop before the library is closed, which happens at the interpreter's end as well."""
    global _running
    if _running is None:
        import atexit
        import weakref

        _running = weakref.WeakSet()
        atexit.register(_stop_all)
    _running.add(manager)


def _stop_all() -> None:
    for manager in list(_running):
        manager.stop_monitoring()
