#!/usr/bin/python3
"""Both clients of a daemon: what they write and understand, over a server that answers as a test wants, and the real one."""
import asyncio
import http.server
import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import unittest

import support
from gpukeeper import AsyncClient, Client, errors
from gpukeeper._http import EventText, Place, lease_wish, parse_host, target_of, understood, usual_places


class PlaceTest(unittest.TestCase):
    def test_hosts_are_read_as_the_command_reads_them(self):
        for text, place in (
            ("unix:/run/gk.sock", Place("/run/gk.sock", "localhost", 0, False)),
            ("node1", Place("", "node1", 8737, False)),
            ("node1:9000", Place("", "node1", 9000, False)),
            ("http://node1:9000/", Place("", "node1", 9000, False)),
            ("https://node1", Place("", "node1", 8737, True)),
            ("https://[::1]:9000/", Place("", "::1", 9000, True)),
            ("[::1]", Place("", "::1", 8737, False)),
            ("[::1]:9000", Place("", "::1", 9000, False)),
            ("fe80::1", Place("", "fe80::1", 8737, False)),
        ):
            self.assertEqual(parse_host(text), place, text)

    def test_what_names_no_daemon_is_refused_with_what_would(self):
        for text in ("", ":80", "node1:", "node1:0", "node1:65536", "node1:x", "[::1", "[]:80", "node1:８０"):
            if text == "node1:":
                continue
            with self.subTest(text), self.assertRaises(ValueError) as raised:
                parse_host(text)
            self.assertEqual(str(raised.exception), f"{text!r} names no daemon: write unix:PATH, HOST or HOST:PORT")
        with self.assertRaisesRegex(ValueError, "'unix:' names no socket: write unix:PATH"):
            parse_host("unix:")

    def test_the_usual_places_are_the_services(self):
        tcp = Place("", "127.0.0.1", 8737, False)
        machine = Place("/run/gpukeeper/gpukeeper.sock", "localhost", 0, False)
        self.assertEqual(usual_places({}, 0), [machine, tcp])
        self.assertEqual(usual_places({"XDG_RUNTIME_DIR": "/run/user/7"}, 7),
                         [Place("/run/user/7/gpukeeper.sock", "localhost", 0, False), machine, tcp])
        self.assertEqual(usual_places({"XDG_RUNTIME_DIR": "/run/user/0"}, 0), [machine, tcp])
        self.assertEqual(usual_places({"RUNTIME_DIRECTORY": "/run/a:/run/b"}, 0)[0].path, "/run/a/gpukeeper.sock")


class WordsTest(unittest.TestCase):
    def test_a_target_leaves_out_what_is_none(self):
        self.assertEqual(target_of("/api/v1/leases", {"device": "0", "service": None, "state": "a b"}),
                         "/api/v1/leases?device=0&state=a+b")

    def test_a_wish_has_the_daemons_names(self):
        self.assertEqual(lease_wish(5, {"service": "a", "device": 1, "wait": 3, "max_size": None}),
                         {"service": "a", "min_bytes": 5, "device": "1", "wait_seconds": 3})
        with self.assertRaisesRegex(ValueError, "a lease has no 'colour': it takes service, name, "):
            lease_wish(5, {"colour": 1})

    def test_a_refusal_is_raised_by_its_status_and_code(self):
        for status, code, kind in (
            (400, "invalid", errors.InvalidArgument), (401, "no_token", errors.NotPermitted),
            (403, "not_permitted", errors.NotPermitted), (403, "quota_exceeded", errors.Refused),
            (404, "not_found", errors.NotFound), (409, "insufficient_memory", errors.Refused),
            (409, "name_taken", errors.AlreadyExists), (503, "starting", errors.Unavailable), (500, "internal", errors.GpukeeperError),
        ):
            problem = {"status": status, "code": code, "detail": "why"}
            with self.assertRaises(kind) as raised:
                understood(status, json.dumps(problem).encode())
            self.assertIs(type(raised.exception), kind)
            self.assertEqual((str(raised.exception), raised.exception.code, raised.exception.problem), ("why", code, problem))

    def test_a_refusal_without_a_document_says_its_status(self):
        with self.assertRaises(errors.GpukeeperError) as raised:
            understood(502, b"<html>")
        self.assertEqual(str(raised.exception), "the daemon answered 502 without a reason")


class EventTextTest(unittest.TestCase):
    TEXT = b': hello\n\nid: 7\nevent: snapshot\ndata: {"type":\ndata: "snapshot"}\n\ndata: {"type":"\xc3\xa4"}\r\n\r\n'

    def test_events_are_the_same_wherever_the_stream_is_cut(self):
        for size in range(1, len(self.TEXT) + 1):
            text, found = EventText(), []
            for begin in range(0, len(self.TEXT), size):
                found += text.take(self.TEXT[begin : begin + size])
            self.assertEqual(found, [{"type": "snapshot"}, {"type": "ä"}], size)

    def test_an_event_that_is_no_json_is_an_error(self):
        with self.assertRaisesRegex(errors.GpukeeperError, "the daemon sent an event that is no JSON"):
            list(EventText().take(b"data: {\n\n"))

    def test_a_line_without_end_is_an_error(self):
        text = EventText()
        with self.assertRaisesRegex(errors.GpukeeperError, "the daemon sent a line of more than 16 MiB"):
            for _ in range(20):
                list(text.take(b"x" * 2**20))


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers what the test has put into `answers`; remembers what was asked."""

    protocol_version = "HTTP/1.1"

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        answer = self.server.answers.pop(0)
        if answer is None:  # breaks off
            self.close_connection = True
            return
        self.wfile.write(answer)
        self.close_connection = True

    do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = do

    def log_message(self, *_):
        pass

    def address_string(self):
        return "unix"


class StubTest(unittest.TestCase):
    def setUp(self):
        path = os.path.join(support.folder(), "s")
        self.server = socketserver.ThreadingUnixStreamServer(path, Stub)
        self.server.daemon_threads = True
        self.server.asked, self.server.answers = [], []
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.host = "unix:" + path

    def both(self, answers, method, target, body=None):
        """What both clients make of the same answers."""
        results = []
        self.server.answers = [*answers, *answers]
        for ask in (lambda: Client(self.host, token="gk_1", timeout=5).request(method, target, body),
                    lambda: asyncio.run(AsyncClient(self.host, token="gk_1", timeout=5).request(method, target, body))):
            try:
                results.append(ask())
            except errors.GpukeeperError as error:
                results.append((type(error), str(error)))
        self.assertEqual(results[0], results[1])
        return results[0]

    def test_a_question_carries_its_token_and_its_body(self):
        answer = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a": 1}\n'
        self.assertEqual(self.both([answer], "POST", "/api/v1/leases", {"b": 2}), {"a": 1})
        for method, path, headers, body in self.server.asked:
            self.assertEqual((method, path, json.loads(body)), ("POST", "/api/v1/leases", {"b": 2}))
            self.assertEqual((headers["Authorization"], headers["Content-Type"]), ("Bearer gk_1", "application/json"))

    def test_chunks_are_put_together(self):
        answer = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4;x=y\r\n: 1}\r\n0\r\n\r\n'
        self.assertEqual(self.both([answer], "GET", "/x"), {"a": 1})

    def test_text_that_is_no_json_is_text(self):
        self.assertEqual(self.both([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n# HEL"], "GET", "/metrics"), "# HEL")

    def test_no_content_is_none(self):
        self.assertIsNone(self.both([b"HTTP/1.1 204 No Content\r\n\r\n"], "POST", "/x"))

    def test_a_daemon_that_breaks_off_is_unavailable(self):
        for client in (Client(self.host), AsyncClient(self.host)):
            self.server.answers = [None]
            with self.assertRaisesRegex(errors.Unavailable, "the daemon broke off at GET /x: "):
                asked = client.request("GET", "/x")
                if asyncio.iscoroutine(asked):
                    asyncio.run(asked)

    def test_what_is_no_target_is_not_sent(self):
        for target in ("x", "/a b", "/a\r\nX: y", "/ä"):
            for ask in (lambda t=target: Client(self.host).request("GET", t),
                        lambda t=target: asyncio.run(AsyncClient(self.host).request("GET", t))):
                with self.assertRaisesRegex(errors.InvalidArgument, "is no target: it begins with / and has no spaces"):
                    ask()
        self.assertEqual(self.server.asked, [])

    def test_a_token_that_could_be_more_than_one_header_is_not_sent(self):
        with self.assertRaisesRegex(errors.InvalidArgument, "a token is printable ASCII without spaces"):
            Client(self.host, token="a\r\nX: y").health()

    def test_silence_is_a_timeout(self):
        listener = socket.socket(socket.AF_UNIX)
        path = os.path.join(support.folder(), "silent")
        listener.bind(path)
        listener.listen()
        self.addCleanup(listener.close)
        said = "the daemon did not answer GET /health in time"
        with self.assertRaisesRegex(errors.TimedOut, said):
            Client("unix:" + path, timeout=0.05).health()
        with self.assertRaisesRegex(errors.TimedOut, said):
            asyncio.run(AsyncClient("unix:" + path, timeout=0.05).health())

    def test_nobody_there_names_every_place(self):
        said = ("no gpukeeper daemon answers at /nowhere/s (No such file or directory): start one with 'gpukeeper serve'")
        with self.assertRaises(errors.Unavailable) as raised:
            Client("unix:/nowhere/s").health()
        self.assertEqual(str(raised.exception), said)
        with self.assertRaises(errors.Unavailable) as raised:
            asyncio.run(AsyncClient("unix:/nowhere/s").health())
        self.assertEqual(str(raised.exception), said)


@support.needs_binary
class DaemonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = support.Daemon()
        cls.addClassCleanup(cls.daemon.close)
        cls.client = Client(cls.daemon.host)

    def test_documents_of_the_daemon(self):
        self.assertEqual(len(self.client.snapshot()["devices"]), 2)
        self.assertEqual(self.client.snapshot("1")["devices"][0]["index"], 1)
        self.assertEqual(len(self.client.throttle()["devices"]), 2)
        self.assertIn("# TYPE gpu_temperature_celsius gauge", self.client.metrics())
        self.assertEqual(self.client.history(metric="power_watts", device="0")["devices"][0]["index"], "0")

    def test_a_lease_is_given_back_at_the_end_of_its_with(self):
        with self.client.lease("1GiB", service="sync", name="a", device=1) as lease:
            self.assertEqual((lease.device, lease.bytes), (1, 1 << 30))
            self.assertEqual(len(self.client.leases(service="sync")["leases"]), 1)
            lease.resize("512MiB")
        self.assertEqual(self.client.leases(service="sync", state="active")["leases"], [])

    def test_a_refusal_has_the_ledgers_numbers(self):
        with self.assertRaises(errors.Refused) as raised:
            self.client.lease("900GiB", service="sync")
        self.assertEqual(raised.exception.code, "never_fits")
        self.assertIn("sync asks for 921600 MiB", str(raised.exception))

    def test_events_come_as_they_happen(self):
        with self.client.lease("1MiB", service="events"):
            pass
        seen = []
        for event in self.client.events(["lease"], after=1):
            seen.append(event["type"])
            if "lease.granted" in seen:
                break

    def test_the_same_from_coroutines(self):
        async def work():
            client = AsyncClient(self.daemon.host)
            self.assertEqual(len((await client.snapshot())["devices"]), 2)
            async with await client.lease("1GiB", service="async") as lease:
                self.assertEqual(len((await client.leases(service="async"))["leases"]), 1)
                await asyncio.gather(*(client.health() for _ in range(20)))
                self.assertFalse(lease.released)
            async for event in client.events(["snapshot"]):
                if event["type"] == "snapshot":
                    return event["payload"]["schema"]

        self.assertEqual(asyncio.run(work()), "gpukeeper.status/1")


class TrustTest(unittest.TestCase):
    """Whom a client believes over TLS."""

    def setUp(self):
        self.addCleanup(os.environ.update, {name: os.environ.get(name, "") for name in self.NAMES})

    NAMES = ("GPUKEEPER_CA", "GPUKEEPER_CERTIFICATE", "GPUKEEPER_KEY")

    def refused(self, **environment):
        os.environ.update(environment)
        with self.assertRaises(errors.InvalidArgument) as raised:
            Client("https://127.0.0.1:1").health()
        for name in self.NAMES:
            os.environ[name] = ""
        return str(raised.exception)

    def test_a_file_that_will_not_do_is_named(self):
        self.assertEqual(self.refused(GPUKEEPER_CA="/nowhere.pem"),
                         "GPUKEEPER_CA: /nowhere.pem cannot be used: [Errno 2] No such file or directory")
        self.assertEqual(self.refused(GPUKEEPER_KEY="/nowhere.pem"), "GPUKEEPER_CERTIFICATE and GPUKEEPER_KEY go together")
        self.assertEqual(self.refused(GPUKEEPER_CERTIFICATE="/nowhere.pem", GPUKEEPER_KEY="/nowhere.pem"),
                         "GPUKEEPER_CERTIFICATE: /nowhere.pem cannot be used: [Errno 2] No such file or directory")


@support.needs_binary
@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class TlsTest(unittest.TestCase):
    def test_a_daemon_is_asked_over_tls_and_only_if_it_can_be_believed(self):
        folder = support.folder()
        certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        daemon = support.Daemon(support.TWO_GPUS, "--listen", f"https://127.0.0.1:{port}", "--set", f"tls.certificate={certificate}",
                                "--set", f"tls.key={key}")
        self.addCleanup(daemon.close)
        host = f"https://127.0.0.1:{port}"
        with self.assertRaisesRegex(errors.Unavailable, "certificate verify failed"):
            Client(host).health()
        with self.assertRaisesRegex(errors.Unavailable, "certificate verify failed"):
            asyncio.run(AsyncClient(host).health())
        os.environ["GPUKEEPER_CA"] = certificate
        self.addCleanup(os.environ.pop, "GPUKEEPER_CA")
        self.assertEqual(Client(host).health()["status"], "healthy")
        self.assertEqual(asyncio.run(AsyncClient(host).health())["status"], "healthy")


if __name__ == "__main__":
    unittest.main()
