"""What a GPU says, as values. None is what it does not report: absent is not zero."""

from __future__ import annotations

import enum
from html import escape

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable


class State(enum.Enum):
    """How a GPU is, as the governor has it (docs/governor.md)."""

    OPTIMAL = "optimal"
    NORMAL = "normal"
    THROTTLED = "throttled"
    CRITICAL = "critical"
    UNAVAILABLE = "unavailable"


STATES = tuple(State)  # by gk_state


def known(number: float) -> float | None:
    """NaN, which stands for what is not known, as None."""
    return number if number == number else None


def known_bytes(count: int) -> int | None:
    return None if count == _native.ABSENT else count


class Reading:
    """One GPU at one moment; sizes in bytes, `read_at` in seconds since 1970. Immutable by convention."""

    __slots__ = (
        "index", "uuid", "name", "driver", "available", "simulated", "state", "read_at",
        "utilization_percent", "memory_busy_percent", "memory_used_bytes", "memory_total_bytes", "memory_percent",
        "temperature_celsius", "power_watts", "power_limit_watts", "fan_percent", "clock_graphics_mhz",
        "clock_memory_mhz", "pcie_tx_bytes_per_second", "pcie_rx_bytes_per_second",
    )  # fmt: skip

    def __init__(self, raw: _native.gk_reading) -> None:
        self.index: int = raw.index
        self.uuid: str = _native.text(raw.uuid)
        self.name: str = _native.text(raw.name)
        self.driver: str = _native.text(raw.driver)
        self.available: bool = raw.available != 0
        self.simulated: bool = raw.simulated != 0
        self.state: State = STATES[raw.state]
        self.read_at: float = raw.read_at
        self.utilization_percent = known(raw.utilization_percent)
        self.memory_busy_percent = known(raw.memory_busy_percent)
        self.memory_used_bytes = known_bytes(raw.memory_used_bytes)
        self.memory_total_bytes = known_bytes(raw.memory_total_bytes)
        self.memory_percent = known(raw.memory_percent)
        self.temperature_celsius = known(raw.temperature_celsius)
        self.power_watts = known(raw.power_watts)
        self.power_limit_watts = known(raw.power_limit_watts)
        self.fan_percent = known(raw.fan_percent)
        self.clock_graphics_mhz = known(raw.clock_graphics_mhz)
        self.clock_memory_mhz = known(raw.clock_memory_mhz)
        self.pcie_tx_bytes_per_second = known(raw.pcie_tx_bytes_per_second)
        self.pcie_rx_bytes_per_second = known(raw.pcie_rx_bytes_per_second)

    @property
    def memory_free_bytes(self) -> int | None:
        used, total = self.memory_used_bytes, self.memory_total_bytes
        return None if used is None or total is None else max(0, total - used)

    def __repr__(self) -> str:
        origin = ", simulated" if self.simulated else ""
        heat = f", {self.temperature_celsius:.0f} °C" if self.temperature_celsius is not None else ""
        return f"<Reading of GPU {self.index}: {self.name}, {self.state.value}{heat}{origin}>"

    def _repr_html_(self) -> str:
        return table([self])


class Throttling:
    """How fast work may go: speed_multiplier is 1, 0.8, 0.5 or 0."""

    __slots__ = ("state", "is_throttled", "should_throttle", "speed_multiplier")

    def __init__(self, raw: _native.gk_throttling) -> None:
        self.state: State = STATES[raw.state]
        self.is_throttled: bool = raw.is_throttled != 0
        self.should_throttle: bool = raw.should_throttle != 0
        self.speed_multiplier: float = raw.speed_multiplier

    def __repr__(self) -> str:
        return f"<Throttling: {self.state.value}, {self.speed_multiplier:g}x>"


_COLORS = {
    State.OPTIMAL: "#1a7f37",
    State.NORMAL: "#0969da",
    State.THROTTLED: "#bc4c00",
    State.CRITICAL: "#cf222e",
    State.UNAVAILABLE: "#6e7781",
}


def _cell(value: float | None, unit: str, scale: float = 1) -> str:
    return "-" if value is None else f"{value / scale:.0f}{unit}"


def _row(reading: Reading) -> str:
    used = _cell(reading.memory_used_bytes, "", 2**20)
    total = _cell(reading.memory_total_bytes, " MiB", 2**20)
    name = escape(reading.name) + (" <em>(simulated)</em>" if reading.simulated else "")
    state = f'<b style="color:{_COLORS[reading.state]}">{reading.state.value}</b>'
    cells = [
        str(reading.index),
        name,
        state,
        _cell(reading.temperature_celsius, " °C"),
        _cell(reading.utilization_percent, " %"),
        f"{used} / {total}",
        _cell(reading.power_watts, " W"),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def table(readings: Iterable[Reading]) -> str:
    """For a notebook: a row a GPU. Names of devices are foreign text, and escaped."""
    titles = ("GPU", "name", "state", "temperature", "use", "memory", "power")
    head = "".join(f"<th>{title}</th>" for title in titles)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, readings))}</tbody></table>"
