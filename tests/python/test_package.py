#!/usr/bin/python3
"""The packages as a whole: types, what importing costs and loads, names, and that Python 3.9 reads them."""
import ast
import os
import re
import shutil
import subprocess
import sys
import unittest

import support
import gpukeeper

PACKAGES = ("gpukeeper", "gpu_manager", "api_gpu")


def sources():
    for package in PACKAGES:
        for folder, _, files in os.walk(os.path.join(support.PYTHON, package)):
            for name in files:
                if name.endswith(".py"):
                    yield os.path.join(folder, name)


class PackageTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mypy"), "mypy is not installed (Debian: mypy)")
    def test_mypy_finds_nothing(self):
        cache = os.environ.get("MYPY_CACHE_DIR") or support.folder()
        done = subprocess.run(
            ["mypy", "--strict", "--python-version", "3.9", "--cache-dir", cache, *PACKAGES, "build_backend.py"],
            cwd=support.PYTHON, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout.split(":")[0].strip()), (0, "Success"), done.stdout + done.stderr)

    def test_python_3_9_reads_every_file(self):
        for path in sources():
            with open(path, encoding="utf-8") as file:
                ast.parse(file.read(), path, feature_version=(3, 9))

    def test_lines_are_at_most_120_wide(self):
        for path in sources():
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    self.assertLessEqual(len(line.rstrip("\n")), 120, f"{path}:{number}")

    def test_each_package_says_that_it_is_typed(self):
        for package in PACKAGES:
            self.assertTrue(os.path.exists(os.path.join(support.PYTHON, package, "py.typed")))

    def test_every_public_name_is_there_and_no_other(self):
        for name in gpukeeper.__all__:
            self.assertIsNotNone(getattr(gpukeeper, name))
        self.assertEqual(dir(gpukeeper), sorted(gpukeeper.__all__))
        with self.assertRaisesRegex(AttributeError, "module 'gpukeeper' has no attribute 'Gpu'"):
            gpukeeper.Gpu

    def test_nothing_but_the_standard_library_is_imported(self):
        allowed = set(sys.stdlib_module_names) | set(PACKAGES) | {"flask"}
        for path in sources():
            with open(path, encoding="utf-8") as file:
                for node in ast.walk(ast.parse(file.read())):
                    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                    if isinstance(node, ast.ImportFrom) and node.level == 0:
                        names = [node.module]
                    for name in names:
                        self.assertIn(name.split(".")[0], allowed, path)

    def test_importing_loads_neither_the_library_nor_slow_modules(self):
        done = support.run_python(
            "import sys; before = set(sys.modules); import gpu_manager; print(*sorted(set(sys.modules) - before))")
        loaded = done.stdout.split()
        self.assertIn("gpu_manager.manager", loaded, done.stderr)
        for slow in ("ctypes", "logging", "json", "dataclasses", "typing", "asyncio", "http.client", "inspect", "re"):
            self.assertNotIn(slow, loaded)

    def test_the_version_of_the_wheel_is_the_projects(self):
        sys.path.insert(0, support.PYTHON)
        import build_backend

        with open(os.path.join(support.ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
            self.assertEqual(build_backend.version(), re.search(r"project\(gpukeeper VERSION (\S+)", file.read()).group(1))


if __name__ == "__main__":
    unittest.main()
