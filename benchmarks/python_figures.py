#!/usr/bin/python3
"""What gpukeeper costs a Python program, each figure with its goal; `./bench python` runs it.

On two simulated GPUs, whose own reading is no part of most figures: a reading serves whoever asks within 100 ms.
GPUKEEPER_LIBRARY names the library, GPUKEEPER_SOURCE_DIR the checkout.
"""
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.environ.get("GPUKEEPER_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = os.path.join(ROOT, "python")
sys.path.insert(0, PYTHON)


def figure(what, value, unit, goal=None, at_least=False):
    """A row as those of the other benchmarks (benchmarks/figures.cpp)."""
    said = verdict = ""
    if goal is not None:
        said = f"goal {'>=' if at_least else '<='} {goal:g} {unit}"
        verdict = "met" if (value >= goal if at_least else value <= goal) else "MISSED"
    print(f"  {what:<58} {value:>10.3f} {unit:<14} {said:<26} {verdict}".rstrip(), flush=True)


def median_us(work, times, rounds=15):
    """Of one call, in a round that others on the machine disturbed neither most nor least."""
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - begin) / times * 1e6)
    return statistics.median(found)


def import_ms(module):
    """Above an interpreter that does nothing, the fastest of each: what others on the machine take only adds to it."""
    environment = {**os.environ, "PYTHONPATH": PYTHON}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the first run compiles the package, as an installation does

    def once(code):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        return (time.perf_counter() - begin) * 1e3

    pairs = [(once("pass"), once(f"import {module}")) for _ in range(30)]
    return min(with_it for _, with_it in pairs) - min(without for without, _ in pairs)


def reading(manager):
    status = median_us(manager.get_gpu_status, 500)
    figure("get_gpu_status(), median", status, "us", 30)
    figure("get_gpu_metrics(), median", median_us(manager.get_gpu_metrics, 500), "us")
    figure("should_throttle_processing(), median", median_us(manager.should_throttle_processing, 500), "us")
    spawned = median_us(lambda: subprocess.run(["/bin/echo", "0, GPU, 45, 3072, 8192, 68"], capture_output=True), 20)
    figure("a fake nvidia-smi that only prints, spawned, median", spawned, "us")
    figure("get_gpu_status() is faster than that", spawned / status, "times", 15, at_least=True)


def booking(manager, what, goal, times):
    def pair():
        manager.allocate_memory("bench", 64)
        manager.deallocate_memory("bench")

    assert manager.allocate_memory("bench", 64) and manager.deallocate_memory("bench")
    figure(f"allocate_memory() and deallocate_memory(), {what}", median_us(pair, times), "us", goal)


def main():
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            STATE_DIRECTORY=folder, XDG_CONFIG_HOME="/nowhere", XDG_RUNTIME_DIR="/nowhere",
            GPUKEEPER_SOURCE="simulated:" + os.path.join(ROOT, "examples/scenarios/two-gpus.yaml"))
        figure("import gpu_manager, above `python3 -c pass`, fastest", import_ms("gpu_manager"), "ms", 30)
        figure("import gpukeeper, the same", import_ms("gpukeeper"), "ms", 30)
        from gpu_manager import GPUManager

        reading(GPUManager())
        booking(GPUManager(), "the machine's ledger", 300, 50)
        os.environ["GPUKEEPER_LEDGER"] = "memory"
        booking(GPUManager(), "in memory", 20, 500)


if __name__ == "__main__":
    main()
