"""The documented GPU manager, over gpukeeper.

    from gpu_manager import get_gpu_manager

    manager = get_gpu_manager()
    if manager.is_available():
        print(manager.get_gpu_status())

Importing never fails and loads no library: without a GPU, a driver or gpukeeper itself everything is "unavailable",
and the log (logger "gpu_manager") says why.
"""

from __future__ import annotations

from .allocation import GPUMemoryAllocation
from .helpers import get_gpu_dashboard_data, may_process, scaled_batch_size
from .manager import Allocation, GPUManager, get_gpu_manager
from .metrics import GPUMetrics, GPUState

__all__ = [
    "Allocation",
    "GPUManager",
    "GPUMemoryAllocation",
    "GPUMetrics",
    "GPUState",
    "get_gpu_dashboard_data",
    "get_gpu_manager",
    "may_process",
    "scaled_batch_size",
]
