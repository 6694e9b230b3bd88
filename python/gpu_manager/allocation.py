"""Memory of one GPU, handed out by name."""

from __future__ import annotations

import threading

from ._log import INFO, WARNING, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Union

    Number = Union[int, float]

_LONGEST_ID = 256  # bytes, as in the ledger
_MOST_MB = float(2**42)


def checked_id(allocation_id: Any) -> Optional[str]:
    """The name as the ledger has it; a whole number counts as its digits. None for what can be no name."""
    if isinstance(allocation_id, int) and not isinstance(allocation_id, bool):
        return str(allocation_id)
    if not isinstance(allocation_id, str) or not allocation_id or "\0" in allocation_id:
        return None
    try:
        return allocation_id if len(allocation_id.encode("utf-8")) <= _LONGEST_ID else None
    except UnicodeEncodeError:
        return None


def is_size(required_mb: Any) -> bool:
    """A finite number above 0, and no bool."""
    if isinstance(required_mb, bool) or not isinstance(required_mb, (int, float)):
        return False
    return 0 < required_mb <= _MOST_MB  # false for NaN


class GPUMemoryAllocation:
    """An account of one GPU's memory, in this process alone. Threads: any."""

    def __init__(self, gpu_id: int, total_memory_mb: float, limit_mb: float) -> None:
        self.gpu_id = gpu_id
        self.total_memory_mb = total_memory_mb
        self.limit_mb = limit_mb
        self.allocations: dict[str, float] = {}
        self.lock = threading.Lock()
        facts = {"gpu_id": gpu_id, "total_mb": total_memory_mb, "limit_mb": limit_mb}
        log(INFO, "GPU memory allocation tracker initialized", **facts)

    def allocate(self, allocation_id: str, required_mb: float) -> bool:
        """False where the id is taken, the limit would be passed, or the request is none."""
        name = checked_id(allocation_id)
        if name is None or not is_size(required_mb):
            log(WARNING, "Invalid allocation request", allocation_id=repr(allocation_id), required_mb=repr(required_mb))
            return False
        with self.lock:
            if name in self.allocations:
                log(WARNING, "Allocation ID already exists", allocation_id=name)
                return False
            used = sum(self.allocations.values())
            if used + required_mb > self.limit_mb:
                log(
                    WARNING,
                    "GPU memory allocation failed - limit exceeded",
                    allocation_id=name,
                    required_mb=required_mb,
                    current_usage_mb=used,
                    limit_mb=self.limit_mb,
                )
                return False
            self.allocations[name] = required_mb
        total = used + required_mb
        log(INFO, "GPU memory allocated", allocation_id=name, allocated_mb=required_mb, total_allocated_mb=total)
        return True

    def deallocate(self, allocation_id: str) -> bool:
        """False where there is no such id."""
        name = checked_id(allocation_id)
        with self.lock:
            freed = self.allocations.pop(name, None) if name is not None else None
            left = sum(self.allocations.values())
        if freed is None:
            log(WARNING, "Allocation ID not found", allocation_id=repr(allocation_id))
            return False
        log(INFO, "GPU memory deallocated", allocation_id=name, freed_mb=freed, remaining_allocated_mb=left)
        return True

    def get_available_memory(self) -> Number:
        with self.lock:
            return max(0, self.limit_mb - sum(self.allocations.values()))

    def get_usage_stats(self) -> dict[str, Any]:
        with self.lock:
            allocations = dict(self.allocations)
        used = sum(allocations.values())
        return {
            "total_mb": self.total_memory_mb,
            "limit_mb": self.limit_mb,
            "allocated_mb": used,
            "available_mb": max(0, self.limit_mb - used),
            "allocation_count": len(allocations),
            "allocations": allocations,
        }
