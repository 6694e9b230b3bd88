"""Training that goes easy on hot GPUs: a callback for plain loops, and the same for three frameworks.

    watch = GpuMonitorCallback(on_alert=print)
    for batch in loader:
        watch.step()                                # waits while the GPUs are critical
        train(batch[: watch.batch_size(len(batch))])

LightningCallback, HuggingFaceCallback and KerasCallback have the methods that those frameworks call, and derive from
none of their classes: nothing is imported, and nothing breaks where a framework is not there.
"""

from __future__ import annotations

import time

from .errors import GpukeeperError
from .monitor import Monitor, default_monitor

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any, Callable, Optional


_PAUSE = 0.0


def _logger() -> logging.Logger:
    import logging

    return logging.getLogger("gpukeeper.training")


class GpuMonitorCallback:
    """Looks at the GPUs every `interval` seconds of training, and acts on what they say.

    `devices`: which GPUs the training runs on; None: all. `thermal_threshold`: °C from which `on_alert` is called with
    a sentence, once until it is cooler again. `pause`: wait while a GPU is critical, at most `max_pause` seconds at a
    time (None: as long as it takes). `log_every`: seconds between log lines of the readings; None: none.
    Without a GPU, or without gpukeeper's library, training goes on as if it were not there.
    """

    def __init__(
        self,
        monitor: Optional[Monitor] = None,
        *,
        interval: float = 1.0,
        devices: Optional[list[int]] = None,
        thermal_threshold: float = 83.0,
        on_alert: Optional[Callable[[str], object]] = None,
        pause: bool = True,
        max_pause: Optional[float] = None,
        log_every: Optional[float] = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.monitor = monitor
        self.interval = interval
        self.devices = devices
        self.thermal_threshold = thermal_threshold
        self.on_alert = on_alert
        self.pause = pause
        self.max_pause = max_pause
        self.log_every = log_every
        self.speed_multiplier = 1.0
        self.steps = 0
        self.paused_seconds = 0.0
        self.alerts: list[str] = []
        self._clock = clock
        self._sleep = sleep
        self._looked: Optional[float] = None
        self._logged: Optional[float] = None
        self._hot: set[int] = set()
        self._missing = False

    def step(self) -> float:
        """Before each step: looks when it is time to, waits while the GPUs are critical. Returns the multiplier."""
        self.steps += 1
        now = self._clock()
        if self._looked is None or now - self._looked >= self.interval:
            self.look()
            if self.pause and self.speed_multiplier == _PAUSE:
                self._wait()
        return self.speed_multiplier

    def batch_size(self, full: int) -> int:
        """As much of a full batch as the speed allows, at least 1: 1, 0.8 or 0.5 of it. A pause has waited before; one
        that was cut short by `max_pause` goes on at half."""
        return max(1, int(full * (self.speed_multiplier or 0.5)))

    def look(self) -> None:
        """Now: readings, alerts and the multiplier."""
        self._looked = self._clock()
        if self._missing:
            return
        try:
            self._look()
        except GpukeeperError as error:
            if self.monitor is None:  # the process's own could not be opened: it will not be later
                self._missing = True
            self.speed_multiplier = 1.0
            _logger().warning("the GPUs cannot be looked at, training goes on without: %s", error)

    def _look(self) -> None:
        if self.monitor is None:
            self.monitor = default_monitor()
        count = self.monitor.device_count
        devices = [index for index in (range(count) if self.devices is None else self.devices) if index < count]
        readings = [self.monitor.read(index) for index in devices]
        speeds = [self.monitor.throttling(index).speed_multiplier for index in devices]
        self._tell(min(speeds, default=1.0))
        for reading in readings:
            self._judge(reading.index, reading.name, reading.temperature_celsius)
        due = self._logged is None or self._clock() - self._logged >= (self.log_every or 0)
        if self.log_every is not None and due:
            self._logged = self._clock()
            for reading in readings:
                _logger().info("%r, %gx", reading, self.speed_multiplier)

    def _tell(self, speed: float) -> None:
        if speed != self.speed_multiplier:
            _logger().warning("work goes on at %gx instead of %gx", speed, self.speed_multiplier)
        self.speed_multiplier = speed

    def _judge(self, index: int, name: str, temperature: Optional[float]) -> None:
        if temperature is None or temperature < self.thermal_threshold:
            self._hot.discard(index)
            return
        if index in self._hot:
            return
        self._hot.add(index)
        alert = f"GPU {index} ({name}) is at {temperature:.0f} °C, the threshold is {self.thermal_threshold:.0f} °C"
        self.alerts.append(alert)
        _logger().warning("%s", alert)
        if self.on_alert is not None:
            try:
                self.on_alert(alert)
            except Exception:
                _logger().exception("on_alert failed")

    def _wait(self) -> None:
        begin = self._clock()
        _logger().warning("training pauses until the GPUs are no longer critical")
        while self.speed_multiplier == _PAUSE:
            left = self.interval
            if self.max_pause is not None:
                left = min(left, begin + self.max_pause - self._clock())
            if left <= 0:
                break
            self._sleep(left)
            self.look()
        waited = self._clock() - begin
        self.paused_seconds += waited
        _logger().warning("training goes on after a pause of %.0f s, at %gx", waited, self.speed_multiplier)


def _nothing(*_: Any, **__: Any) -> None:
    """A hook that this callback has no use for."""


class _Framework:
    """What the three have in common. Takes a GpuMonitorCallback, or the arguments of one."""

    def __init__(self, watch: Optional[GpuMonitorCallback] = None, **options: Any) -> None:
        self.watch = watch if watch is not None else GpuMonitorCallback(**options)

    def __getattr__(self, name: str) -> Callable[..., None]:
        # Hooks that later versions of a framework add, and those that are of no use here.
        if name.startswith("on_") or name in ("setup", "teardown"):
            return _nothing
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


class LightningCallback(_Framework):
    """Trainer(callbacks=[LightningCallback()]): waits before a batch while GPUs are critical, and logs the multiplier
    as "gpu_speed_multiplier"."""

    @property
    def state_key(self) -> str:
        return "gpukeeper.LightningCallback"

    def _generate_state_key(self, **_: Any) -> str:
        return self.state_key

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, *_: Any) -> None:
        speed = self.watch.step()
        log = getattr(pl_module, "log", None)
        if callable(log):
            log("gpu_speed_multiplier", speed)


class HuggingFaceCallback(_Framework):
    """Trainer(callbacks=[HuggingFaceCallback()]): waits before a step while GPUs are critical; the multiplier stands in
    what is logged."""

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.watch.step()

    def on_log(self, args: Any, state: Any, control: Any, logs: Optional[dict[str, Any]] = None, **_: Any) -> None:
        if logs is not None:
            logs["gpu_speed_multiplier"] = self.watch.speed_multiplier


class KerasCallback(_Framework):
    """model.fit(callbacks=[KerasCallback()]): waits before a batch while GPUs are critical; the multiplier stands in
    the epoch's logs."""

    _supports_tf_logs = False
    async_safe = False

    def __init__(self, watch: Optional[GpuMonitorCallback] = None, **options: Any) -> None:
        super().__init__(watch, **options)
        self.params: Any = None
        self.model: Any = None

    def set_params(self, params: Any) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def _implements_train_batch_hooks(self) -> bool:
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False

    def on_train_batch_begin(self, batch: int, logs: Optional[dict[str, Any]] = None) -> None:
        self.watch.step()

    def on_epoch_end(self, epoch: int, logs: Optional[dict[str, Any]] = None) -> None:
        if logs is not None:
            logs["gpu_speed_multiplier"] = self.watch.speed_multiplier
