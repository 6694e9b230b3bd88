#!/usr/bin/env python3
"""Work that waits for the processors and for the GPUs: the GPU manager beside a resource manager of one's own."""
import os

from gpu_manager import may_process


class ResourceManager:
    """Throttles while more programs want to run than there are processors."""

    def should_throttle_processing(self):
        return os.getloadavg()[0] > 2 * (os.cpu_count() or 1)


if __name__ == "__main__":
    processors = ResourceManager()
    print(f"the processors want it slower: {processors.should_throttle_processing()}")
    print(f"work may go on: {may_process(processors.should_throttle_processing)}")
