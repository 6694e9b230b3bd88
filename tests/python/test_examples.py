#!/usr/bin/python3
"""Every Python example runs, on simulated GPUs, and says what it is there to show."""
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
import urllib.request

import support

EXAMPLES = os.path.join(support.ROOT, "examples/python")


@support.needs_library
class ExamplesTest(unittest.TestCase):
    def run_(self, name, *words, source=support.TWO_GPUS, **more):
        environment = {**os.environ, "PYTHONPATH": support.PYTHON, "STATE_DIRECTORY": support.folder(), **more}
        environment["GPUKEEPER_SOURCE"] = source
        done = subprocess.run([sys.executable, os.path.join(EXAMPLES, name), *words], env=environment, capture_output=True,
                              text=True, timeout=support.PATIENCE * 2, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_every_example_stands_in_the_list_and_is_tested_here(self):
        programs = sorted(name for name in os.listdir(EXAMPLES) if name.endswith(".py"))
        with open(os.path.join(EXAMPLES, "README.md"), encoding="utf-8") as file:
            self.assertEqual(sorted(re.findall(r"^\| `(\w+\.py)`", file.read(), re.M)), programs)
        with open(__file__, encoding="utf-8") as file:
            here = file.read()
        for name in programs:
            self.assertIn(f'"{name}"', here)

    def test_the_eight_parts_of_the_gpu_manager(self):
        said = self.run_("gpu_usage.py", "0.3")
        self.assertEqual(re.findall(r"^\d\. (.*)$", said, re.M), [
            "basic status", "memory allocation", "temperature", "throttling", "callbacks", "several gpus", "history", "configuration"])
        self.assertIn("with the model loaded: 5120 MiB, 1 allocations\nand without it: 6144 MiB\n", said)
        self.assertIn("set to 82: True\nset to 10, which cannot be: False\n", said)
        self.assertTrue(said.endswith("All examples completed successfully!\n"))
        empty = os.path.join(support.folder(), "none.yaml")
        with open(empty, "w", encoding="utf-8") as file:
            file.write("name: None\ndevices: []\n")
        self.assertIn("there is no GPU", self.run_("gpu_usage.py", source="simulated:" + empty))

    def test_batches_follow_the_heat(self):
        for temperature, sizes in ((50, "32, 32, 32, 4"), (70, "25, 25, 25, 25"), (80, "16, 16, 16, 16, 16, 16, 4")):
            self.assertEqual(self.run_("job_queue.py", source=support.machine(temperature)), f"100 jobs in batches of {sizes}\n")

    def test_work_waits_for_everybody(self):
        self.assertIn("work may go on: False", self.run_("resource_manager.py", source=support.machine(80)))

    def test_the_dashboard_prints_a_line_a_second(self):
        lines = self.run_("dashboard.py", "2").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertEqual([gpu["name"] for gpu in json.loads(lines[1])], ["NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4060"])

    def test_the_optimizer_allocates_and_gives_back(self):
        said = self.run_("async_optimizer.py")
        self.assertRegex(said, r"embedding-service is on GPU \d\nreranking-service is on GPU \d\n0 MiB came back, as the driver shows it\n")
        self.assertTrue(said.endswith("2 allocations\n"))

    def test_leases_are_booked_and_asked_back(self):
        said = self.run_("leases.py")
        self.assertRegex(said, r"^2048 MiB of GPU \d are ours; lease (\d+) asks us: \['\1'\]\nnow 1024 MiB\n$")

    def test_training_goes_on_and_finds_its_line(self):
        self.assertRegex(self.run_("training_callback.py", "100"), r"^y = (2\.9|3\.0)\d x -1\.0\d|-0\.9\d after 100 steps, loss 0\.0")

    def test_training_waits_while_the_gpu_is_critical_and_goes_on_smaller(self):
        hot = support.machine([(0, 50), (0.5, 50), (0.6, 95), (1.5, 95), (1.6, 72), (600, 72)])
        config = os.path.join(support.folder(), "gpukeeper.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("critical_pause_seconds: 1\nthrottle_cooldown_seconds: 0\nmonitor_interval: 100ms\nsample_interval: 100ms\n")
        said = self.train(hot, config)
        self.assertIn("alert: GPU 0 (Test GPU 0) is at 95 °C, the threshold is 83 °C", said)
        paused = float(re.search(r"paused for ([0-9.]+) s", said).group(1))
        self.assertGreater(paused, 0.5)
        self.assertIn("51, 64", said)

    def train(self, source, config):
        """Steps that take 20 ms each, so that the heat comes and goes meanwhile."""
        code = ("import runpy, sys, time, gpukeeper\n"
                "look = gpukeeper.GpuMonitorCallback.step\n"
                "gpukeeper.GpuMonitorCallback.step = lambda self: (time.sleep(0.02), look(self))[1]\n"
                f"sys.argv = ['training_callback.py', '150']\nrunpy.run_path({os.path.join(EXAMPLES, 'training_callback.py')!r}, run_name='__main__')")
        done = support.run_python(code, GPUKEEPER_SOURCE=source, GPUKEEPER_CONFIG=config)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @unittest.skipUnless(importlib.util.find_spec("flask"), "Flask is not installed (Debian: python3-flask)")
    def test_the_flask_application_answers(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {**os.environ, "PYTHONPATH": support.PYTHON, "GPUKEEPER_SOURCE": support.TWO_GPUS}
        server = subprocess.Popen([sys.executable, os.path.join(EXAMPLES, "flask_app.py"), str(port)], env=environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def ask(path):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                        return json.load(answer)
                except OSError:
                    return None

            document = support.eventually(lambda: ask("/api/system/status"), "it answers")
            self.assertEqual(sorted(document), ["cpu", "gpu", "memory"])
            self.assertEqual(ask("/api/gpu/status/all")["data"]["gpu_count"], 2)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(support.PATIENCE)


@support.needs_library
@unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not installed (Debian: python3-torch)")
class TorchTest(unittest.TestCase):
    def test_the_training_example_trains_with_pytorch(self):
        code = ("import sys, runpy\nsys.argv = ['x', '50']\n"
                f"runpy.run_path({os.path.join(EXAMPLES, 'training_callback.py')!r}, run_name='__main__')\nprint('torch' in sys.modules)")
        done = support.run_python(code, GPUKEEPER_SOURCE=support.TWO_GPUS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.endswith("\nTrue\n"))


@support.needs_binary
class CommandTest(unittest.TestCase):
    """scripts/optimize_gpu_resources.py, the documented command."""

    def run_(self, *words, **more):
        environment = {**os.environ, "GPUKEEPER_BINARY": support.BINARY, "GPUKEEPER_SOURCE": support.TWO_GPUS, **more}
        return subprocess.run([sys.executable, os.path.join(support.ROOT, "scripts/optimize_gpu_resources.py"), *words],
                              env=environment, capture_output=True, text=True, timeout=support.PATIENCE, check=False)

    def test_it_takes_the_documented_words(self):
        self.assertTrue(self.run_("status").stdout.startswith("=== GPU Resource Status ===\n\nGPU Devices:\n  GPU 0: NVIDIA GeForce RTX 4090\n"))
        said = self.run_("-v", "allocate", "embedding-service", "4096", "--device", "0").stdout
        self.assertEqual(said, "Allocating GPU for service: embedding-service\nRequired Memory: 4096MB\nPreferred Device: GPU 0\n"
                               "Successfully allocated GPU 0\n")
        self.assertIn("Successfully deallocated GPU", self.run_("deallocate", "embedding-service", "0").stdout)
        path = os.path.join(support.folder(), "status.json")
        self.assertEqual(self.run_("export", path).stdout, f"Exporting status to: {path}\nStatus exported successfully\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(sorted(json.load(file)), ["allocation_status", "gpu_info", "memory_report", "running"])
        self.assertIn("=== GPU Resource Report ===", self.run_("report").stdout)
        self.assertIn("Optimization Results:", self.run_("optimize", "embedding-service").stdout)

    def test_its_exit_status_is_the_commands(self):
        done = self.run_()
        self.assertEqual(done.returncode, 0)
        self.assertIn("usage: gpukeeper optimizer", done.stdout)
        self.assertEqual(self.run_("bogus").returncode, 2)
        self.assertEqual(self.run_("deallocate", "nobody", "0").returncode, 1)
        done = self.run_("status", GPUKEEPER_BINARY="/nowhere/gpukeeper")
        self.assertEqual((done.returncode, done.stderr), (
            1, "gpukeeper is neither built here (./run builds it) nor in $PATH; $GPUKEEPER_BINARY may name it\n"))


if __name__ == "__main__":
    unittest.main()
