"""A client of NVML with declarations of its own: calls the fake through ctypes and compares every answer.

Run by ctest under `fake_nvml_run --gpus 2 --processes 3 --first-pid 4000`; the expected values are those that
fake_nvml_run.cpp gives GPU number g and process number p. Nothing here is shared with abi.hpp or with the NVML backend,
so a struct that is declared wrongly on one side shows as a wrong number here.
"""

import ctypes as c
import sys
import time
import unittest

MIB = 1 << 20
NVML = c.CDLL("libnvidia-ml.so.1")


def version(struct, number):
    return c.sizeof(struct) | number << 24


class Pci(c.Structure):
    _fields_ = [("legacy", c.c_char * 16), ("domain", c.c_uint), ("bus", c.c_uint), ("device", c.c_uint),
                ("id", c.c_uint), ("subsystem", c.c_uint), ("text", c.c_char * 32)]


class Memory(c.Structure):
    _fields_ = [("total", c.c_ulonglong), ("free", c.c_ulonglong), ("used", c.c_ulonglong)]


class Memory2(c.Structure):
    _fields_ = [("version", c.c_uint), ("total", c.c_ulonglong), ("reserved", c.c_ulonglong),
                ("free", c.c_ulonglong), ("used", c.c_ulonglong)]


class Rates(c.Structure):
    _fields_ = [("gpu", c.c_uint), ("memory", c.c_uint)]


class Process1(c.Structure):
    _fields_ = [("pid", c.c_uint), ("memory", c.c_ulonglong)]


class Process2(c.Structure):
    _fields_ = [("pid", c.c_uint), ("memory", c.c_ulonglong), ("instance", c.c_uint), ("compute", c.c_uint)]


class ProcessSample(c.Structure):
    _fields_ = [("pid", c.c_uint), ("time", c.c_ulonglong), ("sm", c.c_uint), ("memory", c.c_uint),
                ("encoder", c.c_uint), ("decoder", c.c_uint)]


class Value(c.Union):
    _fields_ = [("d", c.c_double), ("u", c.c_uint), ("i", c.c_int), ("ull", c.c_ulonglong)]


class Field(c.Structure):
    _fields_ = [("id", c.c_uint), ("scope", c.c_uint), ("time", c.c_longlong), ("latency", c.c_longlong),
                ("type", c.c_int), ("code", c.c_int), ("value", Value)]


class Temperature(c.Structure):
    _fields_ = [("version", c.c_uint), ("sensor", c.c_uint), ("value", c.c_int)]


class Event(c.Structure):
    _fields_ = [("device", c.c_void_p), ("type", c.c_ulonglong), ("data", c.c_ulonglong),
                ("instance", c.c_uint), ("compute", c.c_uint)]


def handle(index):
    device = c.c_void_p()
    code = NVML.nvmlDeviceGetHandleByIndex_v2(c.c_uint(index), c.byref(device))
    assert code == 0, code
    return device


def number(function, index, *arguments, kind=c.c_uint):
    out = kind()
    code = getattr(NVML, function)(handle(index), *arguments, c.byref(out))
    assert code == 0, (function, code)
    return out.value


def text(function, *arguments, size=96):
    out = c.create_string_buffer(size)
    code = getattr(NVML, function)(*arguments, out, c.c_uint(size))
    assert code == 0, (function, code)
    return out.value.decode()


class CtypesClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert NVML.nvmlInit_v2() == 0

    @classmethod
    def tearDownClass(cls):
        assert NVML.nvmlShutdown() == 0

    def test_struct_sizes_are_those_of_the_public_header(self):
        sizes = {Pci: 68, Memory: 24, Memory2: 40, Process1: 16, Process2: 24, ProcessSample: 32, Field: 40, Event: 32}
        for struct, size in sizes.items():
            self.assertEqual(c.sizeof(struct), size, struct)

    def test_count_and_names(self):
        count = c.c_uint()
        self.assertEqual(NVML.nvmlDeviceGetCount_v2(c.byref(count)), 0)
        self.assertEqual(count.value, 2)
        for g in range(2):
            self.assertEqual(text("nvmlDeviceGetName", handle(g)), "NVIDIA H100 80GB HBM3")
            self.assertEqual(text("nvmlDeviceGetUUID", handle(g)), f"GPU-5eed000{g}-0000-4000-8000-00000000000{g}")
            self.assertEqual(text("nvmlDeviceGetSerial", handle(g), size=30), f"165002300000{g}")
            self.assertEqual(number("nvmlDeviceGetIndex", g), g)
            self.assertEqual(number("nvmlDeviceGetMinorNumber", g), g)
        self.assertEqual(text("nvmlSystemGetDriverVersion", size=80), "590.48.01")

    def test_pci(self):
        for g in range(2):
            pci = Pci()
            self.assertEqual(NVML.nvmlDeviceGetPciInfo_v3(handle(g), c.byref(pci)), 0)
            self.assertEqual((pci.domain, pci.bus, pci.device, pci.id), (0, 0x10 + g, 0, 0x233010DE))
            self.assertEqual(pci.legacy.decode(), f"0000:1{g}:00.0")
            self.assertEqual(pci.text.decode(), f"00000000:1{g}:00.0")

    def test_sensors(self):
        for g in range(2):
            self.assertEqual(number("nvmlDeviceGetTemperature", g, c.c_uint(0)), 41 + g)
            temperature = Temperature(version=version(Temperature, 1))
            self.assertEqual(NVML.nvmlDeviceGetTemperatureV(handle(g), c.byref(temperature)), 0)
            self.assertEqual(temperature.value, 41 + g)
            self.assertEqual(number("nvmlDeviceGetPowerUsage", g), 100000 + 11000 * g)
            self.assertEqual(number("nvmlDeviceGetEnforcedPowerLimit", g), 700000)
            self.assertEqual(number("nvmlDeviceGetFanSpeed", g), 30 + g)
            self.assertEqual(number("nvmlDeviceGetClockInfo", g, c.c_uint(0)), 1200 + 15 * g)
            self.assertEqual(number("nvmlDeviceGetMaxClockInfo", g, c.c_uint(2)), 2619)
            self.assertEqual(number("nvmlDeviceGetPcieThroughput", g, c.c_uint(1)), 2000000 + 1000 * g)
            rates = Rates()
            self.assertEqual(NVML.nvmlDeviceGetUtilizationRates(handle(g), c.byref(rates)), 0)
            self.assertEqual((rates.gpu, rates.memory), (11 + 7 * g, 5 + 3 * g))

    def test_memory_in_both_forms(self):
        for g in range(2):
            used = sum(100 + 10 * g + p for p in range(3)) * MIB + 17 * MIB
            first = Memory()
            self.assertEqual(NVML.nvmlDeviceGetMemoryInfo(handle(g), c.byref(first)), 0)
            second = Memory2(version=version(Memory2, 2))
            self.assertEqual(NVML.nvmlDeviceGetMemoryInfo_v2(handle(g), c.byref(second)), 0)
            self.assertEqual(second.used, used)
            self.assertEqual(first.used, second.used + second.reserved)
            self.assertEqual(first.total, second.used + second.reserved + second.free)
            second.version = 2
            self.assertEqual(NVML.nvmlDeviceGetMemoryInfo_v2(handle(g), c.byref(second)), 25)

    def test_processes_in_both_forms(self):
        for g in range(2):
            count = c.c_uint(0)
            self.assertEqual(NVML.nvmlDeviceGetComputeRunningProcesses_v3(handle(g), c.byref(count), None), 7)
            self.assertEqual(count.value, 3)
            new, old = (Process2 * 3)(), (Process1 * 3)()
            self.assertEqual(NVML.nvmlDeviceGetComputeRunningProcesses_v3(handle(g), c.byref(count), new), 0)
            self.assertEqual(NVML.nvmlDeviceGetComputeRunningProcesses(handle(g), c.byref(count), old), 0)
            for p in range(3):
                expected = (4000 + 3 * g + p, (100 + 10 * g + p) * MIB)
                self.assertEqual((new[p].pid, new[p].memory), expected)
                self.assertEqual((old[p].pid, old[p].memory), expected)
                self.assertEqual(new[p].instance, 0xFFFFFFFF)

    def test_process_utilization(self):
        count = c.c_uint(8)
        samples = (ProcessSample * 8)()
        self.assertEqual(NVML.nvmlDeviceGetProcessUtilization(handle(1), samples, c.byref(count), c.c_ulonglong(0)), 0)
        self.assertEqual([(s.pid, s.sm, s.memory) for s in samples[:count.value]],
                         [(4003, 3, 1), (4004, 4, 2), (4005, 5, 3)])
        self.assertLess(abs(samples[0].time / 1e6 - time.time()), 60)

    def test_field_values(self):
        fields = (Field * 5)()
        for field, number_of_it in zip(fields, (82, 185, 193, 197, 91)):
            field.id = number_of_it
        self.assertEqual(NVML.nvmlDeviceGetFieldValues(handle(1), c.c_int(5), fields), 0)
        self.assertEqual([f.code for f in fields], [0, 0, 0, 0, 3])
        self.assertEqual(fields[0].value.u, 52)
        self.assertEqual(fields[1].value.u, 111000)
        self.assertEqual(fields[2].value.i, -8)
        self.assertGreater(fields[3].value.ull, 0)

    def test_energy_grows(self):
        before = number("nvmlDeviceGetTotalEnergyConsumption", 0, kind=c.c_ulonglong)
        deadline = time.monotonic() + 10
        while number("nvmlDeviceGetTotalEnergyConsumption", 0, kind=c.c_ulonglong) <= before:
            self.assertLess(time.monotonic(), deadline)

    def test_events_time_out(self):
        events, event = c.c_void_p(), Event()
        self.assertEqual(NVML.nvmlEventSetCreate(c.byref(events)), 0)
        self.assertEqual(NVML.nvmlDeviceRegisterEvents(handle(0), c.c_ulonglong(8), events), 0)
        self.assertEqual(NVML.nvmlEventSetWait_v2(events, c.byref(event), c.c_uint(1)), 10)
        self.assertEqual(NVML.nvmlEventSetFree(events), 0)

    def test_error_words(self):
        NVML.nvmlErrorString.restype = c.c_char_p
        self.assertEqual(NVML.nvmlErrorString(3), b"Not Supported")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
