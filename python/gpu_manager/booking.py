"""The GPU manager's allocations as leases of the one ledger that all programs of this machine share.

Each belongs to this process and ends with it. What others allocate through the GPU manager or /api/gpu/memory/ on the
same GPU counts under the same limit, and stands in the same statistics. Imported only where there is a library.
"""

from __future__ import annotations

import ctypes
import math
import time

from gpukeeper import _native
from gpukeeper.errors import AlreadyExists, GpukeeperError

from ._log import INFO, WARNING, log
from .allocation import GPUMemoryAllocation, checked_id, is_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from gpukeeper._keeper import Keeper

    from .allocation import Number

SERVICE = b"gpu_manager"
_MIB = 2**20
_FRESH = 0.1  # seconds: as old as a reading may be, too
_HELD = ("starting", "active")


def in_mb(count: int) -> Number:
    """Whole MiB as a whole number, as the sums of what callers wrote."""
    return count // _MIB if count % _MIB == 0 else count / _MIB


class Book:
    """What is allocated on every GPU, looked up at most ten times a second, and after every change of our own."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._looked = -math.inf
        self._by_gpu: dict[int, dict[str, Number]] = {}

    def changed(self) -> None:
        self._looked = -math.inf

    def allocations(self, gpu_id: int) -> dict[str, Number]:
        """By name, in MiB. Raises GpukeeperError where the ledger does not answer."""
        now = time.monotonic()
        if now - self._looked > _FRESH:
            self._by_gpu = self._look()
            self._looked = now
        return self._by_gpu.get(gpu_id, {})

    def _look(self) -> dict[int, dict[str, Number]]:
        found: dict[int, dict[str, Number]] = {}
        document = self._keeper.ask("GET", "/api/v1/leases")
        for lease in document["leases"]:
            if lease["surface"] == "documented" and lease["state"] in _HELD and lease["index"] is not None:
                found.setdefault(int(lease["index"]), {})[lease["name"]] = in_mb(int(lease["min_bytes"]))
        return found


class BookedAllocation(GPUMemoryAllocation):
    """One GPU's account in the ledger. Same members as the account in this process alone; the ledger has the word."""

    def __init__(
        self, keeper: Keeper, book: Book, gpu_id: int, total_mb: float, limit: Callable[[float], Number]
    ) -> None:
        self._keeper = keeper
        self._book = book
        self._limit = limit
        super().__init__(gpu_id, total_mb, limit(total_mb))

    @property
    def limit_mb(self) -> Number:
        """By the configuration as it is now."""
        return self._limit(self.total_memory_mb)

    @limit_mb.setter
    def limit_mb(self, _: Number) -> None:
        pass  # the configuration has it

    @property
    def allocations(self) -> dict[str, Number]:
        return dict(self._book.allocations(self.gpu_id))

    @allocations.setter
    def allocations(self, _: dict[str, Number]) -> None:
        pass  # the ledger has them

    def allocate(self, allocation_id: str, required_mb: float) -> bool:
        name = checked_id(allocation_id)
        if name is None or not is_size(required_mb):
            log(WARNING, "Invalid allocation request", allocation_id=repr(allocation_id), required_mb=repr(required_mb))
            return False
        try:
            book(self._keeper, self.gpu_id, name, math.ceil(required_mb * _MIB))
        except AlreadyExists:
            log(WARNING, "Allocation ID already exists", allocation_id=name)
            return False
        except GpukeeperError as error:
            log(WARNING, f"GPU memory allocation failed: {error}", allocation_id=name, required_mb=required_mb)
            return False
        self._book.changed()
        log(INFO, "GPU memory allocated", allocation_id=name, allocated_mb=required_mb, gpu_id=self.gpu_id)
        return True

    def deallocate(self, allocation_id: str) -> bool:
        name = checked_id(allocation_id)
        try:
            if name is None:
                raise GpukeeperError("that can be no name of an allocation")
            library = self._keeper.library
            result = library.gk_release_named(self._keeper._handle, name.encode(), self.gpu_id)
            if result:
                raise _native.failure(library, result)
        except GpukeeperError as error:
            log(WARNING, f"Allocation ID not found: {error}", allocation_id=repr(allocation_id))
            return False
        self._book.changed()
        log(INFO, "GPU memory deallocated", allocation_id=name, gpu_id=self.gpu_id)
        return True

    def get_available_memory(self) -> Number:
        return max(0, self.limit_mb - sum(self._book.allocations(self.gpu_id).values()))

    def get_usage_stats(self) -> dict[str, Any]:
        allocations = self.allocations
        used = sum(allocations.values())
        limit = self.limit_mb
        return {
            "total_mb": self.total_memory_mb,
            "limit_mb": limit,
            "allocated_mb": used,
            "available_mb": max(0, limit - used),
            "allocation_count": len(allocations),
            "allocations": allocations,
        }


_REQUEST, _LEASE = ctypes.sizeof(_native.gk_request), ctypes.sizeof(_native.gk_lease)


def book(keeper: Keeper, gpu_id: int, name: str, size: int) -> None:
    """A lease of this process on that GPU and no other, without the document that describes it."""
    request = _native.gk_request(_REQUEST, SERVICE, name.encode(), size)
    request.device = gpu_id
    request.require = request.documented = 1
    lease = ctypes.byref(_native.gk_lease(_LEASE))
    result = keeper.library.gk_allocate(keeper._handle, ctypes.byref(request), lease, None)
    if result:
        raise _native.failure(keeper.library, result)
