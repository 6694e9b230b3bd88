"""A gpukeeper serve that pushes metrics, and a receiver that answers what it is told."""
import http.server
import threading
import time
from dataclasses import dataclass

from exporting_daemon import PATIENCE, ExportingDaemon, wait_for


class Daemon(ExportingDaemon):
    """One that pushes each second, by the section of that name."""

    def __init__(self, binary, source_dir, section, url, *settings):
        super().__init__(binary, source_dir, section, (f"{section}.url={url}", f"{section}.interval=1", *settings))


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
