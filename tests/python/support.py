"""What the tests of the Python packages share: where things are, simulated machines, and waiting without sleeping long.

CMake sets GPUKEEPER_LIBRARY and GPUKEEPER_BINARY; run by hand, both are looked for in build/.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = os.path.join(ROOT, "python")
sys.path.insert(0, PYTHON)

LIBRARY = os.environ.get("GPUKEEPER_LIBRARY") or os.path.join(ROOT, "build", "libgpukeeper.so.0")
BINARY = os.environ.get("GPUKEEPER_BINARY") or os.path.join(ROOT, "build", "gpukeeper")
FAKE_NVML_RUN = os.environ.get("GPUKEEPER_FAKE_NVML_RUN") or os.path.join(ROOT, "build/fakes/nvml/fake_nvml_run")
TWO_GPUS = "simulated:" + os.path.join(ROOT, "examples/scenarios/two-gpus.yaml")
PATIENCE = 60  # seconds; the machine may be busy, under a sanitizer
COUNT = int(os.environ.get("GPUKEEPER_MANAGERS", "200"))  # how many are made and let go; 10,000 with ./test --thorough
SKIP = 77  # as CTest has it

# Nothing of this machine: no daemon, no configuration, no ledger of its own.
_folder = tempfile.TemporaryDirectory(prefix="gpukeeper-test-")
for _name in ("GPUKEEPER_SOURCE", "GPUKEEPER_HOST", "GPUKEEPER_DAEMON", "GPUKEEPER_TOKEN", "GPUKEEPER_LEDGER"):
    os.environ.pop(_name, None)
os.environ.update(
    XDG_CONFIG_HOME="/nowhere", XDG_RUNTIME_DIR="/nowhere", STATE_DIRECTORY=os.path.join(_folder.name, "state"),
    GPUKEEPER_LIBRARY=LIBRARY)
os.makedirs(os.environ["STATE_DIRECTORY"])


def needs_library(test):
    return unittest.skipUnless(os.path.exists(LIBRARY), f"{LIBRARY} is not built")(test)


def needs_binary(test):
    return unittest.skipUnless(os.path.exists(BINARY), f"{BINARY} is not built")(test)


def machine(*temperatures, memory="8GiB", used="1GiB", processes=True, pid=4242):
    """A file for --source: a simulated GPU for each temperature (a number, or points of time and temperature)."""
    lines = ["name: Test", "devices:"]
    for index, temperature in enumerate(temperatures):
        if isinstance(temperature, (list, tuple)):
            points = ", ".join(f"[{at}s, {celsius}]" for at, celsius in temperature)
            temperature = "{points: [" + points + "]}"
        lines += [
            f"  - name: Test GPU {index}", "    vendor: nvidia", f"    pci_address: 0000:0{index + 1}:00.0",
            f"    memory: {memory}", "    metrics:", f"      temperature_celsius: {temperature}",
        ]
        if processes:
            lines += ["    processes:", f"      - {{name: worker, pid: {pid}, memory: {used}, utilization: 50}}"]
    path = os.path.join(_folder.name, f"machine-{time.monotonic_ns()}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return "simulated:" + path


def folder():
    """A new one, that goes with the tests."""
    return tempfile.mkdtemp(dir=_folder.name)


def eventually(condition, what, patience=PATIENCE):
    """Waits until condition() is true, and returns what it returned."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {patience} s")


def run_python(code, **environment):
    """A program in an interpreter of its own; returns the finished process."""
    everything = {**os.environ, "PYTHONPATH": PYTHON, **environment}
    return subprocess.run(
        [sys.executable, "-c", code], env={k: v for k, v in everything.items() if v is not None},
        capture_output=True, text=True, timeout=PATIENCE * 2, check=False)


class Daemon:
    """`gpukeeper serve` of a simulated machine, over a unix socket in a folder of its own."""

    def __init__(self, source=TWO_GPUS, *options, runner=()):
        self.folder = folder()
        self.socket = os.path.join(self.folder, "gk.sock")
        self.host = "unix:" + self.socket
        self.state = os.path.join(self.folder, "state")
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        environment = {**os.environ, "STATE_DIRECTORY": self.state}
        os.makedirs(self.state)
        self.process = subprocess.Popen(
            [*runner, BINARY, "serve", "--source", source, "--listen", self.host, *options],
            env=environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            eventually(self._answers, "the daemon answers")
        except BaseException:
            self.close()
            raise

    def _answers(self):
        from gpukeeper import Client, GpukeeperError

        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError("the daemon ended: " + self.log.read())
        try:
            return Client(self.host).health()["status"] == "healthy"
        except GpukeeperError:
            return False

    def close(self):
        """Ends it, and the runner that it is a child of."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE)
        self.log.close()
