"""gpukeeper serve as tests of the database run it: over a simulated machine, ten readings a second."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from postgres_server import PATIENCE, wait_for

BINARY, SOURCE_DIR = sys.argv[1], sys.argv[2]
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
QUICK = ("sample_interval=0.1", "database.interval=0.1", "database.timeout=1")


def clean_environment(**more):
    """Without what is set on this machine."""
    everything = {k: v for k, v in os.environ.items() if k in KEPT}
    everything.update(XDG_CONFIG_HOME="/nowhere", XDG_RUNTIME_DIR="/nowhere", **more)
    return everything


class Daemon:
    """gpukeeper serve over two simulated GPUs. `prepare` is given its state directory before it is begun."""

    def __init__(self, url, *settings, environment=None, scenario="two-gpus.yaml", prepare=None):
        self.folder = tempfile.TemporaryDirectory()
        if prepare:
            prepare(os.path.join(self.folder.name, "state"))
        self.socket = os.path.join(self.folder.name, "gk.sock")
        self.log = os.path.join(self.folder.name, "log")
        words = [word for setting in (*QUICK, *([f"database.url={url}"] if url else []), *settings)
                 for word in ("--set", setting)]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--source", "simulated:" + os.path.join(SOURCE_DIR, "examples/scenarios", scenario),
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
        found = re.search(rf'^gpukeeper_export_{name}{{export="database"}} (\S+)$', text, re.M)
        if not found:
            raise AssertionError(f"{status}: no gpukeeper_export_{name} in {text[:500]}")
        return float(found.group(1))

    def reasons(self):
        return json.loads(self.get("/health")[1])["reasons"]

    def until_arrived(self, rows):
        wait_for(f"{rows} rows have arrived", lambda: self.metric("sent_total") >= rows)

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
