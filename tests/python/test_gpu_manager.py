#!/usr/bin/python3
"""The GPU manager over a library that does what a test wants."""
import json
import logging
import math
import threading
import time
import unittest

import support
from fake_library import FakeGpu, FakeLibrary
from gpu_manager import GPUManager, GPUState, get_gpu_dashboard_data, get_gpu_manager, manager, may_process, scaled_batch_size


class ManagerTest(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.NOTSET)

    def machine(self, *gpus):
        library = FakeLibrary(*gpus).install(self)
        ours = GPUManager()
        self.addCleanup(ours.stop_monitoring)
        return library, ours

    def refresh(self, ours):
        """What others book is seen after 0.1 s; tests do not wait."""
        ours._book.changed()


class WithoutGpuTest(ManagerTest):
    def check(self, ours):
        self.assertIs(ours.is_available(), False)
        self.assertEqual(ours.get_gpu_status(), {"available": False, "state": "unavailable", "message": "GPU not available"})
        self.assertEqual((ours.get_all_gpus_status(), ours.gpus, ours.gpu_count), ([], [], 0))
        self.assertIsNone(ours.get_gpu_metrics())
        self.assertIs(ours.current_state, GPUState.UNAVAILABLE)
        self.assertIs(ours.should_throttle_processing(), False)
        self.assertEqual(ours.get_processing_speed_multiplier(), 1.0)
        self.assertFalse(ours.allocate_memory("a", 1))
        self.assertFalse(ours.deallocate_memory("a"))
        self.assertEqual((ours.get_available_memory(), ours.get_available_memory_gb()), (0.0, 0.0))
        self.assertEqual((ours.get_metrics_history(), ours.get_temperature_trend()), ([], {}))
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            ours.start_monitoring()
        self.assertEqual(logged.records[0].getMessage(), "Cannot start monitoring - GPU not available")
        self.assertFalse(ours.is_monitoring)
        ours.stop_monitoring()

    def test_a_machine_without_a_gpu_is_unavailable(self):
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            _, ours = self.machine()
        self.assertEqual(logged.records[0].getMessage(), "No GPUs detected")
        self.check(ours)

    def test_a_library_that_does_not_open_is_unavailable_and_the_log_says_why(self):
        library = FakeLibrary(FakeGpu()).install(self)
        library.failures["gk_open"] = (9, "no file /nowhere.yaml")
        with self.assertLogs("gpu_manager", "ERROR") as logged:
            ours = GPUManager()
        self.assertEqual(logged.records[0].getMessage(), "GPU initialization failed: no file /nowhere.yaml")
        self.check(ours)

    def test_without_the_library_everything_is_unavailable_and_the_log_says_why(self):
        done = support.run_python(
            "from gpu_manager import get_gpu_manager\nm = get_gpu_manager()\nprint(m.is_available(), m.get_gpu_status())",
            GPUKEEPER_LIBRARY="/nowhere/libgpukeeper.so.0")
        self.assertEqual(done.stdout, "False {'available': False, 'state': 'unavailable', 'message': 'GPU not available'}\n")
        self.assertIn("GPU initialization failed: libgpukeeper cannot be loaded: tried /nowhere/libgpukeeper.so.0", done.stderr)

    def test_a_gpu_that_comes_later_is_seen(self):
        library, ours = self.machine()
        library.gpus.append(FakeGpu())
        self.assertTrue(ours.is_available())
        self.assertEqual((ours.gpu_count, sorted(ours.memory_allocators)), (1, [0]))


class StatusTest(ManagerTest):
    def test_the_status_has_the_documented_shape(self):
        _, ours = self.machine(FakeGpu(68.0, "normal", name=b"NVIDIA GeForce RTX 4060"))
        status = ours.get_gpu_status()
        self.assertRegex(status.pop("timestamp"), r"^2023-11-\d\dT\d\d:\d\d:\d\d\.250000$")
        self.assertEqual(status, {
            "available": True, "gpu_id": 0, "name": "NVIDIA GeForce RTX 4060", "state": "normal", "load_percent": 40.5,
            "temperature_celsius": 68.0,
            "memory": {"used_mb": 3072.0, "total_mb": 8192.0, "percent": 37.5, "allocation_stats": {
                "total_mb": 8192.0, "limit_mb": 6144, "allocated_mb": 0, "available_mb": 6144, "allocation_count": 0,
                "allocations": {}}},
            "thresholds": {"temp_optimal": 65, "temp_normal": 75, "temp_throttle": 85, "temp_critical": 90},
            "throttling": {"is_throttled": False, "should_throttle": False, "speed_multiplier": 0.8}})

    def test_what_is_simulated_says_so(self):
        _, ours = self.machine(FakeGpu(simulated=1))
        self.assertIs(ours.get_gpu_status()["simulated"], True)

    def test_what_a_gpu_does_not_report_is_none_and_no_zero(self):
        _, ours = self.machine(FakeGpu(math.nan, memory_used_bytes=2**64 - 1, memory_percent=math.nan, fan_percent=math.nan,
                                       power_watts=math.nan, utilization_percent=math.nan))
        status, metrics = ours.get_gpu_status(), ours.get_gpu_metrics()
        self.assertEqual((status["temperature_celsius"], status["load_percent"], status["memory"]["used_mb"],
                          status["memory"]["percent"]), (None,) * 4)
        self.assertEqual((metrics.temperature_celsius, metrics.load_percent, metrics.memory_used_mb, metrics.memory_percent,
                          metrics.fan_speed_percent, metrics.power_draw_watts), (None,) * 6)
        self.assertNotIn("NaN", json.dumps(status))

    def test_fan_and_power_are_filled(self):
        _, ours = self.machine(FakeGpu())
        metrics = ours.get_gpu_metrics()
        self.assertEqual((metrics.fan_speed_percent, metrics.power_draw_watts), (30.0, 120.0))

    def test_a_gpu_that_says_only_later_how_much_memory_it_has_can_be_allocated_then(self):
        library, ours = self.machine(FakeGpu(memory_total_bytes=2**64 - 1))
        self.assertEqual((ours.memory_allocators, ours.get_gpu_status()["memory"]["allocation_stats"]), ({}, {}))
        self.assertFalse(ours.allocate_memory("a", 1))
        library.gpus[0].values["memory_total_bytes"] = 8192 << 20
        self.assertTrue(ours.allocate_memory("a", 1))

    def test_without_a_gpu_a_status_is_no_error_in_the_log(self):
        _, ours = self.machine()
        with self.assertNoLogs("gpu_manager", "DEBUG"):
            ours.get_gpu_status()
            ours.get_gpu_metrics()

    def test_an_id_that_is_none_is_no_other_gpu(self):
        _, ours = self.machine(FakeGpu(), FakeGpu())
        failed = {"available": False, "state": "unavailable", "error": "Failed to get GPU metrics"}
        for gpu_id in (-1, 2, 10**12, "0", None, 0.0):
            with self.subTest(gpu_id=gpu_id), self.assertLogs("gpu_manager", "ERROR"):
                self.assertEqual(ours.get_gpu_status(gpu_id), failed)
                self.assertIsNone(ours.get_gpu_metrics(gpu_id))
                self.assertFalse(ours.allocate_memory("a", 1, gpu_id))
                self.assertFalse(ours.deallocate_memory("a", gpu_id))
                self.assertEqual(ours.get_available_memory(gpu_id), 0.0)

    def test_a_gpu_that_does_not_answer_is_unavailable_and_the_log_says_why(self):
        library, ours = self.machine(FakeGpu())
        library.failures["gk_read"] = (6, "GPU 0 does not answer since 4 s")
        with self.assertLogs("gpu_manager", "ERROR") as logged:
            self.assertEqual(ours.get_gpu_status()["error"], "Failed to get GPU metrics")
        self.assertEqual(logged.records[0].getMessage(), "Failed to get GPU metrics: GPU 0 does not answer since 4 s")

    def test_a_lost_gpu_is_unavailable_until_it_returns(self):
        library, ours = self.machine(FakeGpu())
        library.gpus[0].values["available"] = 0
        library.gpus[0].state = "unavailable"
        self.assertEqual(ours.get_gpu_status()["available"], False)
        self.assertFalse(ours.is_available())
        library.gpus[0].be("optimal")
        self.assertTrue(ours.is_available())

    def test_all_statuses_are_a_list_by_index(self):
        _, ours = self.machine(FakeGpu(50.0), FakeGpu(60.0))
        self.assertEqual([each["temperature_celsius"] for each in ours.get_all_gpus_status()], [50.0, 60.0])

    def test_the_list_of_gpus_has_the_documented_keys(self):
        _, ours = self.machine(FakeGpu(), FakeGpu(driver=b""))
        self.assertEqual(ours.gpus, [
            {"id": 0, "name": "Fake GPU", "memory_total_mb": 8192.0, "driver": "580.1"},
            {"id": 1, "name": "Fake GPU", "memory_total_mb": 8192.0, "driver": "Unknown"}])


class ThrottlingTest(ManagerTest):
    def test_a_hot_gpu_throttles_without_a_monitor_loop(self):
        _, ours = self.machine(FakeGpu(92.0, "critical"))
        self.assertTrue(ours.should_throttle_processing())
        self.assertEqual(ours.get_processing_speed_multiplier(), 0.0)
        self.assertIs(ours.current_state, GPUState.CRITICAL)

    def test_the_slowest_gpu_decides_and_each_has_its_own_status(self):
        _, ours = self.machine(FakeGpu(80.0, "throttled"), FakeGpu(50.0, "optimal"))
        self.assertEqual(ours.get_processing_speed_multiplier(), 0.5)
        self.assertIs(ours.current_state, GPUState.THROTTLED)
        self.assertEqual([each["throttling"]["speed_multiplier"] for each in ours.get_all_gpus_status()], [0.5, 1.0])

    def test_each_state_has_its_multiplier(self):
        for state, speed in (("optimal", 1.0), ("normal", 0.8), ("throttled", 0.5), ("critical", 0.0)):
            with self.subTest(state):
                _, ours = self.machine(FakeGpu(state=state))
                self.assertEqual(ours.get_processing_speed_multiplier(), speed)
                self.assertIs(ours.should_throttle_processing(), speed <= 0.5)

    def test_a_state_that_a_callers_test_sets_holds_until_the_next_sample(self):
        _, ours = self.machine(FakeGpu())
        for state, speed in ((GPUState.NORMAL, 0.8), (GPUState.THROTTLED, 0.5), (GPUState.CRITICAL, 0.0)):
            ours.current_state = state
            self.assertEqual((ours.current_state, ours.get_processing_speed_multiplier()), (state, speed))
            self.assertIs(ours.should_throttle_processing(), speed <= 0.5)
        ours.start_monitoring()
        support.eventually(lambda: ours.current_state is GPUState.OPTIMAL, "the sample replaces it")

    def test_waiting_ends_when_it_is_clear_or_when_time_is_up(self):
        library, ours = self.machine(FakeGpu(92.0, "critical"))
        self.assertFalse(ours.wait_until_clear(timeout=0.01))
        threading.Timer(0.05, lambda: library.gpus[0].be("optimal")).start()
        self.assertTrue(ours.wait_until_clear(timeout=support.PATIENCE))

    def test_the_state_of_explicit_values_is_the_librarys(self):
        _, ours = self.machine(FakeGpu())
        for temperature, memory, state in ((60, 50, GPUState.OPTIMAL), (70, 75, GPUState.NORMAL), (80, 88, GPUState.THROTTLED),
                                           (92, 96, GPUState.CRITICAL), (None, 50, GPUState.OPTIMAL), (None, None, GPUState.UNAVAILABLE)):
            found = ours._determine_gpu_state(temperature=temperature, memory_percent=memory, load_percent=30)
            self.assertIs(found, state, (temperature, memory))


class EventTest(ManagerTest):
    def heard(self, ours, *events):
        calls = []
        for event in events or ours.callbacks:
            ours.register_callback(event, lambda *args, event=event: calls.append((event, *args)))
        return calls

    def test_each_change_fires_what_is_documented(self):
        _, ours = self.machine(FakeGpu())
        optimal, normal, throttled, critical = (GPUState(s) for s in ("optimal", "normal", "throttled", "critical"))
        cases = [
            (optimal, normal, 70.0, ["state_change"]),
            (normal, throttled, 80.0, ["state_change", "throttle"]),
            (optimal, throttled, 86.0, ["state_change", "throttle", "overheat"]),
            (throttled, critical, 92.0, ["state_change", "critical", "overheat"]),
            (critical, throttled, 84.0, ["state_change"]),
            (throttled, normal, 70.0, ["state_change", "resume"]),
            (critical, optimal, 50.0, ["state_change", "resume"]),
        ]
        for old, new, temperature, expected in cases:
            with self.subTest(old=old, new=new):
                calls = self.heard(ours)
                metrics = ours.get_gpu_metrics()
                metrics.temperature_celsius = temperature
                ours._handle_state_change(old, new, metrics)
                self.assertEqual([call[0] for call in calls], expected)
                self.assertEqual(calls[0], ("state_change", old, new, metrics))
                self.assertTrue(all(call[1:] == (metrics,) for call in calls[1:]))
                for registered in ours.callbacks.values():
                    registered.clear()

    def test_an_event_that_is_none_is_refused_with_the_documented_text(self):
        _, ours = self.machine(FakeGpu())
        with self.assertRaises(ValueError) as raised:
            ours.register_callback("melted", print)
        self.assertEqual(str(raised.exception), "Invalid event type: melted")
        ours._trigger_callbacks("melted", 1)  # calls nobody

    def test_a_callback_that_raises_stops_no_other(self):
        _, ours = self.machine(FakeGpu())
        calls = []
        ours.register_callback("throttle", lambda metrics: 1 / 0)
        ours.register_callback("throttle", calls.append)
        with self.assertLogs("gpu_manager", "ERROR") as logged:
            ours._trigger_callbacks("throttle", "metrics")
        self.assertEqual(calls, ["metrics"])
        self.assertEqual((logged.records[0].getMessage(), logged.records[0].event), ("GPU callback execution failed", "throttle"))
        self.assertIn("ZeroDivisionError", logged.output[0])

    def test_a_callback_can_be_taken_back(self):
        _, ours = self.machine(FakeGpu())
        calls = []
        ours.register_callback("throttle", calls.append)
        self.assertTrue(ours.unregister_callback("throttle", calls.append))
        self.assertFalse(ours.unregister_callback("throttle", calls.append))
        ours._trigger_callbacks("throttle", 1)
        self.assertEqual(calls, [])

    def test_the_loop_fires_once_a_change_and_for_its_own_gpu(self):
        library, ours = self.machine(FakeGpu(), FakeGpu())
        calls = self.heard(ours, "state_change", "throttle", "resume", "critical")
        ours.config["monitor_interval"] = 0.1
        ours.start_monitoring()
        library.gpus[1].be("throttled", 80.0)
        support.eventually(lambda: len(calls) == 2, "the throttle event")
        library.gpus[1].be("optimal", 50.0)
        support.eventually(lambda: len(calls) == 4, "the resume event")
        ours.stop_monitoring()
        self.assertEqual([(call[0], call[-1].gpu_id) for call in calls],
                         [("state_change", 1), ("throttle", 1), ("state_change", 1), ("resume", 1)])

    def test_callbacks_find_the_new_state_in_place(self):
        library, ours = self.machine(FakeGpu())
        seen = []
        ours.register_callback("critical", lambda metrics: seen.append(ours.current_state))
        ours.config["monitor_interval"] = 0.1
        ours.start_monitoring()
        library.gpus[0].be("critical", 92.0)
        self.assertEqual(support.eventually(lambda: seen, "the critical event"), [GPUState.CRITICAL])
        self.assertIsNotNone(ours.last_critical_time)

    def test_the_emergency_line_fires_overheat_again(self):
        library, ours = self.machine(FakeGpu(86.0, "critical"))
        calls = self.heard(ours, "overheat")
        ours.config["monitor_interval"] = 0.1
        ours.start_monitoring()
        support.eventually(lambda: len(calls) == 1, "the first")
        library.gpus[0].be("critical", 91.0)
        support.eventually(lambda: len(calls) == 2, "that of the emergency line")

    def test_a_callback_that_sleeps_delays_no_sample_and_no_stop(self):
        library, ours = self.machine(FakeGpu(92.0, "critical"))
        entered, go = threading.Event(), threading.Event()
        self.addCleanup(go.set)

        def sleeps(metrics):
            entered.set()
            go.wait(support.PATIENCE)

        ours.register_callback("critical", sleeps)
        ours.config["monitor_interval"] = 0.1
        ours.start_monitoring()
        self.assertTrue(entered.wait(support.PATIENCE))
        before = len(ours.metrics_history)
        support.eventually(lambda: len(ours.metrics_history) >= before + 3, "samples go on")
        begin = time.monotonic()
        ours.stop_monitoring()
        self.assertLess(time.monotonic() - begin, 1.0)

    def test_a_callback_may_call_everything(self):
        library, ours = self.machine(FakeGpu(92.0, "critical"))
        entered, done = [], []

        def reenters(metrics):
            entered.append(metrics)
            if len(entered) > 1:
                return  # the loop that it starts finds the GPU critical, too
            ours.register_callback("resume", done.append)
            ours.get_gpu_status()
            ours.update_config({"temp_throttle": 86})
            ours.stop_monitoring()
            ours.start_monitoring()
            done.append(ours.is_monitoring)

        ours.register_callback("critical", reenters)
        ours.start_monitoring()
        self.assertEqual(support.eventually(lambda: done[:1], "it came to its end"), [True])


class MonitoringTest(ManagerTest):
    def test_starting_twice_is_once(self):
        library, ours = self.machine(FakeGpu())
        ours.start_monitoring()
        thread = ours.monitor_thread
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            ours.start_monitoring()
        self.assertEqual(logged.records[0].getMessage(), "GPU monitoring already running")
        self.assertIs(ours.monitor_thread, thread)
        self.assertTrue(thread.daemon)
        self.assertEqual(library.monitoring, 1)

    def test_a_stop_returns_at_once_whatever_the_interval(self):
        library, ours = self.machine(FakeGpu())
        ours.config["monitor_interval"] = 60
        ours.start_monitoring()
        support.eventually(lambda: ours.metrics_history, "the first sample is immediate")
        begin = time.monotonic()
        ours.stop_monitoring()
        self.assertLess(time.monotonic() - begin, 1.0)
        support.eventually(lambda: not ours.monitor_thread.is_alive(), "the thread ends")
        self.assertEqual((ours.is_monitoring, library.monitoring), (False, 0))

    def test_starting_and_stopping_leaves_no_second_loop(self):
        _, ours = self.machine(FakeGpu())
        logging.disable(logging.CRITICAL)
        threads = []
        for _ in range(300):
            ours.start_monitoring()
            threads.append(ours.monitor_thread)
            ours.stop_monitoring()
        support.eventually(lambda: not any(thread.is_alive() for thread in threads), "all have ended")

    def test_the_loop_outlives_whatever_fails_in_it(self):
        library, ours = self.machine(FakeGpu())
        logging.disable(logging.CRITICAL)
        ours.config["monitor_interval"] = 0.1
        ours.config["temp_critical"] = "hot"  # by hand: update_config() would have refused it
        ours.start_monitoring()
        support.eventually(lambda: library.calls.count("gk_read") > 5, "it goes on")
        ours.config["temp_critical"] = 90
        ours.config["monitor_interval"] = -1
        before = library.calls.count("gk_read")
        support.eventually(lambda: library.calls.count("gk_read") > before + 2, "and on")
        self.assertTrue(ours.monitor_thread.is_alive())

    def test_a_loop_is_never_faster_than_ten_times_a_second(self):
        _, ours = self.machine(FakeGpu())
        for interval, expected in ((0, 0.1), (-1, 0.1), (0.5, 0.5), ("often", 3.0), (None, 3.0)):
            ours.config["monitor_interval"] = interval
            self.assertEqual(ours._interval(), expected)

    def test_the_history_keeps_its_size_for_each_gpu(self):
        _, ours = self.machine(FakeGpu(), FakeGpu())
        for at in range(12):
            for gpu in (0, 1):
                ours._history.add(float(at), ours.get_gpu_metrics(gpu), 10)
        self.assertEqual((len(ours.metrics_history), len(ours.get_metrics_history(gpu_id=1))), (20, 10))
        self.assertTrue(ours.update_config({"history_size": 5}))
        self.assertEqual(len(ours.get_metrics_history(gpu_id=0)), 5)

    def test_history_rows_have_six_keys_and_a_limit(self):
        _, ours = self.machine(FakeGpu())
        for at in range(3):
            ours._history.add(float(at), ours.get_gpu_metrics(), 10)
        rows = ours.get_metrics_history(limit=2)
        self.assertEqual(len(rows), 2)
        self.assertEqual(list(rows[0]), ["timestamp", "gpu_id", "load_percent", "memory_percent", "temperature_celsius", "state"])
        self.assertEqual([len(ours.get_metrics_history(limit=limit)) for limit in (0, None, -1, 99)], [3, 3, 3, 3])

    def test_a_trend_is_the_line_through_all_samples(self):
        _, ours = self.machine(FakeGpu())
        cases = [([50, 52, 54], "rising", True), ([60, 55, 50], "falling", False), ([50, 50, 50], "stable", True),
                 ([50, 50.4, 50.8], "stable", True), ([50, 60, 50], "stable", False)]
        for temperatures, direction, stable in cases:
            ours._history = type(ours._history)()
            now = time.monotonic()
            for at, temperature in enumerate(temperatures):
                metrics = ours.get_gpu_metrics()
                metrics.temperature_celsius = float(temperature)
                ours._history.add(now - 10 + at, metrics, 10)
            trend = ours.get_temperature_trend(duration_minutes=1)
            self.assertEqual(trend, {
                "duration_minutes": 1, "sample_count": 3, "current_temp": temperatures[-1], "min_temp": min(temperatures),
                "max_temp": max(temperatures), "avg_temp": sum(map(float, temperatures)) / 3, "trend": direction, "is_stable": stable})
        self.assertEqual(ours.get_temperature_trend(gpu_id=7), {})
        self.assertEqual(ours.get_temperature_trend(duration_minutes=0.01), {})  # nothing is that new


class MemoryTest(ManagerTest):
    def test_an_allocation_is_a_lease_of_this_process_under_the_documented_limit(self):
        library, ours = self.machine(FakeGpu())
        self.assertTrue(ours.allocate_memory("llm_model", 2048))
        self.assertEqual(library.leases, {(0, "llm_model"): 2048 << 20})
        self.assertEqual(ours.get_available_memory(), 4096)
        self.assertIsInstance(ours.get_available_memory(), int)
        self.assertEqual(ours.get_available_memory_gb(), 4.0)
        self.assertEqual(ours.get_gpu_status()["memory"]["allocation_stats"]["allocations"], {"llm_model": 2048})
        self.assertTrue(ours.deallocate_memory("llm_model"))
        self.assertEqual((library.leases, ours.get_available_memory()), ({}, 6144))

    def test_what_others_book_counts(self):
        library, ours = self.machine(FakeGpu())
        library.leases[(0, "theirs")] = 1 << 30
        self.refresh(ours)
        self.assertEqual(ours.get_available_memory(), 5120)

    def test_the_ledgers_refusal_is_false_and_its_reason_is_logged(self):
        library, ours = self.machine(FakeGpu())
        library.failures["gk_allocate"] = (3, "default asks for 9000 MiB, and GPU 0 has 1000 MiB")
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            self.assertFalse(ours.allocate_memory("a", 9000))
        self.assertEqual(logged.records[0].getMessage(),
                         "GPU memory allocation failed: default asks for 9000 MiB, and GPU 0 has 1000 MiB")

    def test_a_name_that_is_taken_is_false(self):
        _, ours = self.machine(FakeGpu())
        self.assertTrue(ours.allocate_memory("a", 1))
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            self.assertFalse(ours.allocate_memory("a", 1))
        self.assertEqual(logged.records[0].getMessage(), "Allocation ID already exists")

    def test_what_can_be_no_request_never_reaches_the_ledger(self):
        library, ours = self.machine(FakeGpu())
        for name, size in (("a", 0), ("a", -1), ("a", math.nan), ("a", True), ("", 1), (None, 1), ("x" * 257, 1), ("a", "1")):
            with self.subTest(name=name, size=size), self.assertLogs("gpu_manager", "WARNING"):
                self.assertFalse(ours.allocate_memory(name, size))
        self.assertNotIn("gk_allocate", library.calls)

    def test_a_fraction_of_a_mebibyte_is_rounded_up_to_bytes(self):
        library, ours = self.machine(FakeGpu())
        self.assertTrue(ours.allocate_memory("a", 0.0000001))
        self.assertEqual(library.leases[(0, "a")], 1)

    def test_a_ledger_that_does_not_answer_is_no_exception(self):
        library, ours = self.machine(FakeGpu())
        library.failures["gk_ask"] = (6, "the ledger is locked")
        self.refresh(ours)
        with self.assertLogs("gpu_manager", "ERROR") as logged:
            self.assertEqual(ours.get_available_memory(), 0.0)
            self.assertEqual(ours.get_gpu_status()["memory"]["allocation_stats"], {})
        self.assertEqual({record.getMessage() for record in logged.records},
                         {"The ledger does not answer: the ledger is locked"})

    def test_the_limit_follows_the_configuration(self):
        _, ours = self.machine(FakeGpu(), FakeGpu(memory_total_bytes=256 << 20))
        self.assertEqual((ours.get_available_memory(0), ours.get_available_memory(1)), (6144, 0))
        ours.update_config({"memory_limit_mb": 7168})
        self.assertEqual(ours.get_available_memory(), 7168)
        ours.update_config({"memory_limit_mb": "auto"})
        self.assertEqual(ours.get_available_memory(), 0.8 * 8192)

    def test_a_with_gives_back_whatever_happens_inside(self):
        library, ours = self.machine(FakeGpu())
        with self.assertRaises(ZeroDivisionError), ours.allocation("a", 1) as allocated:
            self.assertTrue(allocated)
            1 / 0
        self.assertEqual(library.leases, {})
        library.failures["gk_allocate"] = (3, "no room")
        with ours.allocation("a", 1) as allocated:
            self.assertFalse(allocated)


class ConfigurationTest(ManagerTest):
    def test_a_change_is_told_to_the_library(self):
        library, ours = self.machine(FakeGpu())
        self.assertIs(ours.update_config({"temp_throttle": 80, "memory_limit_mb": 7168}), True)
        self.assertEqual(library.configured, [{"temp_throttle": 80, "memory_limit_mb": 7168}])
        self.assertEqual((ours.config["temp_throttle"], ours.config["memory_limit_mb"]), (80, 7168))
        self.assertEqual(ours.get_gpu_status()["thresholds"]["temp_throttle"], 80)

    def test_a_value_that_cannot_be_changes_nothing(self):
        library, ours = self.machine(FakeGpu())
        library.failures["gk_configure"] = (1, "temp_throttle: 10 °C is below temp_normal, which is 75 °C")
        with self.assertLogs("gpu_manager", "ERROR") as logged:
            self.assertIs(ours.update_config({"temp_throttle": 10, "history_size": 10}), False)
        self.assertEqual(logged.records[0].getMessage(),
                         "Failed to update GPU config: temp_throttle: 10 °C is below temp_normal, which is 75 °C")
        self.assertEqual((ours.config["temp_throttle"], ours.config["history_size"]), (85, 200))

    def test_what_is_no_number_is_refused_before_the_library_hears_of_it(self):
        library, ours = self.machine(FakeGpu())
        for value in (None, True, [1], {}):
            with self.subTest(value=value), self.assertLogs("gpu_manager", "ERROR"):
                self.assertIs(ours.update_config({"temp_throttle": value}), False)
        self.assertEqual(library.configured, [])
        with self.assertLogs("gpu_manager", "ERROR"):
            self.assertIs(ours.update_config({"temp_throttle": math.nan}), False)  # no JSON

    def test_what_is_no_dictionary_is_false(self):
        _, ours = self.machine(FakeGpu())
        for updates in (None, 5, ["temp_throttle"]):
            with self.assertLogs("gpu_manager", "ERROR"):
                self.assertIs(ours.update_config(updates), False)

    def test_unknown_keys_are_left_out_and_logged(self):
        library, ours = self.machine(FakeGpu())
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            self.assertIs(ours.update_config({"colour": "red"}), True)
        self.assertEqual((logged.records[0].getMessage(), logged.records[0].keys),
                         ("Unknown keys of the GPU config are ignored", "['colour']"))
        self.assertNotIn("colour", ours.config)
        self.assertEqual(library.configured, [])

    def test_what_is_written_into_the_dictionary_is_told_too(self):
        library, ours = self.machine(FakeGpu())
        ours.config["temp_throttle"] = 80
        ours._determine_gpu_state(80, 50, 0)
        self.assertEqual(library.configured, [{"temp_throttle": 80}])

    def test_the_machines_configuration_is_where_it_begins(self):
        library = FakeLibrary(FakeGpu()).install(self)
        library.answer = lambda *_: {"keys": [{"key": "temp_throttle", "value": 82.0}, {"key": "other", "value": 1}]}
        ours = GPUManager()
        self.assertEqual((ours.config["temp_throttle"], len(ours.config)), (82, 13))


class SingletonTest(ManagerTest):
    def setUp(self):
        super().setUp()
        FakeLibrary(FakeGpu(70.0, "normal")).install(self)
        before, manager._manager = manager._manager, None
        self.addCleanup(setattr, manager, "_manager", before)

    def test_a_hundred_threads_get_one(self):
        found, barrier = [], threading.Barrier(100)

        def ask():
            barrier.wait()
            found.append(get_gpu_manager())

        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({id(each) for each in found}), 1)
        self.assertEqual(len(found), 100)

    def test_the_dashboard_has_eight_keys(self):
        data = get_gpu_dashboard_data()
        self.assertEqual(data, {
            "available": True, "name": "Fake GPU", "temperature": 70.0, "temp_trend": "unknown", "memory_percent": 37.5,
            "state": "normal", "state_color": "blue", "throttling": False})
        with self.assertLogs("gpu_manager", "ERROR"):
            self.assertEqual(get_gpu_dashboard_data(9), {"available": False})

    def test_a_batch_is_scaled_and_waits_at_zero(self):
        self.assertEqual([scaled_batch_size(base) for base in (32, 1)], [25, 1])
        get_gpu_manager().current_state = GPUState.CRITICAL
        self.assertEqual(scaled_batch_size(32), 0)

    def test_everybody_who_is_asked_must_let_it_go_on(self):
        self.assertTrue(may_process(lambda: False))
        self.assertFalse(may_process(lambda: False, lambda: True))


if __name__ == "__main__":
    unittest.main()
