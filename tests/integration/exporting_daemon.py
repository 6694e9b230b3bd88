"""A gpukeeper serve that takes its readings somewhere: over a simulated machine, asked over its unix socket."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = 60  # seconds; the machine may be busy, under a sanitizer
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


def wait_for(what, condition, patience=PATIENCE):
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not in time: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(**more):
    """Without what is set on this machine."""
    everything = {k: v for k, v in os.environ.items() if k in KEPT}
    everything.update(XDG_CONFIG_HOME="/nowhere", XDG_RUNTIME_DIR="/nowhere", **more)
    return everything


class ExportingDaemon:
    """`export` is the place as the metrics name it. `prepare` is given the state directory before it is begun."""

    def __init__(self, binary, source_dir, export, settings, environment=None, scenario="two-gpus.yaml", prepare=None):
        self.export = export
        self.folder = tempfile.TemporaryDirectory()
        if prepare:
            prepare(os.path.join(self.folder.name, "state"))
        self.socket = os.path.join(self.folder.name, "gk.sock")
        self.log = os.path.join(self.folder.name, "log")
        words = [word for setting in settings for word in ("--set", setting)]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--source", "simulated:" + os.path.join(source_dir, "examples/scenarios", scenario),
                 "--state-dir", os.path.join(self.folder.name, "state"), "--listen", "unix:" + self.socket, *words],
                stderr=log, stdout=subprocess.DEVNULL, env=clean_environment(**(environment or {})))
        wait_for("it answers", lambda: self.process.poll() is not None or self.is_ready())
        if self.process.poll() is not None:
            raise AssertionError(self.said())

    def is_ready(self):
        try:
            return self.get("/ready")[0] == 200
        except OSError:
            return False

    def said(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def get(self, target):
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        try:
            connection.sock.connect(self.socket)
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name):
        status, text = self.get("/metrics")
        found = re.search(rf'^gpukeeper_export_{name}{{export="{self.export}"}} (\S+)$', text, re.M)
        if not found:
            raise AssertionError(f"{status}: no gpukeeper_export_{name} in {text[:500]}")
        return float(found.group(1))

    def reasons(self):
        return json.loads(self.get("/health")[1])["reasons"]

    def stop(self):
        """How long it took."""
        if self.process.poll() is not None:
            return 0
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        return time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()
