"""The documented optimizer of GPU resources, asynchronous, over one ledger and what the drivers say.

It is honest: memory that is "freed" is what the driver showed to come back from the processes that were asked, else 0.
What a GPU does not report is None. Nothing here blocks the event loop: calls of the library run in a thread.
"""

from __future__ import annotations

import asyncio
import time

from .errors import GpukeeperError
from .monitor import Monitor, default_monitor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, TypeVar

    from .lease import Lease
    from .reading import Reading

    Value = TypeVar("Value")

_MIB = 2**20
_HELD = ("starting", "active", "suspended")
_OWN_NAME = "gpu-optimizer"


def _log(message: str, *args: object) -> None:
    import logging

    logging.getLogger("gpukeeper.optimizer").warning(message, *args)


def _floor(number: Optional[float]) -> Optional[int]:
    return None if number is None else int(number)


def _mb(count: Optional[int]) -> Optional[int]:
    return None if count is None else count // _MIB


class GPUResourceMonitor:
    """What every GPU does. `update_interval`: seconds between looks of the optimization loop; `metrics_retention`: for
    so many seconds history() remembers them."""

    def __init__(self, monitor: Optional[Monitor] = None) -> None:
        self.update_interval: float = 30
        self.metrics_retention: float = 3600
        self._given = monitor
        self._samples: list[tuple[float, str, list[dict[str, Any]]]] = []

    @property
    def gpus(self) -> Monitor:
        """What is asked. Raises LibraryMissing where there is none."""
        return self._given if self._given is not None else default_monitor()

    @property
    def device_count(self) -> int:
        """0 where the GPUs cannot be looked at, as the log says."""
        try:
            return self.gpus.device_count
        except GpukeeperError as error:
            _log("the GPUs cannot be looked at: %s", error)
            return 0

    def get_gpu_info(self, device_id: int) -> dict[str, Any]:
        """{} for a GPU that there is not, or that does not answer. One value that is missing leaves out no other."""
        if not isinstance(device_id, int) or not 0 <= device_id < self.device_count:
            return {}
        try:
            reading = self.gpus.read(device_id)
        except GpukeeperError as error:
            _log("GPU %s cannot be read: %s", device_id, error)
            return {}
        return _info(reading) if reading.available else {}

    def get_all_gpu_info(self) -> list[dict[str, Any]]:
        infos = (self.get_gpu_info(index) for index in range(self.device_count))
        return [info for info in infos if info]

    def update_metrics(self, service_name: str) -> None:
        """Looks at every GPU for the gauges that metrics() shows, whose label service_name this is from now on."""
        try:
            self.gpus.configure({"metrics": {"service_name": service_name}})
        except GpukeeperError as error:
            _log("the metrics cannot be updated: %s", error)
            return
        now = time.monotonic()
        self._samples.append((now, service_name, self.get_all_gpu_info()))
        while self._samples and self._samples[0][0] < now - self.metrics_retention:
            self._samples.pop(0)

    def metrics(self) -> str:
        """The documented gauges, counters and histograms, as Prometheus reads them."""
        return self.gpus.metrics(["documented"])

    def history(self) -> list[list[dict[str, Any]]]:
        """What update_metrics() saw within metrics_retention, oldest first."""
        begin = time.monotonic() - self.metrics_retention
        return [infos for at, _, infos in self._samples if at >= begin]


def _info(reading: Reading) -> dict[str, Any]:
    info = {
        "device_id": reading.index,
        "name": reading.name,
        "uuid": reading.uuid,
        "memory_total_mb": _mb(reading.memory_total_bytes),
        "memory_used_mb": _mb(reading.memory_used_bytes),
        "memory_free_mb": _mb(reading.memory_free_bytes),
        "memory_utilization_percent": _floor(reading.memory_percent),  # how full it is
        "memory_controller_percent": _floor(reading.memory_busy_percent),  # how busy
        "gpu_utilization_percent": _floor(reading.utilization_percent),
        "temperature_celsius": _floor(reading.temperature_celsius),
        "power_usage_watts": _floor(reading.power_watts),
        "graphics_clock_mhz": _floor(reading.clock_graphics_mhz),
        "memory_clock_mhz": _floor(reading.clock_memory_mhz),
    }
    if reading.simulated:
        info["simulated"] = True
    return info


async def _within(seconds: float, work: Callable[[], Value], undo: Callable[[Value], object]) -> Optional[Value]:
    """What `work` returns from a thread, or None when that takes longer; what comes too late is undone."""
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(None, work)
    try:
        return await asyncio.wait_for(asyncio.shield(future), seconds)
    except asyncio.TimeoutError:

        def late(done: asyncio.Future[Value]) -> None:
            if not done.cancelled() and done.exception() is None:
                loop.run_in_executor(None, undo, done.result())

        future.add_done_callback(late)
        return None


def _give_back(lease: Optional[Lease]) -> None:
    if lease is not None:
        lease.release()


class GPUAllocationManager:
    """Books GPUs for services, in the ledger of this machine, for as long as this process lives. `allocation_timeout`
    and `deallocation_timeout`: seconds after which a call gives up."""

    def __init__(self, monitor: GPUResourceMonitor) -> None:
        self.monitor = monitor
        self.allocation_timeout: float = 30
        self.deallocation_timeout: float = 10

    @property
    def allocations(self) -> dict[str, dict[str, Any]]:
        """What is booked on this machine, by "<service>_<lease>"."""
        return {f"{each['service_name']}_{each['allocation_id']}": each for each in self._records()}

    def _records(self) -> list[dict[str, Any]]:
        from .timestamps import unix_seconds

        document = self.monitor.gpus.ask("GET", "/api/v1/leases")
        return [
            {
                "service_name": lease["service"],
                "device_id": lease["index"],
                "allocated_at": unix_seconds(lease["created"]),
                "required_memory_mb": _mb(lease["min_bytes"]),
                "allocation_id": lease["id"],
            }
            for lease in document["leases"]
            if lease["state"] in _HELD
        ]

    async def allocate_gpu(
        self,
        service_name: str,
        required_memory_mb: int,
        preferred_device_id: Optional[int] = None,
        *,
        exclusive: bool = False,
        require_device: bool = False,
        wait: bool = False,
    ) -> Optional[int]:
        """The index of the GPU on which the memory is booked: the preferred one where it fits, else the one with the
        most room (`require_device`: or none). None where nothing fits; the log says why. `wait`: stand in the queue
        for up to allocation_timeout."""
        timeout = self.allocation_timeout

        def book() -> Optional[Lease]:
            try:
                return self.monitor.gpus.lease(
                    required_memory_mb * _MIB,
                    service=service_name,
                    device=preferred_device_id,
                    exclusive=exclusive,
                    require_device=require_device,
                    wait=timeout if wait else 0,
                )
            except GpukeeperError as error:
                _log("no GPU for %s: %s", service_name, error)
                return None

        # A queue keeps time by itself; a call that hangs beyond it is given up, and what it still books is given back.
        lease = await _within(timeout + (1 if wait else 0), book, _give_back)
        if lease is None:
            return None
        if lease.fell_back:
            _log("GPU %s has no room for %s, which got GPU %s", preferred_device_id, service_name, lease.device)
        return lease.device

    async def deallocate_gpu(self, service_name: str, device_id: int) -> bool:
        """Gives back all that the service has on that GPU; False where that is nothing."""
        from ._http import target_of

        def end() -> bool:
            target = target_of("/api/v1/leases", {"service": service_name, "device": str(device_id)})
            try:
                return int(self.monitor.gpus.ask("DELETE", target)["ended"]) > 0
            except GpukeeperError as error:
                _log("GPU %s of %s cannot be given back: %s", device_id, service_name, error)
                return False

        return bool(await _within(self.deallocation_timeout, end, lambda _: None))

    def get_allocation_status(self) -> dict[str, Any]:
        records = self._records()
        return {"total_allocations": len(records), "allocations": records}


class GPUMemoryOptimizer:
    """Brings back what can be brought back. `memory_threshold`: the share of a GPU's memory above which it is asked
    for; `optimization_interval`: seconds between the rounds of a loop that names no other."""

    def __init__(self, monitor: GPUResourceMonitor) -> None:
        self.monitor = monitor
        self.memory_threshold: float = 0.85
        self.optimization_interval: float = 300

    async def optimize_memory_usage(self, service_name: str) -> dict[str, Any]:
        """Has the service's stale leases ended and its registered holders asked. `memory_freed_mb` is what the driver
        showed of it; who holds memory and cannot be asked stands in `recommendations`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._optimize, {"service": service_name}, service_name)

    def _optimize(self, wish: dict[str, Any], name: str) -> dict[str, Any]:
        gpus = self.monitor.gpus
        gpus.configure({"reclaim": {"memory_threshold": self.memory_threshold}})
        report = gpus.ask("POST", "/api/v1/reclaim", wish)
        return {
            "service_name": name,
            "optimizations_applied": _applied(report),
            "memory_freed_mb": int(report["returned_bytes"]) // _MIB,
            "timestamp": time.time(),
            "recommendations": [each["recommendation"] for each in report["advice"]],
        }

    def get_memory_usage_report(self) -> dict[str, Any]:
        """`average_utilization_percent` is the ratio of the sums; `max_utilization_percent` that of the fullest GPU."""
        infos = self.monitor.get_all_gpu_info()
        keys = ("total", "used", "free")
        total, used, free = (sum(info[f"memory_{key}_mb"] or 0 for info in infos) for key in keys)
        fills = [info["memory_utilization_percent"] for info in infos if info["memory_utilization_percent"] is not None]
        left_out = ("uuid", "graphics_clock_mhz", "memory_clock_mhz")
        return {
            "timestamp": time.time(),
            "gpus": [{key: value for key, value in info.items() if key not in left_out} for info in infos],
            "total_memory_mb": total,
            "total_used_mb": used,
            "total_free_mb": free,
            "average_utilization_percent": used / total * 100 if total else 0,
            "max_utilization_percent": max(fills, default=None),
        }


def _applied(report: dict[str, Any]) -> list[dict[str, Any]]:
    """By GPU and kind of step, what came back; steps that failed or were skipped are none."""
    indices = {device["id"]: device["index"] for device in report["devices"]}
    freed: dict[tuple[Any, str], int] = {}
    for step in report["steps"]:
        for holder in step["holders"]:
            if not holder["problem"]:
                key = (indices.get(holder["device"]), step["type"] or step["step"])
                freed[key] = freed.get(key, 0) + (holder["returned_bytes"] or 0)
    return [
        {"device_id": device, "memory_freed_mb": count // _MIB, "optimization_type": kind}
        for (device, kind), count in freed.items()
    ]


class GPUResourceOptimizer:
    """All three together, and the loop that runs them."""

    def __init__(self, monitor: Optional[Monitor] = None) -> None:
        self.monitor = GPUResourceMonitor(monitor)
        self.allocation_manager = GPUAllocationManager(self.monitor)
        self.memory_optimizer = GPUMemoryOptimizer(self.monitor)
        self.running = False
        self._stop: Optional[Callable[[], object]] = None

    async def start_optimization_loop(self, interval: Optional[float] = None) -> None:
        """Until stop_optimization_loop(): looks every `monitor.update_interval` seconds, and every `interval` seconds
        (None: memory_optimizer.optimization_interval) brings memory back of GPUs that are above the threshold."""
        if self.running:
            raise RuntimeError("the optimization loop runs already")
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        self.running = True
        due = loop.time()
        try:
            while not stopped.is_set():
                await loop.run_in_executor(None, self.monitor.update_metrics, _OWN_NAME)
                if loop.time() >= due:
                    await loop.run_in_executor(None, self._round)
                    due = loop.time() + (self.memory_optimizer.optimization_interval if interval is None else interval)
                pause = max(0.01, min(due - loop.time(), self.monitor.update_interval))
                try:
                    await asyncio.wait_for(stopped.wait(), pause)
                except asyncio.TimeoutError:
                    pass
        finally:
            self.running = False
            self._stop = None

    def _round(self) -> None:
        try:
            report = self.memory_optimizer.get_memory_usage_report()
            fullest = report["max_utilization_percent"]
            if fullest is not None and fullest > self.memory_optimizer.memory_threshold * 100:
                self.memory_optimizer._optimize({}, _OWN_NAME)
        except GpukeeperError as error:  # a daemon that restarts is there again in the next round
            _log("a round of the optimization loop failed: %s", error)

    def stop_optimization_loop(self) -> None:
        """At once, from any thread."""
        if self._stop is not None:
            self._stop()

    def get_optimization_status(self) -> dict[str, Any]:
        return {
            "running": self.running,
            "allocation_status": self.allocation_manager.get_allocation_status(),
            "memory_report": self.memory_optimizer.get_memory_usage_report(),
            "gpu_info": self.monitor.get_all_gpu_info(),
        }


def main() -> None:
    """python3 -m gpukeeper.optimizer [--interval N] [-v]: the loop, until Ctrl-C."""
    import argparse
    import logging

    parser = argparse.ArgumentParser(prog="gpukeeper.optimizer", description="Brings GPU memory back, again and again.")
    parser.add_argument("--interval", type=int, default=300, help="seconds between rounds (300)")
    parser.add_argument("-v", "--verbose", action="store_true", help="log everything")
    options = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.INFO)
    try:
        asyncio.run(GPUResourceOptimizer().start_optimization_loop(options.interval))
    except KeyboardInterrupt:
        print("GPU Resource Optimizer stopped")


if __name__ == "__main__":
    main()
