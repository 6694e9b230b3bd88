#!/usr/bin/env python3
"""The optimizer from coroutines: two services get a GPU, one of them is asked for memory, both give it back."""
import asyncio
import logging

from gpukeeper import GPUResourceOptimizer


async def main():
    optimizer = GPUResourceOptimizer()
    optimizer.memory_optimizer.memory_threshold = 0.80
    allocations = optimizer.allocation_manager
    for info in optimizer.monitor.get_all_gpu_info():
        print(f"GPU {info['device_id']}: {info['name']}, {info['memory_free_mb']} MiB free")

    services = {"embedding-service": 2048, "reranking-service": 1024}
    devices = await asyncio.gather(*(allocations.allocate_gpu(name, size) for name, size in services.items()))
    for service, device in zip(services, devices):
        print(f"{service} is on GPU {device}" if device is not None else f"there is no room for {service}")

    results = await optimizer.memory_optimizer.optimize_memory_usage("embedding-service")
    print(f"{results['memory_freed_mb']} MiB came back, as the driver shows it")
    for recommendation in results["recommendations"]:
        print(f"  {recommendation}")

    print(f"{allocations.get_allocation_status()['total_allocations']} allocations")
    for service, device in zip(services, devices):
        if device is not None:
            await allocations.deallocate_gpu(service, device)


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    asyncio.run(main())
