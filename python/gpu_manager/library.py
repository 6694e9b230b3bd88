"""What the library says of the GPUs, for the manager: readings, throttling, states. None where it cannot say."""

from __future__ import annotations

import os
import time
from datetime import datetime

from ._log import ERROR, log
from .metrics import STATES, GPUMetrics, GPUState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from gpukeeper import _native
    from gpukeeper._keeper import Keeper

_MIB = 2**20
_ABSENT = 2**64 - 1
_LEDGER = "GPUKEEPER_LEDGER"  # "memory": allocations are kept in this process alone


def known(number: float) -> Optional[float]:
    return number if number == number else None


def megabytes(count: int) -> Optional[float]:
    return count / _MIB if count != _ABSENT else None


def metrics_of(raw: _native.gk_reading) -> GPUMetrics:
    return GPUMetrics(
        datetime.fromtimestamp(raw.read_at if raw.read_at > 0 else time.time()),
        raw.index,
        raw.name.decode("utf-8", "replace"),
        known(raw.utilization_percent),
        megabytes(raw.memory_used_bytes),
        megabytes(raw.memory_total_bytes),
        known(raw.memory_percent),
        known(raw.temperature_celsius),
        known(raw.fan_percent),
        known(raw.power_watts),
        STATES[raw.state],
    )


class Gpus:
    """The GPUs of this machine, looked at in this process. Where that cannot be the log says why, and there are none:
    importing and creating never fail, as a program without a GPU must run, too."""

    def __init__(self) -> None:
        self.keeper: Optional[Keeper] = None
        try:
            import ctypes

            from gpukeeper import _native
            from gpukeeper._keeper import Keeper

            self.keeper = Keeper(memory_ledger=os.environ.get(_LEDGER) == "memory")
        except Exception as error:
            log(ERROR, f"GPU initialization failed: {error}")
            return
        self._native = _native
        self._reading_size = ctypes.sizeof(_native.gk_reading)
        self._throttling_size = ctypes.sizeof(_native.gk_throttling)
        self._byref = ctypes.byref

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more: there was nothing, or the interpreter ends."""
        return self.keeper is None or self.keeper.closed

    def count(self) -> int:
        keeper = self.keeper
        return 0 if keeper is None or keeper.closed else int(keeper.library.gk_device_count(keeper.handle))

    def look(self, gpu_id: int) -> Optional[_native.gk_reading]:
        """A reading no older than 100 ms, also of a GPU that is lost; the log says why there is none."""
        keeper = self.keeper
        if keeper is None:
            return None
        if not isinstance(gpu_id, int) or not 0 <= gpu_id < 2**32:
            log(ERROR, "Invalid GPU ID", gpu_id=repr(gpu_id))
            return None
        raw = self._native.gk_reading(self._reading_size)
        if keeper.library.gk_read(keeper._handle, gpu_id, self._byref(raw)) != 0:
            reason = self._native.text(keeper.library.gk_last_error())
            log(ERROR, f"Failed to get GPU metrics: {reason}", gpu_id=gpu_id)
            return None
        return raw

    def latest(self, gpu_id: int) -> Optional[_native.gk_reading]:
        """What is known of it, without a look."""
        keeper = self.keeper
        if keeper is None:
            return None
        raw = self._native.gk_reading(self._reading_size)
        return raw if keeper.library.gk_latest(keeper._handle, gpu_id, self._byref(raw)) == 0 else None

    def freshen(self, count: int) -> None:
        """Has every GPU looked at, so that states go by readings of now."""
        keeper = self.keeper
        if keeper is None:
            return
        raw = self._native.gk_reading(self._reading_size)
        for index in range(count):
            keeper.library.gk_read(keeper._handle, index, self._byref(raw))

    def throttling(self, gpu_id: Optional[int] = None) -> Optional[_native.gk_throttling]:
        """What the library's governor says, of one GPU or of all together."""
        keeper = self.keeper
        if keeper is None:
            return None
        raw = self._native.gk_throttling(self._throttling_size)
        device = -1 if gpu_id is None else gpu_id
        return raw if keeper.library.gk_throttle(keeper._handle, device, self._byref(raw)) == 0 else None

    def judge(self, temperature: Optional[float], memory_percent: Optional[float]) -> GPUState:
        """By the thresholds alone; None says nothing."""
        if self.keeper is None:
            return GPUState.UNAVAILABLE
        from ctypes import byref, c_int32

        nan = float("nan")
        state = c_int32()
        axes = [nan if value is None else value for value in (temperature, memory_percent)]
        self.keeper.call("gk_judge", *axes, byref(state))
        judged: GPUState = STATES[state.value]
        return judged

    def monitor(self, on: bool) -> None:
        """Has the library look all the time, or only when it is asked."""
        if not self.closed and self.keeper is not None:
            self.keeper.library.gk_monitor(self.keeper._handle, int(on))
