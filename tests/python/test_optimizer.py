#!/usr/bin/python3
"""The documented optimizer: its shapes, what its attributes do, and that it invents nothing."""
import asyncio
import math
import threading
import time
import unittest

import support
from fake_library import FakeGpu, FakeLibrary
from gpukeeper import GPUResourceOptimizer, Monitor, operation, record_operation

REPORT = {
    "returned_bytes": 3 << 20, "devices": [{"id": "GPU-1", "index": 0}], "advice": [{"recommendation": "end pid 7"}],
    "steps": [
        {"step": "reap", "type": "stale_reclaim", "holders": []},
        {"step": "ask", "type": "cache_trim", "holders": [
            {"device": "GPU-1", "problem": None, "returned_bytes": 2 << 20}, {"device": "GPU-1", "problem": None, "returned_bytes": 1 << 20},
            {"device": "GPU-1", "problem": "it refused", "returned_bytes": None}]}]}


def run(coroutine):
    return asyncio.run(coroutine)


class OptimizerTest(unittest.TestCase):
    def machine(self, *gpus):
        self.library = FakeLibrary(*gpus).install(self)
        self.library.answer = lambda method, target, body: REPORT if target == "/api/v1/reclaim" else {"ended": 1, "leases": [
            {"service": "embedding-service", "index": 0, "created": "2023-11-14T22:13:20.000Z", "min_bytes": 4096 << 20, "id": "7", "state": "active"},
            {"service": "gone", "index": 0, "created": "2023-11-14T22:13:20.000Z", "min_bytes": 1, "id": "8", "state": "ended"}]}
        return GPUResourceOptimizer(Monitor())

    def test_the_documented_attributes_have_the_documented_defaults(self):
        ours = self.machine()
        self.assertEqual((ours.memory_optimizer.memory_threshold, ours.memory_optimizer.optimization_interval), (0.85, 300))
        self.assertEqual((ours.allocation_manager.allocation_timeout, ours.allocation_manager.deallocation_timeout), (30, 10))
        self.assertEqual((ours.monitor.update_interval, ours.monitor.metrics_retention), (30, 3600))

    def test_what_is_said_of_a_gpu(self):
        ours = self.machine(FakeGpu(71.9, memory_busy_percent=7.0))
        self.assertEqual(ours.monitor.get_gpu_info(0), {
            "device_id": 0, "name": "Fake GPU", "uuid": "GPU-1", "memory_total_mb": 8192, "memory_used_mb": 3072,
            "memory_free_mb": 5120, "memory_utilization_percent": 37, "memory_controller_percent": 7,
            "gpu_utilization_percent": 40, "temperature_celsius": 71, "power_usage_watts": 120, "graphics_clock_mhz": 1500,
            "memory_clock_mhz": 7000})
        self.assertEqual(ours.monitor.device_count, 1)

    def test_what_a_gpu_does_not_report_is_none_and_hides_nothing(self):
        ours = self.machine(FakeGpu(math.nan, power_watts=math.nan))
        info = ours.monitor.get_gpu_info(0)
        self.assertEqual((info["temperature_celsius"], info["power_usage_watts"], info["memory_used_mb"]), (None, None, 3072))

    def test_a_gpu_that_there_is_not_is_empty(self):
        ours = self.machine(FakeGpu())
        self.assertEqual([ours.monitor.get_gpu_info(index) for index in (-1, 1, "0", None)], [{}] * 4)
        self.library.gpus[0].values["available"] = 0
        self.assertEqual(ours.monitor.get_all_gpu_info(), [])

    def test_without_the_library_there_are_no_gpus_and_the_log_says_why(self):
        done = support.run_python(
            "import gpukeeper\no = gpukeeper.GPUResourceOptimizer()\nprint(o.monitor.device_count, o.monitor.get_all_gpu_info())",
            GPUKEEPER_LIBRARY="/nowhere/x.so")
        self.assertEqual(done.stdout, "0 []\n")
        self.assertIn("the GPUs cannot be looked at: libgpukeeper cannot be loaded", done.stderr)

    def test_freed_is_what_was_measured(self):
        ours = self.machine(FakeGpu())
        ours.memory_optimizer.memory_threshold = 0.8
        result = run(ours.memory_optimizer.optimize_memory_usage("embedding-service"))
        self.assertAlmostEqual(result.pop("timestamp"), time.time(), delta=60)
        self.assertEqual(result, {
            "service_name": "embedding-service", "memory_freed_mb": 3, "recommendations": ["end pid 7"],
            "optimizations_applied": [{"device_id": 0, "memory_freed_mb": 3, "optimization_type": "cache_trim"}]})
        self.assertEqual(self.library.configured, [{"reclaim": {"memory_threshold": 0.8}}])
        self.assertIn(("POST", "/api/v1/reclaim", {"service": "embedding-service"}), self.library.calls)

    def test_the_report_is_a_ratio_of_sums_and_names_the_fullest(self):
        ours = self.machine(FakeGpu(), FakeGpu(memory_used_bytes=8192 << 20, memory_percent=100.0))
        report = ours.memory_optimizer.get_memory_usage_report()
        report.pop("timestamp")
        gpus = report.pop("gpus")
        self.assertEqual(report, {"total_memory_mb": 16384, "total_used_mb": 11264, "total_free_mb": 5120,
                                  "average_utilization_percent": 68.75, "max_utilization_percent": 100})
        self.assertNotIn("uuid", gpus[0])
        self.library.gpus.clear()
        self.assertEqual(ours.memory_optimizer.get_memory_usage_report()["average_utilization_percent"], 0)

    def test_allocations_are_those_of_the_ledger(self):
        ours = self.machine(FakeGpu())
        record = {"service_name": "embedding-service", "device_id": 0, "allocated_at": 1700000000.0, "required_memory_mb": 4096,
                  "allocation_id": "7"}
        self.assertEqual(ours.allocation_manager.get_allocation_status(), {"total_allocations": 1, "allocations": [record]})
        self.assertEqual(ours.allocation_manager.allocations, {"embedding-service_7": record})
        status = ours.get_optimization_status()
        self.assertEqual(sorted(status), ["allocation_status", "gpu_info", "memory_report", "running"])
        self.assertIs(status["running"], False)

    def lease(self, **more):
        class Lease:
            device, fell_back, released = 1, False, False

            def release(self):
                self.released = True

        lease = Lease()
        for name, value in more.items():
            setattr(lease, name, value)
        return lease

    def test_an_allocation_names_its_gpu(self):
        ours = self.machine(FakeGpu())
        asked = []
        ours.monitor.gpus.lease = lambda size, **terms: asked.append((size, terms)) or self.lease()
        device = run(ours.allocation_manager.allocate_gpu("embedding-service", required_memory_mb=4096, preferred_device_id=1))
        self.assertEqual(device, 1)
        self.assertEqual(asked, [(4096 << 20, {"service": "embedding-service", "device": 1, "exclusive": False,
                                               "require_device": False, "wait": 0})])
        ours.allocation_manager.allocation_timeout = 7
        run(ours.allocation_manager.allocate_gpu("a", 1, wait=True))
        self.assertEqual(asked[1][1]["wait"], 7)

    def test_a_preference_that_fell_back_says_so(self):
        ours = self.machine(FakeGpu())
        ours.monitor.gpus.lease = lambda size, **terms: self.lease(fell_back=True)
        with self.assertLogs("gpukeeper.optimizer", "WARNING") as logged:
            run(ours.allocation_manager.allocate_gpu("a", 1, preferred_device_id=0))
        self.assertEqual(logged.records[0].getMessage(), "GPU 0 has no room for a, which got GPU 1")

    def test_where_nothing_fits_it_is_none_and_the_log_says_why(self):
        ours = self.machine(FakeGpu())
        self.library.failures["gk_allocate"] = (3, "a asks for 9 MiB, and no GPU has that")
        with self.assertLogs("gpukeeper.optimizer", "WARNING") as logged:
            self.assertIsNone(run(ours.allocation_manager.allocate_gpu("a", 9)))
            self.assertIsNone(run(ours.allocation_manager.allocate_gpu("a", 9, preferred_device_id=-1)))
            self.assertIsNone(run(ours.allocation_manager.allocate_gpu("a", 0)))
        self.assertEqual([record.getMessage() for record in logged.records], [
            "no GPU for a: a asks for 9 MiB, and no GPU has that", "no GPU for a: there is no GPU -1: indices begin at 0",
            "no GPU for a: 0 is no size: it must be above 0 and at most 4 EiB"])

    def test_an_allocation_that_takes_too_long_is_none_and_given_back(self):
        ours = self.machine(FakeGpu())
        go, lease = threading.Event(), self.lease()
        ours.monitor.gpus.lease = lambda size, **terms: go.wait(support.PATIENCE) and lease
        ours.allocation_manager.allocation_timeout = 0.05

        async def work():
            device = await ours.allocation_manager.allocate_gpu("a", 1)
            go.set()
            while not lease.released:
                await asyncio.sleep(0.01)
            return device

        self.assertIsNone(run(work()))

    def test_giving_back_takes_all_of_the_service_on_the_gpu(self):
        ours = self.machine(FakeGpu())
        self.assertIs(run(ours.allocation_manager.deallocate_gpu("a b", 0)), True)
        self.assertIn(("DELETE", "/api/v1/leases?service=a+b&device=0", None), self.library.calls)
        self.library.failures["gk_ask"] = (2, "there is no GPU '9'")
        with self.assertLogs("gpukeeper.optimizer", "WARNING"):
            self.assertIs(run(ours.allocation_manager.deallocate_gpu("a", 9)), False)

    def test_metrics_get_the_services_name_and_are_remembered_for_a_while(self):
        ours = self.machine(FakeGpu())
        ours.monitor.update_metrics("embedding-service")
        self.assertEqual(self.library.configured, [{"metrics": {"service_name": "embedding-service"}}])
        self.assertEqual([each[0]["device_id"] for each in ours.monitor.history()], [0])
        ours.monitor.metrics_retention = -1
        self.assertEqual(ours.monitor.history(), [])

    def test_the_loop_asks_only_where_a_gpu_is_above_the_threshold_and_stops_at_once(self):
        for percent, asked in ((37.5, 0), (90.0, 1)):
            ours = self.machine(FakeGpu(memory_percent=percent), FakeGpu(memory_percent=1.0))
            ours.monitor.update_interval = 0.01

            async def work():
                task = asyncio.create_task(ours.start_optimization_loop(interval=300))
                while len(ours.monitor.history()) < 3:
                    await asyncio.sleep(0.01)
                self.assertTrue(ours.running)
                with self.assertRaisesRegex(RuntimeError, "the optimization loop runs already"):
                    await ours.start_optimization_loop()
                begin = time.monotonic()
                await asyncio.get_running_loop().run_in_executor(None, ours.stop_optimization_loop)
                await task
                return time.monotonic() - begin

            self.assertLess(run(work()), 5)
            self.assertFalse(ours.running)
            self.assertEqual(sum(call == ("POST", "/api/v1/reclaim", {}) for call in self.library.calls), asked)

    def test_a_round_that_fails_ends_no_loop(self):
        ours = self.machine(FakeGpu(memory_percent=99.0))
        self.library.failures["gk_ask"] = (6, "the ledger is locked")
        with self.assertLogs("gpukeeper.optimizer", "WARNING") as logged:
            ours._round()
        self.assertEqual(logged.records[0].getMessage(), "a round of the optimization loop failed: the ledger is locked")


class OperationTest(unittest.TestCase):
    def setUp(self):
        self.library = FakeLibrary(FakeGpu()).install(self)
        self.library.answer = lambda *_: {"taken": 1}
        self.monitor = Monitor()

    def asked(self):
        return [call for call in self.library.calls if isinstance(call, tuple)]

    def test_an_operation_is_told_for_the_metrics(self):
        record_operation("embedding", "inference", device=0, count=32, seconds=0.012, to=self.monitor)
        record_operation("embedding", "load", to=self.monitor)
        self.assertEqual(self.asked(), [
            ("POST", "/api/v1/operations", {"service": "embedding", "operation": "inference", "device": "0", "count": 32, "seconds": 0.012}),
            ("POST", "/api/v1/operations", {"service": "embedding", "operation": "load", "count": 1})])

    def test_what_is_inside_a_with_is_measured_each(self):
        with operation("embedding", "inference", count=4, to=self.monitor):
            time.sleep(0.02)
        body = self.asked()[0][2]
        self.assertEqual((body["operation"], body["count"]), ("inference", 4))
        self.assertTrue(0.005 <= body["seconds"] < 5)

    def test_what_raises_is_not_counted(self):
        with self.assertRaises(ZeroDivisionError), operation("embedding", "inference", to=self.monitor):
            1 / 0
        self.assertEqual(self.asked(), [])

    def test_what_cannot_be_recorded_is_no_error_of_the_work(self):
        self.library.failures["gk_ask"] = (1, "operation takes a text of 1 to 256 bytes")
        with self.assertLogs("gpukeeper", "WARNING") as logged, operation("embedding", "", to=self.monitor):
            pass
        self.assertEqual(logged.records[0].getMessage(), "an operation was not recorded: operation takes a text of 1 to 256 bytes")


@support.needs_library
class LibraryTest(unittest.TestCase):
    def test_the_documented_steps_over_the_library(self):
        monitor = Monitor(support.machine(50, 50), ledger="memory")
        self.addCleanup(monitor.close)
        ours = GPUResourceOptimizer(monitor)

        async def work():
            spread = [await ours.allocation_manager.allocate_gpu("embedding-service", required_memory_mb=1024) for _ in range(4)]
            self.assertEqual(sorted(spread), [0, 0, 1, 1])
            device = await ours.allocation_manager.allocate_gpu("service-name", required_memory_mb=512, preferred_device_id=0)
            self.assertEqual(device, 0)
            self.assertEqual(ours.allocation_manager.get_allocation_status()["total_allocations"], 5)
            self.assertTrue(await ours.allocation_manager.deallocate_gpu("embedding-service", 0))
            self.assertFalse(await ours.allocation_manager.deallocate_gpu("embedding-service", 0))
            self.assertEqual(len(ours.allocation_manager.allocations), 3)
            results = await ours.memory_optimizer.optimize_memory_usage("embedding-service")
            self.assertEqual((results["memory_freed_mb"], results["optimizations_applied"]), (0, []))
            record_operation("embedding-service", "inference", device=0, count=3, seconds=0.5, to=monitor)
            self.assertIn('gpu_throughput_ops_total{device_id="0",service_name="embedding-service",operation_type="inference"} 3',
                          monitor.metrics(["documented"]).splitlines())
            ours.monitor.update_metrics("service-name")
            metrics = ours.monitor.metrics().splitlines()
            self.assertIn('gpu_temperature_celsius{device_id="0",service_name="service-name"} 50', metrics)

        run(work())


if __name__ == "__main__":
    unittest.main()
