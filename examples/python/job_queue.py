#!/usr/bin/env python3
"""A queue whose batches are as large as the GPUs let them be, and which waits while they are critical."""
import collections

from gpu_manager import get_gpu_manager, scaled_batch_size

FULL_BATCH = 32


def run(jobs, work):
    """Every job, a batch at a time. Returns how large the batches were."""
    waiting = collections.deque(jobs)
    sizes = []
    while waiting:
        size = scaled_batch_size(FULL_BATCH)
        if size == 0:
            get_gpu_manager().wait_until_clear(timeout=60)
            continue
        batch = [waiting.popleft() for _ in range(min(size, len(waiting)))]
        work(batch)
        sizes.append(len(batch))
    return sizes


if __name__ == "__main__":
    done = []
    sizes = run(range(100), done.extend)
    print(f"{len(done)} jobs in batches of {', '.join(map(str, sizes))}")
