#!/usr/bin/python3
"""The Python of the source documents, extracted from them, runs unchanged on simulated GPUs.

A snippet that goes on from another has its names; what the documents leave to their reader (`photos`, `process_photo`,
`app`) is given below. Nobody waits for the documents' sleeps: `time.sleep` returns at once here.
"""
import asyncio
import contextlib
import io
import os
import re
import sys
import types
import unittest
from unittest import mock

import support

DOCUMENTS = os.path.join(support.HERE, "documents")


def snippets(name):
    """Each ```python block of a document, with the line on which it begins; indented ones of lists moved out."""
    with open(os.path.join(DOCUMENTS, name), encoding="utf-8") as file:
        text = file.read()
    for match in re.finditer(r"^( *)```python\n(.*?)^\1```", text, re.S | re.M):
        indent = match.group(1)
        code = "".join(line[len(indent):] if line.startswith(indent) else line for line in match.group(2).splitlines(True))
        yield text[: match.start()].count("\n") + 2, code


@support.needs_library
class DocumentsTest(unittest.TestCase):
    def setUp(self):
        os.environ["GPUKEEPER_SOURCE"] = support.machine(50, memory="24GiB", used="3GiB")
        os.environ["GPUKEEPER_LEDGER"] = "memory"
        self.addCleanup(os.environ.pop, "GPUKEEPER_SOURCE")
        self.addCleanup(os.environ.pop, "GPUKEEPER_LEDGER")
        from gpu_manager import manager

        before, manager._manager = manager._manager, None
        self.addCleanup(setattr, manager, "_manager", before)
        self.addCleanup(lambda: manager._manager and manager._manager.stop_monitoring())

    def reader(self):
        """What the documents take for granted that their reader has."""
        resource_manager = types.ModuleType("resource_manager")
        resource_manager.get_resource_manager = lambda: types.SimpleNamespace(should_throttle_processing=lambda: False)
        sys.modules["resource_manager"] = resource_manager
        self.addCleanup(sys.modules.pop, "resource_manager")
        done = []
        # `time` is imported by none of them.
        time = types.SimpleNamespace(sleep=lambda seconds: done.append(seconds))
        app = types.SimpleNamespace(route=lambda path: lambda function: function)
        return {
            "time": time, "base_batch_size": 8, "batch_size": 8, "image": "image", "photos": ["a", "b"], "app": app,
            "process_with_llm": lambda *args: done.append(args), "process_photo": done.append, "jsonify": dict,
            "process_with_gpu": lambda job: job, "get_cpu_status": dict, "get_memory_status": dict,
            "pause_all_processing": lambda: done.append("paused"), "done": done}

    def run_all(self, name, names, skip=()):
        count = 0
        for line, code in snippets(name):
            if line in skip:
                continue
            count += 1
            with self.subTest(f"{name}:{line}"), contextlib.redirect_stdout(io.StringIO()) as said:
                with mock.patch("time.sleep", lambda seconds: None):
                    exec(compile(code, f"{name}:{line}", "exec"), names)
            names["said"] = names.get("said", "") + said.getvalue()
        return count

    def test_the_quick_start(self):
        names = self.reader()
        self.assertEqual(self.run_all("quick_start.md", names), 17)
        self.assertIn("GPU: Test GPU 0\nTemperature: 50.0°C\n", names["said"])
        self.assertIn("Memory allocated successfully\nAvailable: 4096MB\n", names["said"])
        self.assertIn("Trend: stable", names["said"])
        names["process_photos_with_gpu_management"](["a photo"])
        self.assertIn("a photo", names["done"])
        data = names["get_gpu_dashboard_data"]()
        self.assertEqual((data["available"], data["state_color"], data["throttling"]), (True, "green", False))

    def test_the_completion_summary(self):
        names = self.reader()
        from gpu_manager import get_gpu_manager
        names["gpu_manager"] = get_gpu_manager()
        self.assertEqual(self.run_all("completion_summary.md", names), 11)
        self.assertTrue(names["should_process"]())
        job = types.SimpleNamespace(batch_size=8)
        self.assertIs(names["process_job"](job), job)
        self.assertEqual(names["get_system_status"]()["gpu"]["available"], True)

    def test_the_resource_optimization_guide(self):
        # Its import names the repository that it was written for; here the class is gpukeeper's.
        parts, path = "src.Medical_KG_rev.services.optimization.gpu_resource_optimizer".split("."), ""
        from gpukeeper import GPUResourceOptimizer, Monitor

        for part in parts:
            path = f"{path}.{part}" if path else part
            sys.modules[path] = types.ModuleType(path)
            self.addCleanup(sys.modules.pop, path)
        monitor = Monitor(ledger="memory")
        self.addCleanup(monitor.close)
        sys.modules[path].GPUResourceOptimizer = lambda: names.setdefault("made", GPUResourceOptimizer(monitor))
        names, count = {}, 0
        for line, code in snippets("resource_optimization.md"):
            count += 1
            body = "".join("    " + part for part in code.splitlines(True))
            source = f"async def snippet():\n    global optimizer, status, results, device_id\n{body}"
            with self.subTest(f"resource_optimization.md:{line}"):
                exec(compile(source, f"resource_optimization.md:{line}", "exec"), names)
                asyncio.run(self.until_it_loops(names["snippet"](), names))
        self.assertEqual(count, 4)
        self.assertEqual(names["device_id"], 0)
        self.assertEqual(names["results"]["memory_freed_mb"], 0)
        optimizer = names["optimizer"]
        self.assertEqual((optimizer.memory_optimizer.memory_threshold, optimizer.monitor.update_interval), (0.80, 30))
        self.assertEqual(optimizer.allocation_manager.get_allocation_status()["total_allocations"], 2)

    @staticmethod
    async def until_it_loops(snippet, names):
        """One of them goes on until somebody stops it."""
        task = asyncio.create_task(snippet)
        while not task.done():
            if "made" in names and names["made"].running:
                names["made"].stop_optimization_loop()
            await asyncio.sleep(0.05)
        await task


if __name__ == "__main__":
    unittest.main()
