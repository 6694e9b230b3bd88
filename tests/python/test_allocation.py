#!/usr/bin/python3
"""The account of one GPU's memory in this process alone."""
import math
import threading
import unittest

import support  # noqa: F401
from gpu_manager import GPUMemoryAllocation


def account(limit=6144):
    return GPUMemoryAllocation(gpu_id=0, total_memory_mb=8192, limit_mb=limit)


class AllocationTest(unittest.TestCase):
    def test_what_is_allocated_is_no_longer_available(self):
        ours = account()
        self.assertTrue(ours.allocate("a", 1024))
        self.assertEqual(ours.get_available_memory(), 5120)
        self.assertIsInstance(ours.get_available_memory(), int)
        self.assertTrue(ours.deallocate("a"))
        self.assertEqual(ours.get_available_memory(), 6144)

    def test_the_limit_may_be_reached_and_not_passed(self):
        ours = account()
        self.assertTrue(ours.allocate("a", 6144))
        self.assertFalse(ours.allocate("b", 1))

    def test_an_id_stands_once(self):
        ours = account()
        self.assertTrue(ours.allocate("a", 1))
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            self.assertFalse(ours.allocate("a", 1))
        self.assertEqual(logged.records[0].getMessage(), "Allocation ID already exists")
        self.assertEqual(logged.records[0].allocation_id, "a")

    def test_what_was_not_allocated_is_not_given_back(self):
        with self.assertLogs("gpu_manager", "WARNING") as logged:
            self.assertFalse(account().deallocate("nobody"))
        self.assertEqual(logged.records[0].getMessage(), "Allocation ID not found")

    def test_what_is_no_size_is_refused(self):
        for size in (0, -1, -0.5, math.nan, math.inf, True, "1024", None, [1], 10**30):
            with self.subTest(size=size), self.assertLogs("gpu_manager", "WARNING"):
                self.assertFalse(account().allocate("a", size))

    def test_what_is_no_name_is_refused(self):
        for name in ("", None, True, 1.5, b"a", "a\0b", "\ud800", "x" * 257):
            with self.subTest(name=name), self.assertLogs("gpu_manager", "WARNING"):
                self.assertFalse(account().allocate(name, 1))

    def test_a_number_is_a_name_by_its_digits(self):
        ours = account()
        self.assertTrue(ours.allocate(7, 1))
        with self.assertLogs("gpu_manager", "WARNING"):
            self.assertFalse(ours.allocate("7", 1))
        self.assertTrue(ours.deallocate(7))

    def test_the_statistics_have_six_keys(self):
        ours = account()
        ours.allocate("a", 1024)
        ours.allocate("b", 2048.5)
        stats = ours.get_usage_stats()
        self.assertEqual(stats, {
            "total_mb": 8192, "limit_mb": 6144, "allocated_mb": 3072.5, "available_mb": 3071.5, "allocation_count": 2,
            "allocations": {"a": 1024, "b": 2048.5}})
        stats["allocations"].clear()  # a copy
        self.assertEqual(len(ours.allocations), 2)

    def test_a_limit_that_was_lowered_blocks_and_revokes_nothing(self):
        ours = account()
        ours.allocate("a", 4096)
        ours.limit_mb = 1024
        self.assertEqual(ours.get_available_memory(), 0)
        self.assertEqual(ours.allocations, {"a": 4096})

    def test_the_sum_never_passes_the_limit_whoever_asks(self):
        ours = account(limit=10)
        seen = []

        def work(number):
            for turn in range(200):
                if ours.allocate(f"{number}", 3):
                    seen.append(sum(ours.get_usage_stats()["allocations"].values()))
                    ours.deallocate(f"{number}")

        import logging
        logging.getLogger("gpu_manager").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("gpu_manager").setLevel, logging.NOTSET)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(max(seen), 10)
        self.assertEqual(ours.get_available_memory(), 10)


if __name__ == "__main__":
    unittest.main()
