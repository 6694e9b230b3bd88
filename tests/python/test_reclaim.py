#!/usr/bin/python3
"""Memory that is given back when gpukeeper asks: the question over the socket, the answer, and the daemon's own asking."""
import http.client
import json
import os
import socket
import sys
import types
import unittest

import support
from gpukeeper import Client, GpukeeperError, ReclaimReply, on_reclaim, pytorch_cache
from gpukeeper.reclaim import ReclaimRequest

QUESTION = {
    "schema": "gpukeeper.reclaim_request/1", "lease": "7", "service": "chat", "device": "GPU-1", "observed_bytes": 8 << 30,
    "guaranteed_bytes": 4 << 30, "wanted_bytes": 1 << 30, "move_to": None, "scrub": False, "deadline_seconds": 10}


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=support.PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class FakeLease:
    released = False

    def __init__(self, refusal=None):
        self.id, self.asked, self.refusal = 7, [], refusal

    def _ask(self, *question):
        self.asked.append(question)
        if self.refusal:
            raise self.refusal


class ReclaimTest(unittest.TestCase):
    def reclaimer(self, callback):
        ours = on_reclaim(callback)
        self.addCleanup(ours.close)
        return ours

    def ask(self, reclaimer, body, method="POST"):
        connection = Connection(reclaimer.socket)
        connection.request(method, "/reclaim", body if isinstance(body, bytes) else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text

    def test_the_callback_gets_the_question_and_its_answer_is_the_receipt(self):
        asked = []
        ours = self.reclaimer(lambda request: asked.append(request) or 123)
        self.assertEqual(self.ask(ours, QUESTION), (200, {"promised_bytes": 123}))
        request = asked[0]
        self.assertEqual((request.lease, request.service, request.device, request.wanted_bytes, request.guaranteed_bytes,
                          request.observed_bytes, request.move_to, request.scrub, request.deadline_seconds),
                         ("7", "chat", "GPU-1", 1 << 30, 4 << 30, 8 << 30, None, False, 10.0))

    def test_each_kind_of_answer(self):
        for reply, said in (
            (None, {}), (0, {"promised_bytes": 0}), (True, {}), (-5, {}), ("much", {}),
            (ReclaimReply(5, scrubbed=True, note="x" * 500), {"promised_bytes": 5, "scrubbed": True, "note": "x" * 200}),
            (ReclaimReply(), {}),
        ):
            with self.reclaimer(lambda request, reply=reply: reply) as ours:
                self.assertEqual(self.ask(ours, QUESTION), (200, said), reply)

    def test_a_callback_that_raises_is_told_to_who_asked(self):
        ours = self.reclaimer(lambda request: 1 / 0)
        with self.assertLogs("gpukeeper", "ERROR"):
            self.assertEqual(self.ask(ours, QUESTION), (500, {"error": "ZeroDivisionError: division by zero"}))

    def test_what_is_no_question_is_refused(self):
        ours = self.reclaimer(lambda request: 1)
        self.assertEqual(self.ask(ours, b"{"), (400, {
            "error": "the question is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}))
        self.assertEqual(self.ask(ours, b"[]"), (400, {"error": "the question is no JSON: it is no object"}))
        self.assertEqual(self.ask(ours, b"[" * 60_000)[0], 400)
        connection = Connection(ours.socket)
        connection.putrequest("POST", "/reclaim")
        connection.putheader("Content-Length", "70000")
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()
        self.assertEqual(self.ask(ours, b"", "PUT")[0], 501)
        self.assertEqual(self.ask(ours, {"lease": 5, "wanted_bytes": "x", "deadline_seconds": None}), (200, {"promised_bytes": 1}))

    def test_a_decorated_function_is_still_one(self):
        @on_reclaim
        def give_back(request):
            return 5

        self.addCleanup(give_back.close)
        self.assertEqual(give_back(ReclaimRequest(QUESTION)), 5)

    def test_leases_are_registered_and_let_go(self):
        ours = on_reclaim(lambda request: None)
        lease = FakeLease()
        ours.serve(lease)
        self.assertEqual(lease.asked, [("PUT", "/api/v1/leases/7/holder", {"kind": "pytorch", "socket": ours.socket})])
        self.assertEqual(ours.leases, ["7"])
        path = ours.socket
        ours.close()
        ours.close()
        self.assertEqual(lease.asked[1:], [("DELETE", "/api/v1/leases/7/holder", None)])
        self.assertFalse(os.path.exists(os.path.dirname(path)))

    def test_leases_that_were_given_back_are_not_kept(self):
        ours = self.reclaimer(lambda request: None)
        first = FakeLease()
        ours.serve(first)
        first.released = True
        self.assertEqual(ours.leases, [])
        second = FakeLease()
        second.id = 8
        ours.serve(second)
        self.assertEqual((ours.leases, len(ours._leases)), (["8"], 1))

    def test_a_ledger_that_wants_no_holder_is_a_warning(self):
        from gpukeeper import reclaim

        self.reclaimer(lambda request: None)
        with self.assertLogs("gpukeeper", "WARNING") as logged:
            reclaim.lease_was_booked(FakeLease(GpukeeperError("there is no lease 7")))
        self.assertEqual(logged.records[0].getMessage(), "lease 7 cannot be asked back: there is no lease 7")


class PyTorchTest(unittest.TestCase):
    def torch(self, reserved, available=True, uuids=None):
        """A stand-in for its caching allocator: empty_cache() leaves half of what is reserved."""
        torch = types.ModuleType("torch")
        cuda = types.SimpleNamespace(
            is_available=lambda: available, device_count=lambda: len(reserved), memory_reserved=lambda i: reserved[i],
            empty_cache=lambda: reserved.__setitem__(slice(None), [each // 2 for each in reserved]),
            get_device_properties=lambda i: types.SimpleNamespace(**({"uuid": uuids[i]} if uuids else {})))
        torch.cuda = cuda
        before = sys.modules.get("torch")
        sys.modules["torch"] = torch
        self.addCleanup(lambda: sys.modules.__setitem__("torch", before) if before else sys.modules.pop("torch"))

    def said(self, **more):
        return pytorch_cache(ReclaimRequest({**QUESTION, **more})).document()

    def test_what_its_own_counters_show_is_promised(self):
        self.torch([1000, 200])
        self.assertEqual(self.said(), {"promised_bytes": 600, "note": "PyTorch's cache was emptied"})

    def test_only_the_gpu_that_is_asked_for_counts_where_its_uuid_is_known(self):
        self.torch([1000, 200], uuids=["1", "2"])
        self.assertEqual(self.said(device="GPU-2")["promised_bytes"], 100)

    def cache(self, *blocks, grows=()):
        """One GPU whose cache has these unused blocks: size, kind of segment, stream."""
        sizes = [size for size, _, _ in blocks]
        reserved, zeroed, left = [2 * sum(sizes)], [], sum(sizes)
        self.torch(reserved)
        cuda = sys.modules["torch"].cuda
        cuda.empty_cache = lambda: reserved.__setitem__(0, left)
        cuda.synchronize = lambda index: None
        cuda.memory_snapshot = lambda: [
            {"device": 0, "stream": stream, "segment_type": kind, "blocks": [
                {"state": "inactive", "size": size}, {"state": "active_allocated", "size": 5 << 20}]}
            for size, kind, stream in blocks] + [
                {"device": 1, "stream": 0, "segment_type": "large", "blocks": [{"state": "inactive", "size": 7}]}]

        def zeros(size, dtype, device):
            self.assertEqual((dtype, device), ("uint8", "cuda:0"))
            zeroed.append(size)
            if size in grows:
                reserved[0] += size
            return object()

        sys.modules["torch"].zeros, sys.modules["torch"].uint8 = zeros, "uint8"
        return zeroed

    def test_the_cache_is_overwritten_first_where_that_is_asked_for(self):
        zeroed = self.cache((2 << 20, "large", 0), (512, "small", 0), (4 << 20, "large", 0))
        reply = self.said(scrub=True)
        self.assertEqual(zeroed, [4 << 20, 2 << 20, 512])
        self.assertEqual((reply["promised_bytes"], reply["scrubbed"]), ((6 << 20) + 512, True))
        self.assertNotIn("scrubbed", self.said())

    def test_what_could_not_be_overwritten_is_not_said_to_be(self):
        for blocks, grows in (([(2 << 20, "large", 0), (4 << 20, "large", 7)], ()), ([(2 << 20, "large", 0), (512, "large", 0)], ()),
                              ([(2 << 20, "large", 0), (4 << 20, "large", 0)], (2 << 20,))):
            self.cache(*blocks, grows=grows)
            self.assertIs(self.said(scrub=True)["scrubbed"], False, blocks)

    def test_without_a_gpu_nothing_is_promised(self):
        self.torch([], available=False)
        self.assertEqual(self.said(), {"promised_bytes": 0, "note": "PyTorch uses no GPU in this process"})

    def test_a_process_without_pytorch_does_not_load_it(self):
        done = support.run_python(
            "import sys, gpukeeper\nfrom gpukeeper.reclaim import ReclaimRequest\n"
            "print(gpukeeper.pytorch_cache(ReclaimRequest({})).document(), 'torch' in sys.modules)")
        self.assertEqual(done.stdout, "{'promised_bytes': 0, 'note': 'PyTorch uses no GPU in this process'} False\n", done.stderr)


@support.needs_binary
@unittest.skipUnless(os.path.exists(support.FAKE_NVML_RUN), f"{support.FAKE_NVML_RUN} is not built")
class DaemonTest(unittest.TestCase):
    """With a driver that says that this process holds memory, as only then it is asked for."""

    def test_the_daemon_asks_this_process_and_reports_what_it_said(self):
        source = support.machine(50, pid=os.getpid(), used="3GiB")
        daemon = support.Daemon("nvml", "--set", "ledger.deallocation_timeout=1s", runner=(support.FAKE_NVML_RUN, "--scenario", source.partition(":")[2], "--"))
        self.addCleanup(daemon.close)
        asked = []

        def give_back(request):
            asked.append(request)
            return ReclaimReply(4096, note="a model went")

        client = Client(daemon.host)
        with on_reclaim(give_back) as ours, client.lease("1GiB", service="chat", owner="process") as lease:
            self.assertEqual(ours.leases, [lease.id])
            support.eventually(lambda: client.leases(service="chat")["leases"][0]["observed_bytes"], "its memory is seen")
            report = client.request("POST", "/api/v1/reclaim", {"service": "chat"}, timeout=support.PATIENCE)
            deeds = [deed for step in report["steps"] for deed in step["holders"]]
        self.assertEqual([(request.lease, request.service, request.observed_bytes) for request in asked],
                         [(lease.id, "chat", 3 << 30)], report)
        note = "a model went; 4 KiB were promised, and after 1 s the driver shows 0 MiB returned"
        self.assertEqual([(deed["promised_bytes"], deed["note"]) for deed in deeds], [(4096, note)], report)
        self.assertEqual(report["returned_bytes"], 0)


if __name__ == "__main__":
    unittest.main()
