"""What the GPU manager says of a GPU: its state, and a sample of its metrics."""

from __future__ import annotations

import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, Optional


class GPUState(enum.Enum):
    OPTIMAL = "optimal"
    NORMAL = "normal"
    THROTTLED = "throttled"
    CRITICAL = "critical"
    UNAVAILABLE = "unavailable"


STATES = tuple(GPUState)  # by gk_state
# The worse, the later; a GPU that cannot be seen is no reason to work more slowly.
SEVERITY = {state: rank for rank, state in enumerate(STATES)}


class _DataclassFields:
    """Makes GPUMetrics a dataclass for whoever asks dataclasses about it (fields(), asdict(), replace()).

    The module itself takes longer to import than this whole package, so it is imported when it is asked.
    """

    def __get__(self, instance: object, owner: type) -> dict[str, Any]:
        import dataclasses

        names = GPUMetrics.__match_args__
        columns: list[Any] = [(name, owner.__annotations__[name]) for name in names[:8]]
        columns += [(name, "Optional[float]", dataclasses.field(default=None)) for name in names[8:10]]
        columns += [("state", GPUState, dataclasses.field(default=GPUState.NORMAL))]
        shape: Any = dataclasses.make_dataclass("GPUMetrics", columns)
        fields: dict[str, Any] = shape.__dataclass_fields__
        return fields


class GPUMetrics:
    """A sample of one GPU. None is what the GPU does not report; sizes in MiB; the time is local, without an offset."""

    __dataclass_fields__ = _DataclassFields()
    __match_args__ = (
        "timestamp", "gpu_id", "gpu_name", "load_percent", "memory_used_mb", "memory_total_mb", "memory_percent",
        "temperature_celsius", "fan_speed_percent", "power_draw_watts", "state",
    )  # fmt: skip

    timestamp: datetime
    gpu_id: int
    gpu_name: str
    load_percent: Optional[float]
    memory_used_mb: Optional[float]
    memory_total_mb: Optional[float]
    memory_percent: Optional[float]
    temperature_celsius: Optional[float]
    fan_speed_percent: Optional[float]
    power_draw_watts: Optional[float]
    state: GPUState

    def __init__(
        self,
        timestamp: datetime,
        gpu_id: int,
        gpu_name: str,
        load_percent: Optional[float],
        memory_used_mb: Optional[float],
        memory_total_mb: Optional[float],
        memory_percent: Optional[float],
        temperature_celsius: Optional[float],
        fan_speed_percent: Optional[float] = None,
        power_draw_watts: Optional[float] = None,
        state: GPUState = GPUState.NORMAL,
    ) -> None:
        self.timestamp = timestamp
        self.gpu_id = gpu_id
        self.gpu_name = gpu_name
        self.load_percent = load_percent
        self.memory_used_mb = memory_used_mb
        self.memory_total_mb = memory_total_mb
        self.memory_percent = memory_percent
        self.temperature_celsius = temperature_celsius
        self.fan_speed_percent = fan_speed_percent
        self.power_draw_watts = power_draw_watts
        self.state = state

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GPUMetrics) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # as every dataclass that can be changed

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"GPUMetrics({shown})"
