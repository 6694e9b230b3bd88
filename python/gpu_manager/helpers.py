"""What queues and dashboards ask of the GPU manager, in one call each."""

from __future__ import annotations

from .manager import get_gpu_manager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_COLORS = {"optimal": "green", "normal": "blue", "throttled": "orange", "critical": "red"}


def get_gpu_dashboard_data(gpu_id: int = 0) -> dict[str, Any]:
    """For a widget: name, temperature and where it is going, memory, state and its colour, whether it is throttled."""
    manager = get_gpu_manager()
    status = manager.get_gpu_status(gpu_id) if manager.is_available() else {"available": False}
    if not status["available"]:
        return {"available": False}
    trend = manager.get_temperature_trend(duration_minutes=5, gpu_id=gpu_id)
    return {
        "available": True,
        "name": status["name"],
        "temperature": status["temperature_celsius"],
        "temp_trend": trend.get("trend", "unknown"),
        "memory_percent": status["memory"]["percent"],
        "state": status["state"],
        "state_color": _COLORS.get(status["state"], "gray"),
        "throttling": status["throttling"]["is_throttled"],
    }


def scaled_batch_size(base: int) -> int:
    """A batch for the speed at which work may go now: at least 1, and 0 where it has to wait."""
    speed = get_gpu_manager().get_processing_speed_multiplier()
    return 0 if speed == 0 else max(1, int(base * speed))


def may_process(*should_wait: Callable[[], bool]) -> bool:
    """Whether the GPUs let work go on, and everybody else who is asked:
    may_process(get_resource_manager().should_throttle_processing)."""
    return not get_gpu_manager().should_throttle_processing() and not any(other() for other in should_wait)
