#!/usr/bin/python3
"""Monitor and Lease over the built library and simulated machines."""
import json
import threading
import unittest

import support
from gpukeeper import (AlreadyExists, GpukeeperError, InvalidArgument, Monitor, NotFound, Refused, State, TimedOut, Unavailable,
                       default_monitor)
from gpukeeper.sizes import parse_size


class SizeTest(unittest.TestCase):
    def test_sizes_as_people_write_them(self):
        for text, count in ((5, 5), ("6GiB", 6 << 30), ("512 MiB", 512 << 20), ("1.5KiB", 1536), ("2GB", 2 * 10**9), ("7B", 7)):
            self.assertEqual(parse_size(text), count, text)

    def test_what_is_no_size_says_what_would_be(self):
        for size in ("", "6", "GiB", "6 giga", "0x10B", None, 5.0, True, b"6GiB", "１GiBB"):
            with self.subTest(size=size), self.assertRaises(InvalidArgument) as raised:
                parse_size(size)
            self.assertEqual(str(raised.exception), f"{size!r} is no size: write bytes as a number, or a text such as '6GiB'")
        for size in (0, -1, "0MiB", "-1GiB", "nanGiB", "infGiB", "1e30TiB"):
            with self.subTest(size=size), self.assertRaises(InvalidArgument) as raised:
                parse_size(size)
            self.assertEqual(str(raised.exception), f"{size!r} is no size: it must be above 0 and at most 4 EiB")


@support.needs_library
class MonitorTest(unittest.TestCase):
    def monitor(self, source=support.TWO_GPUS, **options):
        ours = Monitor(source, ledger="memory", **options)
        self.addCleanup(ours.close)
        return ours

    def test_every_gpu_has_a_reading(self):
        ours = self.monitor()
        readings = ours.readings()
        self.assertEqual([(r.index, r.name, r.simulated, r.available) for r in readings],
                         [(0, "NVIDIA GeForce RTX 4090", True, True), (1, "NVIDIA GeForce RTX 4060", True, True)])
        first = readings[0]
        self.assertEqual((first.driver, first.memory_total_bytes), ("580.105.08", 24564 << 20))
        self.assertTrue(20 < first.temperature_celsius < 100)
        self.assertEqual(first.memory_free_bytes, first.memory_total_bytes - first.memory_used_bytes)
        self.assertEqual(ours.host, "")
        self.assertEqual(ours.latest(0).uuid, first.uuid)

    def test_what_a_gpu_does_not_report_is_none(self):
        reading = self.monitor(support.machine("~")).read()
        self.assertIsNone(reading.temperature_celsius)
        self.assertIn("<td>-</td>", reading._repr_html_())

    def test_a_gpu_that_there_is_not(self):
        ours = self.monitor()
        with self.assertRaises(NotFound) as raised:
            ours.read(7)
        self.assertIn("7", str(raised.exception))
        with self.assertRaisesRegex(InvalidArgument, "there is no GPU -1: indices begin at 0"):
            ours.read(-1)

    def test_each_gpu_throttles_by_its_own_heat_and_all_by_the_worst(self):
        ours = self.monitor(support.machine(92, 50))
        self.assertEqual([ours.throttling(index).speed_multiplier for index in (0, 1)], [0.0, 1.0])
        everything = ours.throttling()
        self.assertEqual((everything.state, everything.should_throttle, everything.speed_multiplier), (State.CRITICAL, True, 0.0))

    def test_states_follow_the_documented_table(self):
        ours = self.monitor()
        for temperature, of_temperature in ((64.9, 0), (65, 1), (74.9, 1), (75, 2), (84.9, 2), (85, 3), (95, 3), (None, -1)):
            for memory, of_memory in ((69.9, 0), (70, 1), (84.9, 1), (85, 2), (94.9, 2), (95, 3), (None, -1)):
                worse = max(of_temperature, of_memory)
                expected = list(State)[worse] if worse >= 0 else State.UNAVAILABLE
                self.assertIs(ours.judge(temperature, memory), expected, (temperature, memory))

    def test_documents_are_those_of_the_daemon(self):
        ours = self.monitor()
        self.assertEqual(ours.snapshot()["schema"], "gpukeeper.status/1")
        with self.assertRaises(NotFound) as raised:
            ours.ask("GET", "/api/v1/snapshot?device=9")
        self.assertEqual(raised.exception.code, "not_found")
        self.assertIn("gpu_temperature_celsius", ours.metrics(["documented"]))

    def test_a_configuration_is_taken_whole_or_refused_with_its_reason(self):
        ours = self.monitor()
        ours.configure({"temp_throttle": 80})
        self.assertIs(ours.judge(82, None), State.CRITICAL)
        with self.assertRaises(InvalidArgument) as raised:
            ours.configure({"temp_throttle": 10, "temp_normal": 70})
        self.assertIn("temp_throttle: 10 is not above temp_normal (70)", str(raised.exception))
        self.assertIs(ours.judge(72, None), State.NORMAL)
        values = {row["key"]: row["value"] for row in ours.configuration()["keys"]}
        self.assertEqual(values["temp_throttle"], 80)

    def test_monitoring_is_turned_on_and_off(self):
        ours = self.monitor()
        self.assertFalse(ours.is_monitoring)
        ours.start()
        self.assertTrue(ours.is_monitoring)
        ours.stop()
        self.assertFalse(ours.is_monitoring)

    def test_waiting_has_an_end(self):
        self.assertFalse(self.monitor(support.machine(92)).wait_until_clear(0.05))
        self.assertTrue(self.monitor(support.machine(50)).wait_until_clear(0.05))

    def test_a_notebook_gets_a_table_in_which_foreign_text_is_escaped(self):
        ours = self.monitor()
        self.assertIn("NVIDIA GeForce RTX 4090 <em>(simulated)</em>", ours._repr_html_())
        reading = ours.read()
        reading.name = "<script>"
        self.assertIn("&lt;script&gt;", reading._repr_html_())

    def test_a_closed_monitor_says_so(self):
        ours = self.monitor()
        ours.close()
        ours.close()
        with self.assertRaisesRegex(Unavailable, "this monitor is closed"):
            ours.read()
        self.assertEqual(repr(ours), "<Monitor: closed>")

    def test_a_source_that_cannot_be_opened_says_why(self):
        with self.assertRaisesRegex(GpukeeperError, "/nowhere.yaml"):
            Monitor("simulated:/nowhere.yaml")
        with self.assertRaisesRegex(InvalidArgument, "ledger is 'paper'; it takes 'machine' or 'memory'"):
            Monitor(ledger="paper")

    def test_metrics_are_served(self):
        import urllib.request

        port = self.monitor().serve_metrics("127.0.0.1:0")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=support.PATIENCE) as answer:
            self.assertIn(b"gpu_temperature_celsius", answer.read())

    def test_the_processs_own_monitor_is_one(self):
        found = set()
        threads = [threading.Thread(target=lambda: found.add(default_monitor())) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(found), 1)
        default_monitor().close()


@support.needs_library
class LeaseTest(unittest.TestCase):
    def setUp(self):
        self.monitor = Monitor(support.machine(50, 50), ledger="memory")
        self.addCleanup(self.monitor.close)

    def test_a_lease_ends_with_its_with(self):
        before = self.monitor.available_bytes(1)
        with self.monitor.lease("1GiB", service="training", name="a", device=1, metadata={"job": "7"}) as lease:
            self.assertEqual((lease.device, lease.bytes, lease.fell_back, lease.released), (1, 1 << 30, False, False))
            self.assertEqual((lease.document["service"], lease.document["metadata"], lease.document["owner"]["kind"]),
                             ("training", {"job": "7"}, "process"))
            self.assertEqual(self.monitor.available_bytes(1), before - (1 << 30))
            lease.resize("512MiB")
            self.assertEqual(self.monitor.available_bytes(1), before - (512 << 20))
        self.assertTrue(lease.released)
        lease.release()
        self.assertEqual(self.monitor.available_bytes(1), before)

    def test_it_ends_when_what_is_inside_fails(self):
        with self.assertRaises(ZeroDivisionError), self.monitor.lease("1GiB") as lease:
            1 / 0
        self.assertTrue(lease.released)

    def test_a_refusal_has_the_ledgers_numbers(self):
        with self.assertRaises(Refused) as raised:
            self.monitor.lease("900GiB", service="training")
        self.assertEqual(raised.exception.code, "never_fits")
        self.assertEqual(len(raised.exception.problem["refusal"]["devices"]), 2)
        self.assertTrue(str(raised.exception).startswith("training asks for 921600 MiB, and no GPU could ever give that\n"))

    def test_a_name_stands_once_on_a_gpu(self):
        with self.monitor.lease("1MiB", name="a", device=0):
            with self.assertRaises(AlreadyExists):
                self.monitor.lease("1MiB", name="a", device=0, require_device=True)

    def test_the_same_request_gets_the_same_lease(self):
        first = self.monitor.lease("1MiB", request_id="x")
        self.assertEqual(self.monitor.lease("1MiB", request_id="x").id, first.id)
        self.assertLess(first.fence, self.monitor.lease("1MiB").fence)

    def test_a_preference_that_falls_back_says_so(self):
        with self.monitor.lease("6GiB", device=0), self.monitor.lease("6GiB", device=0) as second:
            self.assertEqual((second.device, second.fell_back), (1, True))
            with self.assertRaises(Refused):
                self.monitor.lease("6GiB", device=0, require_device=True)

    def test_who_waits_gets_what_is_given_back(self):
        first = self.monitor.lease("6GiB", device=0, require_device=True)
        threading.Timer(0.1, first.release).start()
        with self.monitor.lease("5GiB", device=0, require_device=True, wait=support.PATIENCE) as lease:
            self.assertEqual(lease.device, 0)

    def test_who_waits_in_vain_is_told(self):
        with self.monitor.lease("6GiB", device=0, require_device=True):
            with self.assertRaises(TimedOut):
                self.monitor.lease("6GiB", device=0, require_device=True, wait=0.1)

    def test_closing_ends_who_waits(self):
        self.monitor.lease("6GiB", device=0, require_device=True)
        failed = []

        def wait():
            try:
                self.monitor.lease("6GiB", device=0, require_device=True, wait=600)
            except GpukeeperError as error:
                failed.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)  # so that it waits; if it does not yet, it finds the monitor closed
        self.assertEqual(failed, [])
        self.monitor.close()
        thread.join(support.PATIENCE)
        self.assertEqual([type(error) for error in failed], [Unavailable])


@support.needs_library
class EventTest(unittest.TestCase):
    def setUp(self):
        self.monitor = Monitor(support.machine([(0, 50), (0.3, 50), (0.4, 92), (600, 92)]), ledger="memory")
        self.addCleanup(self.monitor.close)
        self.monitor.configure({"sample_interval": "100ms", "monitor_interval": "100ms"})

    def test_a_listener_hears_what_happens(self):
        heard = []
        with self.monitor.subscribe(heard.append, ["critical", "state_change"]):
            self.monitor.start()
            support.eventually(lambda: any(event.type == "critical" for event in heard), "the critical event")
        event = next(event for event in heard if event.type == "critical")
        self.assertEqual(event.device, 0)
        self.assertIsInstance(event.data, dict)
        self.assertEqual({event.type for event in heard} - {"critical", "state_change"}, set())

    def test_a_listener_that_raises_is_logged_and_called_again(self):
        heard = []

        def listener(event):
            heard.append(event)
            raise SystemExit

        with self.assertLogs("gpukeeper", "ERROR") as logged, self.monitor.subscribe(listener):
            self.monitor.start()
            support.eventually(lambda: len(heard) > 1, "two events")
        self.assertEqual(logged.records[0].getMessage(), "a listener of GPU events failed")

    def test_a_listener_may_call_everything_and_cancel_itself(self):
        done = []

        def listener(event):
            done.append(self.monitor.read().index)
            subscription.cancel()

        subscription = self.monitor.subscribe(listener)
        self.monitor.start()
        support.eventually(lambda: done, "it is called")
        self.monitor.stop()
        self.assertEqual(done, [0])

    def test_a_listener_may_close_its_monitor(self):
        self.monitor.subscribe(lambda event: self.monitor.close())
        self.monitor.start()
        support.eventually(lambda: self.monitor.closed, "it is closed")


@support.needs_library
@support.needs_binary
class DaemonTest(unittest.TestCase):
    def test_through_a_daemon_it_is_the_same(self):
        daemon = support.Daemon()
        self.addCleanup(daemon.close)
        with Monitor(host=daemon.host) as ours:
            self.assertNotEqual(ours.host, "")
            self.assertEqual([reading.name for reading in ours.readings()], ["NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4060"])
            with ours.lease("1GiB", service="training") as lease:
                self.assertIn(str(lease.id), json.dumps(ours.ask("GET", "/api/v1/leases?service=training")))
            self.assertEqual(ours.throttling().speed_multiplier, min(ours.throttling(i).speed_multiplier for i in (0, 1)))

    def test_a_daemon_that_there_is_not_says_so(self):
        with self.assertRaises(NotFound) as raised:
            Monitor(host="unix:/nowhere/s")
        self.assertEqual(str(raised.exception), (
            "no gpukeeper daemon answers at unix:/nowhere/s (connect: No such file or directory): start one with "
            "'gpukeeper serve --listen unix:/nowhere/s'"))


if __name__ == "__main__":
    unittest.main()
