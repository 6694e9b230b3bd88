#!/usr/bin/env python3
"""The GPU manager in eight parts.  gpu_usage.py [SECONDS]: how long it watches in each part that watches (3)."""
import sys
import time

from gpu_manager import GPUState, get_gpu_manager

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
manager = get_gpu_manager()


def basic_status():
    status = manager.get_gpu_status()
    memory = status["memory"]
    print(f"{status['name']}: {status['state']}, {status['temperature_celsius']:.1f} °C, {status['load_percent']:.0f} % busy")
    print(f"{memory['used_mb']:.0f} of {memory['total_mb']:.0f} MiB used ({memory['percent']:.1f} %)")


def memory_allocation():
    print(f"{manager.get_available_memory()} MiB may be allocated")
    with manager.allocation("example_model", 1024) as allocated:  # or allocate_memory() and deallocate_memory()
        if not allocated:
            print("there is no room for a model of 1024 MiB: the log says why")
            return
        stats = manager.get_gpu_status()["memory"]["allocation_stats"]
        print(f"with the model loaded: {stats['available_mb']} MiB, {stats['allocation_count']} allocations")
    print(f"and without it: {manager.get_available_memory()} MiB")


def temperature():
    manager.start_monitoring()
    time.sleep(SECONDS)
    trend = manager.get_temperature_trend(duration_minutes=5)
    manager.stop_monitoring()
    print(f"{trend['current_temp']:.1f} °C now, {trend['avg_temp']:.1f} °C on average, {trend['trend']}")


def throttling():
    speed = manager.get_processing_speed_multiplier()
    advice = {0.0: "pause until it is cooler", 0.5: "work at half speed", 0.8: "work a little slower", 1.0: "work at full speed"}
    print(f"should throttle: {manager.should_throttle_processing()}, so {advice[speed]}")


def callbacks():
    changes = []

    def on_change(old: GPUState, new: GPUState, metrics):
        changes.append(new)
        print(f"GPU {metrics.gpu_id} went from {old.value} to {new.value} at {metrics.temperature_celsius} °C")

    manager.register_callback("state_change", on_change)
    manager.register_callback("critical", lambda metrics: print("pausing everything"))
    manager.start_monitoring()
    time.sleep(SECONDS)
    manager.stop_monitoring()
    manager.unregister_callback("state_change", on_change)
    print(f"{len(changes)} changes in {SECONDS:g} s")


def several_gpus():
    for status in manager.get_all_gpus_status():
        print(f"GPU {status['gpu_id']}: {status['name']}, {status['state']}, {status['throttling']['speed_multiplier']}x")


def history():
    rows = manager.get_metrics_history(gpu_id=0, limit=3)
    for row in rows:
        print(f"{row['timestamp']}: {row['temperature_celsius']:.1f} °C, {row['memory_percent']:.1f} % full, {row['state']}")


def configuration():
    before = manager.config["temp_throttle"]
    print(f"above {before} °C it is critical; set to 82: {manager.update_config({'temp_throttle': 82})}")
    print(f"set to 10, which cannot be: {manager.update_config({'temp_throttle': 10})}")
    manager.update_config({"temp_throttle": before})


def main():
    if not manager.is_available():
        print("there is no GPU: run `gpukeeper doctor` to see why, or set GPUKEEPER_SOURCE to a simulated machine")
        return
    parts = (basic_status, memory_allocation, temperature, throttling, callbacks, several_gpus, history, configuration)
    for number, part in enumerate(parts, 1):
        print(f"\n{number}. {part.__name__.replace('_', ' ')}")
        part()
    print("\nAll examples completed successfully!")


if __name__ == "__main__":
    main()
