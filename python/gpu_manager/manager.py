"""The GPU manager: the documented class over gpukeeper's library."""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime

from ._log import CRITICAL, DEBUG, ERROR, INFO, WARNING, log
from .allocation import GPUMemoryAllocation
from .events import Callbacks
from .history import History, row, trend
from .library import Gpus, known, megabytes, metrics_of
from .metrics import STATES, GPUMetrics, GPUState
from .settings import DEFAULTS, Settings, of_machine
from .watch import Watch, stop_at_exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Optional, Union

    from gpukeeper import _native

_SHORTEST_INTERVAL = 0.1  # seconds, as the library has it
_LOG_EVERY = 60.0  # seconds between lines of metrics, whatever the interval
_LOWERED = (GPUState.THROTTLED, GPUState.CRITICAL)
_GOOD = (GPUState.OPTIMAL, GPUState.NORMAL)
_NO_GPU = {"available": False, "state": "unavailable", "message": "GPU not available"}
_NO_METRICS = {"available": False, "state": "unavailable", "error": "Failed to get GPU metrics"}


class GPUManager:
    """Metrics, states, throttling and memory of this machine's GPUs. Threads: any.

    State, cooldown and history are each GPU's own; what is asked without a gpu_id goes by the worst. Whether and how
    much to throttle is judged by the library, which looks for itself when nothing is monitored.
    """

    def __init__(self) -> None:
        self._prepare()
        self.gpus_available = False
        self.gpu_count = 0
        self.gpus: list[dict[str, Any]] = []
        self.memory_allocators: dict[int, GPUMemoryAllocation] = {}
        self._callbacks = Callbacks()
        self._history = History()
        self.throttle_start_time: Optional[datetime] = None
        self.last_critical_time: Optional[datetime] = None
        self._gpus = Gpus()
        self.config: dict[str, Any] = of_machine(self._gpus.keeper)
        self._connect(dict(self.config))
        if not self.gpus_available:
            log(WARNING, "No GPUs detected")
        log(INFO, "GPU manager initialized", gpus_available=self.gpus_available, gpu_count=self.gpu_count)

    def _prepare(self) -> None:
        """What must be new in a forked child: locks that other threads may have held, and the loop, which is gone."""
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._watch: Optional[Watch] = None
        self._pinned: Optional[GPUState] = None
        self._logged = time.monotonic()
        self.is_monitoring = False
        self.monitor_thread: Optional[threading.Thread] = None

    def _connect(self, told: dict[str, Any]) -> None:
        """`told`: the settings that the library has already."""
        self._settings = Settings(self._gpus.keeper, self.config, told)
        if self._gpus.keeper is not None:
            from .booking import Book

            self._book = Book(self._gpus.keeper)
            self._detect()

    def _now(self) -> Gpus:
        """The GPUs of this process: after fork() the child opens its own. Settings changed by hand are told."""
        if self._pid != os.getpid():
            self._prepare()
            self._gpus = Gpus()
            self.gpu_count = 0
            self._connect(of_machine(self._gpus.keeper))
        self._settings.synchronise()
        return self._gpus

    # ---- which GPUs there are

    def _limit(self, total_mb: float) -> Union[int, float]:
        """What may be allocated of a GPU through the GPU manager: min(limit, total - reserve), and never below 0."""
        limit, reserve = self.config["memory_limit_mb"], self.config["memory_reserve_mb"]
        if limit == "auto":
            limit = 0.8 * total_mb
        available: Union[int, float] = max(0, min(limit, total_mb - reserve))
        return available

    def _detect(self) -> None:
        """Takes note of the GPUs that there are now; those that came later and those that went, too."""
        count = self._gpus.count()
        if count != self.gpu_count:
            self._list(count)

    def _list(self, count: int) -> None:
        keeper = self._gpus.keeper
        if keeper is None:
            return
        from .booking import BookedAllocation

        gpus, accounts = [], {}
        for index in range(count):
            raw = self._gpus.latest(index)
            if raw is None:
                continue
            name, total = raw.name.decode("utf-8", "replace"), megabytes(raw.memory_total_bytes)
            driver = raw.driver.decode("utf-8", "replace") or "Unknown"
            gpus.append({"id": index, "name": name, "memory_total_mb": total, "driver": driver})
            if total is not None:
                accounts[index] = BookedAllocation(keeper, self._book, index, total, self._limit)
            log(INFO, "GPU detected", gpu_id=index, gpu_name=name, memory_total_mb=total)
        with self._lock:
            self.gpus, self.memory_allocators = gpus, dict(accounts)
            self.gpu_count, self.gpus_available = count, count > 0

    # ---- what they do

    def _throttling(self) -> Optional[_native.gk_throttling]:
        """Of all GPUs, by readings that are fresh: without a monitor loop nobody else looks. None without a GPU."""
        gpus = self._now()
        self._detect()
        if not self.gpus_available:
            return None
        if not self.is_monitoring:
            gpus.freshen(self.gpu_count)
        return gpus.throttling()

    def is_available(self) -> bool:
        return self.gpus_available_now() and self.current_state is not GPUState.UNAVAILABLE

    def gpus_available_now(self) -> bool:
        """Whether there is a GPU, those that came since this was created included."""
        self._now()
        self._detect()
        return self.gpus_available

    @property
    def current_state(self) -> GPUState:
        """The worst of all GPUs. What a caller's test sets holds until the next sample."""
        if self._pinned is not None:
            return self._pinned
        throttling = self._throttling()
        if throttling is None:
            return GPUState.UNAVAILABLE
        state: GPUState = STATES[throttling.state]
        return state

    @current_state.setter
    def current_state(self, state: GPUState) -> None:
        self._pinned = state

    @property
    def is_throttled(self) -> bool:
        """Whether a GPU itself holds work back, its cooldown included."""
        throttling = self._throttling()
        return throttling is not None and throttling.is_throttled != 0

    @property
    def callbacks(self) -> dict[str, list[Callable[..., object]]]:
        return self._callbacks.by_event

    @property
    def metrics_history(self) -> list[GPUMetrics]:
        return self._history.samples()

    def get_gpu_metrics(self, gpu_id: int = 0) -> Optional[GPUMetrics]:
        """A fresh sample; None without a GPU, for one that is unknown, and for one that does not answer."""
        raw = self._gpus.look(gpu_id) if self.gpus_available_now() else None
        return metrics_of(raw) if raw is not None and raw.available else None

    def _determine_gpu_state(self, temperature: float, memory_percent: float, load_percent: float) -> GPUState:
        """By the configured thresholds alone: the worse of both axes, of which None says nothing."""
        return self._now().judge(temperature, memory_percent)

    def get_gpu_status(self, gpu_id: int = 0) -> dict[str, Any]:
        if not self.gpus_available_now():
            return dict(_NO_GPU)
        raw = self._gpus.look(gpu_id)
        if raw is None or not raw.available:
            return dict(_NO_METRICS)
        throttling = self._gpus.throttling(gpu_id)
        config = self.config
        account = self.memory_allocators.get(gpu_id)
        status: dict[str, Any] = {
            "available": True,
            "gpu_id": gpu_id,
            "name": raw.name.decode("utf-8", "replace"),
            "state": STATES[raw.state].value,
            "load_percent": known(raw.utilization_percent),
            "temperature_celsius": known(raw.temperature_celsius),
            "memory": {
                "used_mb": megabytes(raw.memory_used_bytes),
                "total_mb": megabytes(raw.memory_total_bytes),
                "percent": known(raw.memory_percent),
                "allocation_stats": self._usage(account) if account is not None else {},
            },
            "thresholds": {
                "temp_optimal": config["temp_optimal"],
                "temp_normal": config["temp_normal"],
                "temp_throttle": config["temp_throttle"],
                "temp_critical": config["temp_critical"],
            },
            "throttling": {
                "is_throttled": throttling is not None and throttling.is_throttled != 0,
                "should_throttle": throttling is not None and throttling.should_throttle != 0,
                "speed_multiplier": 1.0 if throttling is None else throttling.speed_multiplier,
            },
            "timestamp": datetime.fromtimestamp(raw.read_at).isoformat(),
        }
        if raw.simulated:
            status["simulated"] = True
        return status

    @staticmethod
    def _usage(account: GPUMemoryAllocation) -> dict[str, Any]:
        """Empty where the ledger does not answer."""
        from gpukeeper.errors import GpukeeperError

        try:
            return account.get_usage_stats()
        except GpukeeperError as error:
            log(ERROR, f"The ledger does not answer: {error}", gpu_id=account.gpu_id)
            return {}

    def get_all_gpus_status(self) -> list[dict[str, Any]]:
        self.gpus_available_now()
        return [self.get_gpu_status(index) for index in range(self.gpu_count)]

    def get_metrics_history(self, gpu_id: Optional[int] = None, limit: Optional[int] = None) -> list[dict[str, Any]]:
        """Oldest first; the last `limit` of them, all for 0 and None."""
        samples = self._history.samples(gpu_id)
        if limit is not None and limit > 0:
            samples = samples[-limit:]
        return [row(metrics) for metrics in samples]

    def get_temperature_trend(self, duration_minutes: int = 5, gpu_id: int = 0) -> dict[str, Any]:
        """Over the last minutes that were monitored; {} where nothing was."""
        since = time.monotonic() - duration_minutes * 60
        return trend(self._history.temperatures(gpu_id, since), duration_minutes)

    def get_gpus_with_processes(self) -> dict[str, Any]:
        """Every GPU with who is on it: `gpus`, `count` and `timestamp`, as the documented system monitor has them."""
        from gpukeeper.errors import GpukeeperError

        keeper = self._now().keeper
        try:
            if keeper is not None and self.gpu_count > 0:
                document = keeper.ask("GET", "/api/gpu/metrics")
                return {key: document[key] for key in ("gpus", "count", "timestamp")}
        except GpukeeperError as error:
            log(WARNING, f"The processes cannot be looked at: {error}")
        return {"gpus": [], "count": 0, "timestamp": time.time()}

    # ---- memory

    def allocate_memory(self, allocation_id: str, required_mb: float, gpu_id: int = 0) -> bool:
        """Books it for this process in the machine's ledger. False where there is no room, no such GPU, or the id is
        taken; the log says which."""
        account = self._account(gpu_id)
        if account is None:
            log(ERROR, "GPU not available for memory allocation", gpu_id=repr(gpu_id))
            return False
        return account.allocate(allocation_id, required_mb)

    def deallocate_memory(self, allocation_id: str, gpu_id: int = 0) -> bool:
        account = self._account(gpu_id)
        return account is not None and account.deallocate(allocation_id)

    def get_available_memory(self, gpu_id: int = 0) -> Union[int, float]:
        """In MiB; 0.0 for a GPU that there is not, and where the ledger does not answer."""
        from gpukeeper.errors import GpukeeperError

        account = self._account(gpu_id)
        if account is None:
            return 0.0
        try:
            return account.get_available_memory()
        except GpukeeperError as error:
            log(ERROR, f"The ledger does not answer: {error}", gpu_id=gpu_id)
            return 0.0

    def get_available_memory_gb(self, gpu_id: int = 0) -> float:
        return self.get_available_memory(gpu_id) / 1024

    def allocation(self, allocation_id: str, required_mb: float, gpu_id: int = 0) -> Allocation:
        """For `with`: the memory is given back at its end, whatever happens inside."""
        return Allocation(self, allocation_id, required_mb, gpu_id)

    def _account(self, gpu_id: int) -> Optional[GPUMemoryAllocation]:
        self._now()
        if isinstance(gpu_id, bool) or not isinstance(gpu_id, int):
            return None
        if gpu_id not in self.memory_allocators:
            count = self._gpus.count()
            if 0 <= gpu_id < count:  # it came, or it said only now how much memory it has
                self._list(count)
        return self.memory_allocators.get(gpu_id)

    # ---- throttling

    def should_throttle_processing(self) -> bool:
        """True exactly when the multiplier is at most 0.5: hot, full, cooling down or pausing; False without a GPU."""
        return self.get_processing_speed_multiplier() <= 0.5

    def get_processing_speed_multiplier(self) -> float:
        """1.0, 0.8, 0.5 or 0.0: that of the slowest GPU; 1.0 without one."""
        if self._pinned is not None:
            return {GPUState.NORMAL: 0.8, GPUState.THROTTLED: 0.5, GPUState.CRITICAL: 0.0}.get(self._pinned, 1.0)
        throttling = self._throttling()
        return 1.0 if throttling is None else float(throttling.speed_multiplier)

    def wait_until_clear(self, timeout: Optional[float] = None) -> bool:
        """Waits until nothing throttles; False when `timeout` seconds were not enough."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = threading.Event()
        while self.should_throttle_processing():
            left = 1.0 if end is None else min(1.0, end - time.monotonic())
            if left <= 0:
                return False
            pause.wait(left)
        return True

    # ---- monitoring

    def start_monitoring(self) -> None:
        if not self.gpus_available_now():
            log(WARNING, "Cannot start monitoring - GPU not available")
            return
        with self._lock:
            if self.is_monitoring:
                log(WARNING, "GPU monitoring already running")
                return
            self._gpus.monitor(True)
            watch = self._watch = Watch(self._sample, self._interval)
            self.is_monitoring = True
            self.monitor_thread = watch.thread
        watch.start()
        stop_at_exit(self)
        log(INFO, "GPU monitoring started")

    def stop_monitoring(self) -> None:
        """Returns at once; a callback that is running goes on to its end."""
        if self._pid != os.getpid():
            return  # it runs in the parent
        with self._lock:
            watch, self._watch = self._watch, None
            if watch is None:
                return
            self.is_monitoring = False
            watch.stop()
            self._gpus.monitor(False)
        if watch.thread.is_alive() and watch.thread is not threading.current_thread():
            watch.thread.join(timeout=0.1)  # it waits for nothing but a GPU that does not answer
        log(INFO, "GPU monitoring stopped")

    def _interval(self) -> float:
        try:
            return max(_SHORTEST_INTERVAL, float(self.config["monitor_interval"]))
        except (KeyError, TypeError, ValueError):
            return float(DEFAULTS["monitor_interval"])

    def _sample(self, watch: Watch) -> None:
        """One look at every GPU: into the history, and told where it is news."""
        if self._gpus.closed:
            return watch.stop()
        gpus = self._now()
        self._detect()
        for index in range(self.gpu_count):
            raw = gpus.look(index)
            if raw is None or watch.stopped:
                continue
            metrics = metrics_of(raw)
            if raw.available:
                self._history.add(time.monotonic(), metrics, self.config["history_size"])
            self._pinned = None
            self._tell(watch, metrics)
        self._note_throttling()
        self._log_metrics()

    def _tell(self, watch: Watch, metrics: GPUMetrics) -> None:
        """Calls who wants to know of a change, on the callbacks' thread; the new state is in place then."""
        old, emergency = watch.changes.take(metrics, self.config["temp_critical"])
        if metrics.state is not old:
            if metrics.state is GPUState.CRITICAL:
                self.last_critical_time = metrics.timestamp
            watch.callbacks.put(lambda: self._handle_state_change(old, metrics.state, metrics))
        elif emergency:
            watch.callbacks.put(lambda: self._trigger_callbacks("overheat", metrics))

    def _note_throttling(self) -> None:
        throttling = self._gpus.throttling()
        throttled = throttling is not None and throttling.is_throttled != 0
        if throttled and self.throttle_start_time is None:
            self.throttle_start_time = datetime.now()
            log(WARNING, "Processing throttled due to GPU state", state=self.current_state.value)
        elif not throttled and self.throttle_start_time is not None:
            self.throttle_start_time = None
            log(INFO, "Processing throttle released", cooldown_seconds=self.config["throttle_cooldown_seconds"])

    def _log_metrics(self) -> None:
        now = time.monotonic()
        if now - self._logged < _LOG_EVERY:
            return
        self._logged = now
        for latest in self._history.samples()[-self.gpu_count :]:
            log(DEBUG, "GPU metrics", gpu_id=latest.gpu_id, temperature=latest.temperature_celsius)

    # ---- events

    def register_callback(self, event: str, callback: Callable[..., object]) -> None:
        """Of "state_change" (old, new, metrics), "throttle", "resume", "critical" and "overheat" (metrics).
        Raises ValueError for any other."""
        self._callbacks.register(event, callback)
        log(DEBUG, "GPU callback registered", event=event)

    def unregister_callback(self, event: str, callback: Callable[..., object]) -> bool:
        return self._callbacks.unregister(event, callback)

    def _trigger_callbacks(self, event: str, *args: Any) -> None:
        """In this thread. Unknown events call nobody."""
        self._callbacks.trigger(event, *args)

    def _handle_state_change(self, old: GPUState, new: GPUState, metrics: Optional[GPUMetrics]) -> None:
        """Logs a change and calls whoever registered for what it means, in this thread."""
        temperature = None if metrics is None else metrics.temperature_celsius
        gpu_id = None if metrics is None else metrics.gpu_id
        log(INFO, "GPU state changed", gpu_id=gpu_id, old_state=old.value, new_state=new.value, temperature=temperature)
        self._trigger_callbacks("state_change", old, new, metrics)
        if new is GPUState.CRITICAL:
            log(CRITICAL, "GPU in critical state", gpu_id=gpu_id, temperature=temperature)
            self._trigger_callbacks("critical", metrics)
        elif new is GPUState.THROTTLED and old in _GOOD:
            log(WARNING, "GPU throttling activated", gpu_id=gpu_id, temperature=temperature)
            self._trigger_callbacks("throttle", metrics)
        elif new in _GOOD and old in _LOWERED:
            log(INFO, "GPU recovered to normal operation", gpu_id=gpu_id, temperature=temperature)
            self._trigger_callbacks("resume", metrics)
        if temperature is not None and temperature >= self.config["temp_throttle"]:
            self._trigger_callbacks("overheat", metrics)

    # ---- settings

    def update_config(self, config_updates: dict[str, Any]) -> bool:
        """All or nothing: False, and a line in the log, where a value cannot be. Unknown keys are left out."""
        return not self.config_problem(config_updates)

    def config_problem(self, config_updates: dict[str, Any]) -> str:
        """As update_config(), but says why not; "" where it was taken."""
        self._now()
        problem = self._settings.update(config_updates)
        size = self.config["history_size"]
        if not problem and isinstance(size, int):
            self._history.resize(size)
        return problem


class Allocation:
    """Memory that is allocated for the length of a `with`; true where it was."""

    def __init__(self, manager: GPUManager, allocation_id: str, required_mb: float, gpu_id: int) -> None:
        self._manager = manager
        self._terms = (allocation_id, gpu_id)
        self.allocated = manager.allocate_memory(allocation_id, required_mb, gpu_id)

    def __bool__(self) -> bool:
        return self.allocated

    def __enter__(self) -> Allocation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.allocated:
            self.allocated = False
            self._manager.deallocate_memory(*self._terms)


_manager: Optional[GPUManager] = None
_manager_lock = threading.Lock()


def get_gpu_manager() -> GPUManager:
    """The one of this process: every thread gets the same, and a forked child goes on with it."""
    global _manager
    if _manager is None:
        with _manager_lock:
            if _manager is None:
                _manager = GPUManager()
    return _manager


def _after_fork() -> None:
    global _manager_lock
    _manager_lock = threading.Lock()  # whoever held it is not in this process


os.register_at_fork(after_in_child=_after_fork)

