"""gpukeeper: what the GPUs of this machine do, and their memory, booked.

    import gpukeeper

    with gpukeeper.Monitor() as monitor:
        print(monitor.readings())
        with monitor.lease("6GiB", service="training") as lease:
            train(device=lease.device)

Names are loaded when they are first used: importing the package loads neither the library nor anything slow.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .async_client import AsyncClient
    from .client import Client
    from .errors import (
        AlreadyExists,
        Forked,
        GpukeeperError,
        InvalidArgument,
        LibraryMissing,
        NotFound,
        NotPermitted,
        Refused,
        TimedOut,
        Unavailable,
    )
    from .lease import Lease
    from .monitor import Event, Monitor, Subscription, default_monitor
    from .operations import operation, record_operation
    from .optimizer import GPUAllocationManager, GPUMemoryOptimizer, GPUResourceMonitor, GPUResourceOptimizer
    from .reading import Reading, State, Throttling
    from .reclaim import ReclaimReply, ReclaimRequest, Reclaimer, on_reclaim, pytorch_cache
    from .training import GpuMonitorCallback, HuggingFaceCallback, KerasCallback, LightningCallback

_WHERE = {
    "async_client": ("AsyncClient",),
    "client": ("Client",),
    "errors": (
        "AlreadyExists", "Forked", "GpukeeperError", "InvalidArgument", "LibraryMissing", "NotFound", "NotPermitted",
        "Refused", "TimedOut", "Unavailable",
    ),
    "lease": ("Lease",),
    "monitor": ("Event", "Monitor", "Subscription", "default_monitor"),
    "operations": ("operation", "record_operation"),
    "optimizer": ("GPUAllocationManager", "GPUMemoryOptimizer", "GPUResourceMonitor", "GPUResourceOptimizer"),
    "reading": ("Reading", "State", "Throttling"),
    "reclaim": ("ReclaimReply", "ReclaimRequest", "Reclaimer", "on_reclaim", "pytorch_cache"),
    "training": ("GpuMonitorCallback", "HuggingFaceCallback", "KerasCallback", "LightningCallback"),
}  # fmt: skip

__all__ = [
    "AlreadyExists", "AsyncClient", "Client", "Event", "Forked", "GPUAllocationManager", "GPUMemoryOptimizer",
    "GPUResourceMonitor", "GPUResourceOptimizer", "GpuMonitorCallback", "GpukeeperError", "HuggingFaceCallback",
    "InvalidArgument", "KerasCallback", "Lease", "LibraryMissing", "LightningCallback", "Monitor", "NotFound",
    "NotPermitted", "Reading", "ReclaimReply", "ReclaimRequest", "Reclaimer", "Refused", "State", "Subscription",
    "Throttling", "TimedOut", "Unavailable", "default_monitor", "on_reclaim", "operation", "pytorch_cache",
    "record_operation",
]  # fmt: skip


def __getattr__(name: str) -> object:
    for module, names in _WHERE.items():
        if name in names:
            import importlib

            value: object = getattr(importlib.import_module("." + module, __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
