"""A gpukeeper serve for tests of its interface, and what OpenAPI says of it."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

import jsonschema

PATIENCE = 60  # seconds; the machine may be busy, under a sanitizer
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Daemon:
    """One that serves two simulated GPUs, over a unix socket and over TCP."""

    def __init__(self, binary, source_dir):
        self.binary = binary
        self.folder = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.folder.name, "gk.sock")
        self.state = os.path.join(self.folder.name, "state")
        self.log = os.path.join(self.folder.name, "log")
        self.environment = {k: v for k, v in os.environ.items() if k in KEPT}
        self.environment.update(XDG_CONFIG_HOME="/nowhere", XDG_RUNTIME_DIR="/nowhere")
        scenario = os.path.join(source_dir, "examples/scenarios/two-gpus.yaml")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([binary, "serve", "--source", "simulated:" + scenario, "--state-dir", self.state,
                                             "--listen", "unix:" + self.socket, "--listen", "127.0.0.1:0"], stderr=log,
                                            stdout=subprocess.DEVNULL, env=self.environment)
        self.until("it answers", lambda: os.path.exists(self.socket) and self.ask("GET", "/ready")[0] == 200)
        self.port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", self.text()).group(1))

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def until(self, what, holds):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"in vain until {what}:\n{self.text()}")

    def connect(self, tcp=False):
        if tcp:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return UnixConnection(self.socket)

    def ask(self, method, target, body=None, headers=None, tcp=False):
        """The status, the headers and the body; a body that is no bytes goes as JSON."""
        connection = self.connect(tcp)
        try:
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def token(self, role):
        made = subprocess.run([self.binary, "token", "create", "--role", role, "--state-dir", self.state],
                              capture_output=True, check=True, env=self.environment)
        headers = {"Authorization": "Bearer " + made.stdout.decode().strip()}
        self.until("the token counts", lambda: self.ask("GET", "/health", headers=headers, tcp=True)[0] == 200)
        return headers

    def sockets(self):
        folder = f"/proc/{self.process.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            try:
                count += os.readlink(os.path.join(folder, name)).startswith("socket:")
            except OSError:
                pass
        return count

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.folder.cleanup()
        return status


class Interface:
    """What an OpenAPI document says."""

    def __init__(self, document):
        self.document = document
        self.operations = [(method.upper(), path, operation) for path, methods in document["paths"].items()
                           for method, operation in methods.items()]

    def validator(self, schema):
        return jsonschema.Draft202012Validator({**schema, "components": self.document["components"]})

    def response(self, operation, status):
        responses = operation["responses"]
        return responses.get(str(status)) or responses.get(f"{status // 100}XX")

    def mistake(self, operation, status, kind, body):
        """Why that is no answer of the operation; nothing where it is one."""
        told = self.response(operation, status)
        if told is None:
            return f"{status} is none of {sorted(operation['responses'])}"
        content = told.get("content", {})
        if not content:
            return f"a body where there is to be none: {body[:200]!r}" if body else None
        kind = (kind or "").split(";")[0]
        if kind not in content:
            return f"{kind!r} is none of {sorted(content)}"
        if "json" not in kind:
            return None
        error = jsonschema.exceptions.best_match(self.validator(content[kind]["schema"]).iter_errors(json.loads(body)))
        return error and f"{error.json_path}: {error.message[:300]}"


def is_stream(operation):
    return any("event-stream" in kind for response in operation["responses"].values()
               for kind in response.get("content", {})) or "events" in operation.get("tags", [])
