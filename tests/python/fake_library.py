"""A stand-in for libgpukeeper.so: GPUs that do what a test says, and failures where it wants them.

Only what cannot be had of simulated GPUs is tested on it. It keeps to gpukeeper.h: absent is NAN, results are numbers.
"""
import json
import math

from gpukeeper import _native

STATES = ("optimal", "normal", "throttled", "critical", "unavailable")


class FakeGpu:
    def __init__(self, temperature=50.0, state="optimal", **values):
        self.values = {
            "available": 1, "simulated": 0, "read_at": 1_700_000_000.25, "utilization_percent": 40.5,
            "memory_busy_percent": 7.0, "memory_used_bytes": 3072 << 20, "memory_total_bytes": 8192 << 20,
            "memory_percent": 37.5, "temperature_celsius": temperature, "power_watts": 120.0,
            "power_limit_watts": 200.0, "fan_percent": 30.0, "clock_graphics_mhz": 1500.0, "clock_memory_mhz": 7000.0,
            "pcie_tx_bytes_per_second": math.nan, "pcie_rx_bytes_per_second": math.nan, "uuid": b"GPU-1",
            "name": b"Fake GPU", "driver": b"580.1", **values}
        self.state = state
        self.speed = {"optimal": 1.0, "normal": 0.8, "throttled": 0.5, "critical": 0.0, "unavailable": 1.0}[state]

    def be(self, state, temperature=None):
        self.__init__(self.values["temperature_celsius"] if temperature is None else temperature, state)


class FakeLibrary:
    """Answers what gpukeeper._native would ask of the library. `failures`: by function, a result and what it says."""

    def __init__(self, *gpus):
        self.gpus = list(gpus)
        self.failures = {}
        self.calls = []
        self.leases = {}
        self.configured = []
        self.monitoring = 0
        self.opened = 0
        self.closed = 0
        self.error = b""
        self.problem = b""
        self._kept = []

    def install(self, test):
        """For the length of a test."""
        before = _native._library
        _native._library = self
        test.addCleanup(setattr, _native, "_library", before)
        return self

    def _fail(self, function):
        self.calls.append(function)
        result, said, problem = (*self.failures.get(function, (0, "", "")), "")[:3]
        if result:
            self.error, self.problem = said.encode(), problem.encode()
        return result

    def _say(self, result, said):
        self.error, self.problem = said.encode(), b""
        return result

    def _write(self, into, text):
        import ctypes

        buffer = ctypes.create_string_buffer(text.encode())
        self._kept.append(buffer)
        into._obj.value = ctypes.addressof(buffer)

    def gk_last_error(self):
        return self.error

    def gk_last_problem(self):
        return self.problem

    def gk_free(self, _):
        pass

    def gk_open(self, options, handle):
        result = self._fail("gk_open")
        if not result:
            self.opened += 1
            handle._obj.value = 0x1000 * self.opened
        return result

    def gk_close(self, _):
        self.closed += 1

    def gk_device_count(self, _):
        return len(self.gpus)

    def gk_read(self, _, index, into):
        result = self._fail("gk_read")
        if result:
            return result
        if index >= len(self.gpus):
            return self._say(2, f"there is no GPU {index}")
        gpu, reading = self.gpus[index], into._obj
        reading.index, reading.state = index, STATES.index(gpu.state)
        for name, value in gpu.values.items():
            setattr(reading, name, value)
        return 0

    gk_latest = gk_read

    def gk_throttle(self, _, index, into):
        result = self._fail("gk_throttle")
        if result:
            return result
        gpus = self.gpus if index < 0 else self.gpus[index : index + 1]
        seen = [gpu for gpu in gpus if gpu.state != "unavailable"]
        into._obj.state = max((STATES.index(gpu.state) for gpu in seen), default=4)
        into._obj.speed_multiplier = min((gpu.speed for gpu in seen), default=1.0)
        into._obj.should_throttle = into._obj.is_throttled = int(into._obj.speed_multiplier <= 0.5)
        return 0

    def gk_judge(self, _, temperature, memory, into):
        ranks = [sum(value >= border for border in borders)
                 for value, borders in ((temperature, (65, 75, 85)), (memory, (70, 85, 95))) if not math.isnan(value)]
        into._obj.value = max(ranks, default=4)
        return self._fail("gk_judge")

    def gk_monitor(self, _, on):
        self.monitoring = on
        return self._fail("gk_monitor")

    def gk_is_monitoring(self, _):
        return self.monitoring

    def gk_configure(self, _, patch):
        result = self._fail("gk_configure")
        if not result:
            self.configured.append(json.loads(patch))
        return result

    def gk_ask(self, _, method, target, body, into):
        result = self._fail("gk_ask")
        if result:
            return result
        self.calls.append((method.decode(), target.decode(), None if body is None else json.loads(body)))
        self._write(into, json.dumps(self.answer(method.decode(), target.decode(), body)))
        return 0

    def answer(self, method, target, body):
        if target == "/api/v1/config":
            return {"keys": []}
        return {"leases": [
            {"surface": "documented", "state": "active", "index": gpu, "name": name, "min_bytes": size}
            for (gpu, name), size in self.leases.items()]}

    def gk_allocate(self, _, request, lease, into):
        result = self._fail("gk_allocate")
        if result:
            return result
        wanted = request._obj
        key = (wanted.device, wanted.name.decode())
        if key in self.leases:
            return self._say(4, "the name is taken")
        self.leases[key] = wanted.bytes
        lease._obj.id, lease._obj.bytes, lease._obj.device = len(self.leases), wanted.bytes, wanted.device
        if into is not None:
            self._write(into, "{}")
        return 0

    def gk_release_named(self, _, name, device):
        result = self._fail("gk_release_named")
        if result:
            return result
        return 0 if self.leases.pop((device, name.decode()), None) else self._say(2, "there is no such lease")

    def gk_release(self, _, lease):
        return self._fail("gk_release")
