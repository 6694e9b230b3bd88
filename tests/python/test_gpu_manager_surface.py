#!/usr/bin/python3
"""Every name, signature, default and event of the documented module `gpu_manager`, by introspection: a pin."""
import dataclasses
import datetime
import inspect
import unittest

import support  # noqa: F401  (finds the packages)
import gpu_manager
from gpu_manager import GPUManager, GPUMemoryAllocation, GPUMetrics, GPUState


def parameters(function):
    """(name, default) of each, without self."""
    found = [(p.name, p.default) for p in inspect.signature(function).parameters.values()]
    return found[1:] if found and found[0][0] == "self" else found


EMPTY = inspect.Parameter.empty
METHODS = {
    "is_available": [],
    "get_gpu_metrics": [("gpu_id", 0)],
    "_determine_gpu_state": [("temperature", EMPTY), ("memory_percent", EMPTY), ("load_percent", EMPTY)],
    "allocate_memory": [("allocation_id", EMPTY), ("required_mb", EMPTY), ("gpu_id", 0)],
    "deallocate_memory": [("allocation_id", EMPTY), ("gpu_id", 0)],
    "get_available_memory": [("gpu_id", 0)],
    "get_available_memory_gb": [("gpu_id", 0)],
    "start_monitoring": [],
    "stop_monitoring": [],
    "should_throttle_processing": [],
    "get_processing_speed_multiplier": [],
    "get_gpu_status": [("gpu_id", 0)],
    "get_all_gpus_status": [],
    "get_metrics_history": [("gpu_id", None), ("limit", None)],
    "get_temperature_trend": [("duration_minutes", 5), ("gpu_id", 0)],
    "register_callback": [("event", EMPTY), ("callback", EMPTY)],
    "update_config": [("config_updates", EMPTY)],
    "_handle_state_change": [("old", EMPTY), ("new", EMPTY), ("metrics", EMPTY)],
}
ATTRIBUTES = {
    "config": dict, "gpus_available": bool, "gpu_count": int, "gpus": list, "memory_allocators": dict,
    "metrics_history": list, "current_state": GPUState, "is_monitoring": bool, "monitor_thread": type(None),
    "callbacks": dict, "is_throttled": bool, "throttle_start_time": type(None), "last_critical_time": type(None),
}
DEFAULTS = {
    "temp_optimal": 65, "temp_normal": 75, "temp_throttle": 85, "temp_critical": 90, "memory_optimal": 70,
    "memory_normal": 85, "memory_critical": 95, "memory_limit_mb": 6144, "memory_reserve_mb": 512,
    "monitor_interval": 3, "history_size": 200, "throttle_cooldown_seconds": 30, "critical_pause_seconds": 60,
}


class SurfaceTest(unittest.TestCase):
    def test_the_module_has_the_documented_names(self):
        for name in ("GPUState", "GPUMetrics", "GPUMemoryAllocation", "GPUManager", "get_gpu_manager"):
            self.assertTrue(hasattr(gpu_manager, name), name)

    def test_the_states_have_the_documented_values(self):
        self.assertEqual({state.name: state.value for state in GPUState}, {
            "OPTIMAL": "optimal", "NORMAL": "normal", "THROTTLED": "throttled", "CRITICAL": "critical",
            "UNAVAILABLE": "unavailable"})

    def test_the_managers_methods_have_the_documented_parameters(self):
        for name, expected in METHODS.items():
            with self.subTest(name):
                self.assertEqual(parameters(getattr(GPUManager, name)), expected)
        self.assertEqual(parameters(GPUManager), [])
        trigger = list(inspect.signature(GPUManager._trigger_callbacks).parameters.values())[1:]
        self.assertEqual([(p.name, p.kind) for p in trigger],
                         [("event", inspect.Parameter.POSITIONAL_OR_KEYWORD), ("args", inspect.Parameter.VAR_POSITIONAL)])

    def test_the_account_has_the_documented_members(self):
        account = GPUMemoryAllocation(gpu_id=1, total_memory_mb=8192, limit_mb=6144)
        self.assertEqual(parameters(GPUMemoryAllocation), [("gpu_id", EMPTY), ("total_memory_mb", EMPTY), ("limit_mb", EMPTY)])
        self.assertEqual((account.gpu_id, account.total_memory_mb, account.limit_mb, account.allocations), (1, 8192, 6144, {}))
        self.assertTrue(hasattr(account.lock, "acquire"))
        self.assertEqual(parameters(account.allocate), [("allocation_id", EMPTY), ("required_mb", EMPTY)])
        self.assertEqual(parameters(account.deallocate), [("allocation_id", EMPTY)])
        self.assertEqual((parameters(account.get_available_memory), parameters(account.get_usage_stats)), ([], []))

    def test_a_manager_has_the_documented_attributes(self):
        manager = GPUManager()
        for name, kind in ATTRIBUTES.items():
            with self.subTest(name):
                self.assertIsInstance(getattr(manager, name), kind)

    def test_the_settings_have_the_documented_defaults(self):
        self.assertEqual(GPUManager().config, DEFAULTS)

    def test_the_events_are_the_documented_five(self):
        self.assertEqual(list(GPUManager().callbacks), ["state_change", "critical", "throttle", "resume", "overheat"])

    def test_the_metrics_are_a_dataclass_in_the_documented_order(self):
        names = ["timestamp", "gpu_id", "gpu_name", "load_percent", "memory_used_mb", "memory_total_mb", "memory_percent",
                 "temperature_celsius", "fan_speed_percent", "power_draw_watts", "state"]
        self.assertTrue(dataclasses.is_dataclass(GPUMetrics))
        self.assertEqual([field.name for field in dataclasses.fields(GPUMetrics)], names)
        self.assertEqual([field.name for field in dataclasses.fields(GPUMetrics) if field.default is not dataclasses.MISSING], names[8:])
        self.assertEqual([name for name, _ in parameters(GPUMetrics)], names)
        now = datetime.datetime(2026, 5, 28, 20, 26, 40)
        metrics = GPUMetrics(now, 0, "GPU", 1.0, 2.0, 3.0, 4.0, 5.0)
        self.assertEqual((metrics.fan_speed_percent, metrics.power_draw_watts, metrics.state), (None, None, GPUState.NORMAL))
        self.assertEqual(dataclasses.asdict(metrics)["temperature_celsius"], 5.0)
        self.assertEqual(dataclasses.replace(metrics, gpu_id=1).gpu_id, 1)
        self.assertEqual(metrics, GPUMetrics(now, 0, "GPU", 1.0, 2.0, 3.0, 4.0, 5.0))
        self.assertNotEqual(metrics, GPUMetrics(now, 1, "GPU", 1.0, 2.0, 3.0, 4.0, 5.0))
        self.assertEqual(repr(GPUMetrics(now, 0, "GPU", None, None, None, None, None))[:70],
                         "GPUMetrics(timestamp=datetime.datetime(2026, 5, 28, 20, 26, 40), gpu_i")


if __name__ == "__main__":
    unittest.main()
