"""A gpukeeper serve that pushes metrics, and a receiver that answers what it is told."""
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

PATIENCE = 60  # seconds; the machine may be busy, under a sanitizer
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not in time: {what}")
        time.sleep(0.05)


class Daemon:
    """One that pushes each second, by the section of that name."""

    def __init__(self, binary, source_dir, section, url, *settings):
        self.section = section
        self.folder = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.folder.name, "gk.sock")
        self.log = os.path.join(self.folder.name, "log")
        environment = {k: v for k, v in os.environ.items() if k in KEPT}
        environment.update(XDG_CONFIG_HOME="/nowhere", XDG_RUNTIME_DIR="/nowhere")
        words = [word for setting in (f"{section}.url={url}", f"{section}.interval=1", *settings) for word in ("--set", setting)]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--source", "simulated:" + os.path.join(source_dir, "examples/scenarios/two-gpus.yaml"),
                 "--state-dir", os.path.join(self.folder.name, "state"), "--listen", "unix:" + self.socket, *words],
                stderr=log, stdout=subprocess.DEVNULL, env=environment)
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
        found = re.search(rf'^gpukeeper_export_{name}{{export="{self.section}"}} (\S+)$', text, re.M)
        if not found:
            raise AssertionError(f"{status}: no gpukeeper_export_{name} in {text[:500]}")
        return float(found.group(1))

    def reasons(self):
        return json.loads(self.get("/health")[1])["reasons"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.folder.cleanup()


@dataclass
class Request:
    at: float
    path: str
    headers: dict
    body: bytes


class Receiver:
    """Keeps what is posted to it, and answers all of it alike."""

    def __init__(self):
        self.requests = []
        self._answer = (200, {}, b"")
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append(Request(time.monotonic(), self.path, dict(self.headers), body))
                status, headers, text = receiver._answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def url(self, path="/api/v1/write"):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def answer(self, status, headers=None, text=b""):
        self._answer = (status, headers or {}, text)

    def wait_for_requests(self, count):
        wait_for(f"{count} requests", lambda: len(self.requests) >= count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE)
