"""The last samples of every GPU, and where its temperature is going."""

from __future__ import annotations

import collections
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from .metrics import GPUMetrics

_STABLE_RANGE = 5.0  # °C between the lowest and the highest
_MOVING = 1.0  # °C that the line through the samples rises or falls over the window


class History:
    """A ring a GPU. Threads: any. Durations are measured on the monotonic clock, so that no change of the wall clock
    opens or closes a window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rings: dict[int, collections.deque[tuple[float, GPUMetrics]]] = {}

    def add(self, at: float, metrics: GPUMetrics, size: int) -> None:
        with self._lock:
            ring = self._rings.get(metrics.gpu_id)
            if ring is None or ring.maxlen != size:
                ring = collections.deque(ring or (), maxlen=size)
                self._rings[metrics.gpu_id] = ring
            ring.append((at, metrics))

    def resize(self, size: int) -> None:
        with self._lock:
            for gpu_id, ring in self._rings.items():
                if ring.maxlen != size:
                    self._rings[gpu_id] = collections.deque(ring, maxlen=size)

    def samples(self, gpu_id: Optional[int] = None) -> list[GPUMetrics]:
        """Oldest first; of all GPUs where none is named."""
        with self._lock:
            rings = [ring for index, ring in self._rings.items() if gpu_id is None or index == gpu_id]
            found = [sample for ring in rings for sample in ring]
        found.sort(key=lambda sample: sample[0])
        return [metrics for _, metrics in found]

    def temperatures(self, gpu_id: int, since: float) -> list[tuple[float, float]]:
        """When and how warm, where the GPU said it."""
        with self._lock:
            ring = list(self._rings.get(gpu_id, ()))
        return [(at, m.temperature_celsius) for at, m in ring if at >= since and m.temperature_celsius is not None]


def row(metrics: GPUMetrics) -> dict[str, Any]:
    return {
        "timestamp": metrics.timestamp.isoformat(),
        "gpu_id": metrics.gpu_id,
        "load_percent": metrics.load_percent,
        "memory_percent": metrics.memory_percent,
        "temperature_celsius": metrics.temperature_celsius,
        "state": metrics.state.value,
    }


def trend(samples: list[tuple[float, float]], duration_minutes: int) -> dict[str, Any]:
    """By the straight line through all of them (least squares), as the first and the last alone may be noise."""
    if not samples:
        return {}
    temperatures = [temperature for _, temperature in samples]
    lowest, highest = min(temperatures), max(temperatures)
    return {
        "duration_minutes": duration_minutes,
        "sample_count": len(samples),
        "current_temp": temperatures[-1],
        "min_temp": lowest,
        "max_temp": highest,
        "avg_temp": sum(temperatures) / len(temperatures),
        "trend": _direction(samples),
        "is_stable": highest - lowest < _STABLE_RANGE,
    }


def _direction(samples: list[tuple[float, float]]) -> str:
    count = len(samples)
    middle = sum(at for at, _ in samples) / count
    mean = sum(temperature for _, temperature in samples) / count
    spread = sum((at - middle) ** 2 for at, _ in samples)
    if spread == 0:
        return "stable"
    slope = sum((at - middle) * (temperature - mean) for at, temperature in samples) / spread
    change = slope * (samples[-1][0] - samples[0][0])
    return "rising" if change >= _MOVING else "falling" if change <= -_MOVING else "stable"
