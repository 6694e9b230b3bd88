"""Callbacks, called one after the other on a thread of their own: one that sleeps delays no sample."""

from __future__ import annotations

import collections
import threading

from ._log import WARNING, log, log_exception

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

EVENTS = ("state_change", "critical", "throttle", "resume", "overheat")
_MOST_WAITING = 256


class Callbacks:
    """Who wants to hear of which event. Threads: any; nobody is called with the lock held."""

    def __init__(self) -> None:
        self.by_event: dict[str, list[Callable[..., object]]] = {event: [] for event in EVENTS}
        self._lock = threading.Lock()

    def register(self, event: str, callback: Callable[..., object]) -> None:
        with self._lock:
            if event not in self.by_event:
                raise ValueError(f"Invalid event type: {event}")
            self.by_event[event].append(callback)

    def unregister(self, event: str, callback: Callable[..., object]) -> bool:
        with self._lock:
            registered = self.by_event.get(event, [])
            if callback not in registered:
                return False
            registered.remove(callback)
            return True

    def trigger(self, event: str, *args: Any) -> None:
        """In the order of registration. What one raises is logged, and the next is called."""
        with self._lock:
            registered = list(self.by_event.get(event, ()))
        for callback in registered:
            try:
                callback(*args)
            except Exception:
                log_exception("GPU callback execution failed", event=event)


class Dispatcher:
    """Runs what is put into it, in order, on a daemon thread that begins with the first and ends at stop()."""

    def __init__(self) -> None:
        self._waiting: collections.deque[Callable[[], None]] = collections.deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def put(self, work: Callable[[], None]) -> None:
        with self._news:
            if self._stopped:
                return
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.popleft()
                log(WARNING, "GPU callbacks are too slow, the oldest event is dropped", waiting=_MOST_WAITING)
            self._waiting.append(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gpu_manager callbacks", daemon=True)
                self._thread.start()
            self._news.notify()

    def stop(self) -> None:
        """What runs now goes on to its end, and nobody waits for it."""
        with self._news:
            self._stopped = True
            self._waiting.clear()
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._stopped)
                if self._stopped:
                    return
                work = self._waiting.popleft()
            try:
                work()
            except Exception:
                log_exception("GPU callback execution failed")
