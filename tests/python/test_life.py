#!/usr/bin/python3
"""Beginnings and ends: fork(), the interpreter's end, ten thousand managers, and what a process leaves behind."""
import unittest

import support

TWO = support.TWO_GPUS


@support.needs_library
class LifeTest(unittest.TestCase):
    def run_(self, code, **environment):
        done = support.run_python(code, GPUKEEPER_SOURCE=TWO, **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_a_forked_child_goes_on_with_its_own(self):
        said = self.run_("""
import os
from gpu_manager import get_gpu_manager
manager = get_gpu_manager()
manager.update_config({"temp_throttle": 80})
manager.start_monitoring()
child = os.fork()
if child == 0:
    ours = get_gpu_manager()
    good = (ours is manager and ours.get_gpu_status()["available"] and not ours.is_monitoring
            and ours.config["temp_throttle"] == 80 and ours.get_gpu_status()["thresholds"]["temp_throttle"] == 80)
    ours.start_monitoring()
    good = good and ours.is_monitoring
    ours.stop_monitoring()
    os._exit(0 if good else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), manager.is_monitoring, manager.get_gpu_status()["available"])
""")
        self.assertEqual(said, "0 True True\n")

    def test_a_forked_child_may_end_as_it_likes(self):
        said = self.run_("""
import os, sys
import gpukeeper
monitor = gpukeeper.Monitor(ledger="memory")
lease = monitor.lease("1MiB")
child = os.fork()
if child == 0:
    try:
        monitor.read()
    except gpukeeper.Forked:
        sys.exit(7)  # atexit, and all that is collected
    sys.exit(1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
lease.release()
print(status)
""")
        self.assertEqual(said, "7\n")

    def test_multiprocessing_works_with_fork(self):
        said = self.run_("""
import multiprocessing
from gpu_manager import get_gpu_manager
def work(index):
    return get_gpu_manager().get_gpu_status(index)["gpu_id"]
get_gpu_manager().start_monitoring()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, [0, 1, 0, 1]))
""")
        self.assertEqual(said, "[0, 1, 0, 1]\n")

    def test_an_interpreter_ends_whatever_runs(self):
        for code in (
            "m = get_gpu_manager(); m.register_callback('state_change', lambda *a: time.sleep(10)); m.start_monitoring(); time.sleep(0.3)",
            "m = gpukeeper.Monitor(); s = m.subscribe(lambda event: time.sleep(0.05)); m.start(); time.sleep(0.3)",
            "m = gpukeeper.Monitor(); m.subscribe(print, ['critical']); m.start(); sys.modules['keep'] = m",
            "threading.Thread(target=gpukeeper.Monitor().readings).start()",
            "gpukeeper.on_reclaim(lambda request: None)",
            "m = gpukeeper.Monitor(ledger='memory'); m.lease('6GiB', device=1, require_device=True)\n"
            "threading.Thread(target=lambda: m.lease('6GiB', device=1, require_device=True, wait=600), daemon=True).start()\n"
            "threading.excepthook = lambda *a: None; time.sleep(0.2)",
        ):
            with self.subTest(code):
                self.run_("import sys, threading, time, gpukeeper\nfrom gpu_manager import get_gpu_manager\n" + code)

    def test_ten_thousand_managers_leave_nothing(self):
        # Some first, so that what is kept once for all is there before it is counted: memory is level after 400.
        said = self.run_("""
import gc, logging, os, time
logging.disable(logging.CRITICAL)
from gpu_manager import GPUManager
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10
def facts():
    gc.collect()
    return resident(), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
def churn(count):
    for _ in range(count):
        manager = GPUManager()
        manager.get_gpu_status()
churn(600)
before = facts()
churn(COUNT)
after, end = facts(), time.monotonic() + 30
while after[2] > before[2] and time.monotonic() < end:  # a thread that has done its work may still have to end
    time.sleep(0.05)
    after = facts()
print(after[0] - before[0], after[1] - before[1], after[2] - before[2])
""".replace("COUNT", str(support.COUNT)), MALLOC_ARENA_MAX="1")
        grown, files, threads = map(int, said.split())
        self.assertLess(grown, 2 * 1024, "KiB")
        self.assertLessEqual((files, threads), (0, 0))  # one that was ending when it was counted first is gone now

    def test_what_a_process_booked_ends_with_it(self):
        folder = support.folder()
        self.run_("from gpu_manager import get_gpu_manager\nassert get_gpu_manager().allocate_memory('a', 1024)", STATE_DIRECTORY=folder)
        said = self.run_("from gpu_manager import get_gpu_manager\nm = get_gpu_manager()\n"
                         "print(m.allocate_memory('a', 1024), m.get_available_memory())", STATE_DIRECTORY=folder)
        self.assertEqual(said, "True 5120\n")

    def test_two_processes_share_one_limit(self):
        folder = support.folder()
        said = self.run_("""
import subprocess, sys
from gpu_manager import get_gpu_manager
manager = get_gpu_manager()
print(manager.allocate_memory("ours", 4096))
other = "from gpu_manager import *; m = get_gpu_manager(); print(m.allocate_memory('theirs', 2049), m.allocate_memory('theirs', 2048), m.allocate_memory('ours', 1))"
print(subprocess.run([sys.executable, "-c", other], capture_output=True, text=True).stdout, end="")
print(manager.get_available_memory())
""", STATE_DIRECTORY=folder)
        self.assertEqual(said.split("\n")[:2], ["True", "False True False"])


if __name__ == "__main__":
    unittest.main()
