#!/usr/bin/python3
"""The thirteen endpoints in a Flask application, by Flask's own client."""
import json
import unittest

import support
from fake_library import FakeGpu, FakeLibrary
from gpu_manager import manager
import api_gpu

try:
    import flask
except ImportError:
    flask = None


class AnswersTest(unittest.TestCase):
    """What is answered, whatever server it came by."""

    def setUp(self):
        self.library = FakeLibrary(FakeGpu(68.0, "normal")).install(self)
        before, manager._manager = manager._manager, None
        self.addCleanup(setattr, manager, "_manager", before)

    def ask(self, method, path, body=None, content_type="application/json", **query):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return api_gpu.answer(method, path, query, content_type, text)

    def test_there_are_thirteen(self):
        self.assertEqual(len(api_gpu.GET) + len(api_gpu.POST) + len(api_gpu.PUT), 13)

    def test_reads_have_the_documented_envelope(self):
        self.library.answer = lambda method, target, body: (
            {"gpus": [], "count": 1, "timestamp": 5.0} if target == "/api/gpu/metrics" else {"keys": [], "leases": []})
        status, document = self.ask("GET", "/status")
        self.assertEqual((status, document["success"], document["data"]["state"]), (200, True, "normal"))
        self.assertEqual(self.ask("GET", "/status/all")[1]["data"]["gpu_count"], 1)
        status, document = self.ask("GET", "/metrics")
        self.assertEqual((status, sorted(document)), (200, ["count", "data", "gpus", "success", "timestamp"]))
        self.assertEqual(sorted(document["data"]), sorted([
            "timestamp", "gpu_id", "gpu_name", "load_percent", "memory_used_mb", "memory_total_mb", "memory_percent",
            "temperature_celsius", "state"]))
        self.assertEqual(self.ask("GET", "/metrics/history")[1]["data"], {"count": 0, "metrics": []})
        self.assertEqual(self.ask("GET", "/temperature/trend")[1], {"success": True, "data": {}})
        self.assertEqual(self.ask("GET", "/memory/available")[1]["data"], {"gpu_id": 0, "available_mb": 6144})
        self.assertEqual(self.ask("GET", "/throttle/status")[1]["data"], {
            "should_throttle": False, "speed_multiplier": 0.8, "is_throttled": False, "current_state": "normal"})
        self.assertEqual(len(self.ask("GET", "/config")[1]["data"]), 13)

    def test_a_gpu_that_there_is_not(self):
        self.library.answer = lambda *_: {"keys": [], "leases": [], "gpus": [], "count": 1, "timestamp": 5.0}
        self.assertEqual(self.ask("GET", "/status", gpu_id="7"), (200, {"success": True, "data": {
            "available": False, "state": "unavailable", "error": "Failed to get GPU metrics"}}))
        status, document = self.ask("GET", "/metrics", gpu_id="-1")
        self.assertEqual((status, document["success"], document["error"]), (404, False, "GPU not available or invalid GPU ID"))
        self.assertEqual(self.ask("GET", "/memory/available", gpu_id="7")[1]["data"], {"gpu_id": 7, "available_mb": 0.0})

    def test_a_number_that_is_none_counts_as_absent(self):
        self.assertEqual(self.ask("GET", "/memory/available", gpu_id="abc")[1]["data"]["gpu_id"], 0)

    def test_memory_is_allocated_and_given_back(self):
        status, document = self.ask("POST", "/memory/allocate", {"allocation_id": "llm", "required_mb": 2048})
        self.assertEqual((status, document["data"]), (200, {"allocation_id": "llm", "allocated_mb": 2048, "available_mb": 4096}))
        status, document = self.ask("POST", "/memory/deallocate", {"allocation_id": "llm"})
        self.assertEqual((status, document["data"]), (200, {"allocation_id": "llm", "available_mb": 6144}))
        self.assertEqual(self.ask("POST", "/memory/deallocate", {"allocation_id": "llm"}),
                         (404, {"success": False, "error": "Deallocation failed - allocation not found"}))

    def test_what_cannot_be_allocated_says_so(self):
        fields = {"success": False, "error": "Missing required fields: allocation_id, required_mb"}
        for body in ({}, None, [], {"allocation_id": "a"}, {"required_mb": 5}):
            self.assertEqual(self.ask("POST", "/memory/allocate", body), (400, fields))
        refused = "Memory allocation failed - insufficient memory or invalid request"
        for body, detail in (
            ({"allocation_id": "", "required_mb": 1}, "allocation_id takes a text of 1 to 256 bytes, or a whole number"),
            ({"allocation_id": "a", "required_mb": -1}, "required_mb takes a number of MiB above 0"),
            ({"allocation_id": "a", "required_mb": True}, "required_mb takes a number of MiB above 0"),
        ):
            self.assertEqual(self.ask("POST", "/memory/allocate", body), (400, {"success": False, "error": refused, "detail": detail}))
        self.assertEqual(self.ask("POST", "/memory/allocate", {"allocation_id": "a", "required_mb": 1, "gpu_id": 9}),
                         (400, {"success": False, "error": refused}))
        self.assertEqual(self.ask("POST", "/memory/allocate", {"allocation_id": "a", "required_mb": 1, "gpu_id": "0"}),
                         (400, {"success": False, "error": "gpu_id takes a whole number: the index of a GPU"}))
        self.assertEqual(self.ask("POST", "/memory/deallocate", {}),
                         (400, {"success": False, "error": "Missing required field: allocation_id"}))

    def test_the_configuration_is_set_or_refused(self):
        status, document = self.ask("PUT", "/config", {"temp_throttle": 80})
        self.assertEqual((status, document["message"], document["data"]["temp_throttle"]), (200, "Configuration updated", 80))
        for body in ({}, None):
            self.assertEqual(self.ask("PUT", "/config", body), (400, {"success": False, "error": "No configuration data provided"}))
        self.library.failures["gk_configure"] = (1, "temp_throttle: 10 is not above temp_normal (75)")
        self.assertEqual(self.ask("PUT", "/config", {"temp_throttle": 10}), (400, {
            "success": False, "error": "Failed to update configuration: temp_throttle: 10 is not above temp_normal (75)"}))
        self.assertEqual(self.ask("PUT", "/config", [1])[0], 400)

    def test_monitoring_starts_and_stops_also_twice(self):
        for path, message in (("/monitoring/start", "GPU monitoring started"), ("/monitoring/stop", "GPU monitoring stopped")):
            for _ in range(2):
                self.assertEqual(self.ask("POST", path, b"", ""), (200, {"success": True, "message": message}))

    def test_a_clients_mistake_is_no_500(self):
        self.assertEqual(self.ask("POST", "/memory/allocate", b"{", "application/json")[0], 400)
        self.assertEqual(self.ask("POST", "/memory/allocate", b"[" * 100_000, "application/json")[0], 413)
        self.assertEqual(self.ask("POST", "/memory/allocate", b"[" * 60_000, "application/json")[0], 400)
        self.assertEqual(self.ask("POST", "/memory/allocate", b"{}", "text/plain")[0], 415)
        self.assertEqual(self.ask("GET", "/nothing"), (404, {"success": False, "error": "there is no /api/gpu/nothing"}))
        self.assertEqual(self.ask("POST", "/status"), (405, {"success": False, "error": "/api/gpu/status takes GET, HEAD, OPTIONS"}))

    def test_what_fails_inside_is_a_500_with_its_reason(self):
        self.library.gk_device_count = lambda _: 1 / 0
        self.assertEqual(self.ask("GET", "/status/all"), (500, {"success": False, "error": "division by zero"}))


@unittest.skipUnless(flask, "Flask is not installed (Debian: python3-flask)")
class FlaskTest(unittest.TestCase):
    def setUp(self):
        FakeLibrary(FakeGpu(68.0, "normal", name="GPU ä".encode())).install(self)
        before, manager._manager = manager._manager, None
        self.addCleanup(setattr, manager, "_manager", before)
        app = flask.Flask("test")
        app.add_url_rule("/own", "own", lambda: "own")
        with self.assertLogs("gpu_manager", "INFO") as logged:
            api_gpu.register_gpu_api(app)
        self.assertEqual(logged.records[0].getMessage(), "GPU API endpoints registered")
        self.client = app.test_client()

    def test_answers_have_the_documented_bytes(self):
        answer = self.client.get("/api/gpu/throttle/status")
        self.assertEqual(answer.data, b'{"data":{"current_state":"normal","is_throttled":false,"should_throttle":false,'
                                      b'"speed_multiplier":0.8},"success":true}\n')
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertIn(b'"name":"GPU \\u00e4"', self.client.get("/api/gpu/status?gpu_id=0").data)

    def test_a_body_comes_through(self):
        answer = self.client.post("/api/gpu/memory/allocate", json={"allocation_id": "a", "required_mb": 1024})
        self.assertEqual((answer.status_code, answer.get_json()["data"]["available_mb"]), (200, 5120))

    def test_methods_are_those_of_the_table(self):
        self.assertEqual(self.client.head("/api/gpu/status").status_code, 200)
        answer = self.client.options("/api/gpu/config")
        self.assertEqual((answer.status_code, answer.headers["Allow"]), (200, "GET, PUT, HEAD, OPTIONS"))
        answer = self.client.delete("/api/gpu/config")
        self.assertEqual((answer.status_code, answer.headers["Allow"]), (405, "GET, PUT, HEAD, OPTIONS"))
        self.assertEqual(self.client.get("/api/gpu/status/").status_code, 404)
        self.assertIs(self.client.get("/api/gpu/nothing").get_json()["success"], False)

    def test_the_applications_own_pages_are_its_own(self):
        self.assertEqual(self.client.get("/own").data, b"own")
        self.assertIn(b"<!doctype html>", self.client.get("/nothing").data.lower())


if __name__ == "__main__":
    unittest.main()
