#!/usr/bin/python3
"""The wheel: built offline into a virtual environment, and used there away from the checkout."""
import csv
import base64
import hashlib
import os
import subprocess
import sys
import unittest
import zipfile

import support

sys.path.insert(0, support.PYTHON)
import build_backend

MOST = 5 << 20  # bytes; 4.94 MiB on 2026-11-22, optimised


@support.needs_library
class WheelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = support.folder()
        cls.wheel = os.path.join(cls.folder, build_backend.build_wheel(cls.folder))

    def test_it_has_the_packages_their_types_and_the_library(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            self.assertIsNone(archive.testzip())
            info = archive.getinfo("gpukeeper/libgpukeeper.so.0")
            self.assertEqual(info.external_attr >> 16 & 0o777, 0o755)
            metadata = archive.read(f"gpukeeper-{build_backend.version()}.dist-info/METADATA").decode()
        for name in ("gpukeeper/__init__.py", "gpukeeper/py.typed", "gpu_manager/__init__.py", "api_gpu/__init__.py"):
            self.assertIn(name, names)
        self.assertFalse([name for name in names if "__pycache__" in name or name.startswith("build_backend")])
        self.assertNotIn("Requires-Dist", metadata)

    def test_its_record_has_every_file(self):
        with zipfile.ZipFile(self.wheel) as archive:
            name = next(each for each in archive.namelist() if each.endswith("/RECORD"))
            rows = {path: (digest, size) for path, digest, size in csv.reader(archive.read(name).decode().splitlines())}
            self.assertEqual(sorted(rows), sorted(archive.namelist()))
            for path, (digest, size) in rows.items():
                if path != name:
                    data = archive.read(path)
                    expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                    self.assertEqual((digest, size), (f"sha256={expected}", str(len(data))), path)

    def test_its_tag_says_which_glibc_it_needs(self):
        with open(support.LIBRARY, "rb") as file:
            library = file.read()
        self.assertIn(f"-py3-none-{build_backend.platform_tag(library)}.whl", self.wheel)
        self.assertEqual(build_backend.platform_tag(b"GLIBC_2.4\0GLIBC_2.34\0GLIBC_2.5\0"), f"manylinux_2_34_{os.uname().machine}")
        self.assertEqual(build_backend.platform_tag(b"GLIBC_2.34\0GLIBC_ABI_DT_RELR\0"), f"manylinux_2_36_{os.uname().machine}")
        self.assertEqual(build_backend.platform_tag(b""), f"manylinux_2_17_{os.uname().machine}")

    @unittest.skipUnless(os.environ.get("GPUKEEPER_BUILD_TYPE") != "Debug", "an unoptimized library is larger")
    def test_it_is_small(self):
        self.assertLess(os.path.getsize(self.wheel), MOST)

    def test_the_same_files_make_the_same_wheel(self):
        other = support.folder()
        again = os.path.join(other, build_backend.build_wheel(other))
        with open(self.wheel, "rb") as first, open(again, "rb") as second:
            self.assertEqual(first.read(), second.read())

    def test_a_source_archive_has_what_builds_it(self):
        import tarfile

        name = build_backend.build_sdist(self.folder)
        with tarfile.open(os.path.join(self.folder, name)) as archive:
            files = {each.partition("/")[2] for each in archive.getnames()}
        self.assertLessEqual({"pyproject.toml", "build_backend.py", "VERSION", "PKG-INFO", "gpukeeper/__init__.py"}, files)

    def test_without_the_library_it_says_what_to_do(self):
        before = os.environ["GPUKEEPER_LIBRARY"]
        self.addCleanup(os.environ.__setitem__, "GPUKEEPER_LIBRARY", before)
        os.environ["GPUKEEPER_LIBRARY"] = "/nowhere.so"
        with self.assertRaises(SystemExit) as raised:
            build_backend.build_wheel(self.folder)
        self.assertEqual(str(raised.exception), "libgpukeeper.so is not at /nowhere.so: build it with ./test, or name it in GPUKEEPER_LIBRARY")

    def test_pip_installs_it_offline_and_it_runs_away_from_the_checkout(self):
        venv = os.path.join(self.folder, "venv")
        done = subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", venv], capture_output=True, text=True, check=False)
        if done.returncode:
            self.skipTest("there is no venv (Debian: python3-venv): " + done.stdout.strip().splitlines()[0])
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CACHE_DIR": support.folder(),
                       "GPUKEEPER_SOURCE": support.TWO_GPUS}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run([os.path.join(venv, "bin/pip"), "install", "--quiet", support.PYTHON], env=environment,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        environment.pop("GPUKEEPER_LIBRARY")
        code = ("import gpukeeper, gpu_manager, api_gpu, os\nm = gpu_manager.get_gpu_manager()\n"
                "print(m.gpu_count, gpukeeper.__file__.startswith(os.environ['VENV']))")
        done = subprocess.run([os.path.join(venv, "bin/python"), "-c", code], env={**environment, "VENV": venv}, cwd="/",
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr), ("2 True\n", ""))


if __name__ == "__main__":
    unittest.main()
