"""What systemd says of the units in deploy/systemd: that they are right, and how exposed the service is."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = sys.argv[1:3]
UNITS = os.path.join(SOURCE, "deploy", "systemd")
MOST_EXPOSED = 3.5
DROP_INS = ("actuators.conf", "attribution.conf", "kmsg.conf")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Root:
    """A folder with the service in it, where systemd-analyze --root looks for it."""

    def __init__(self, *drop_ins, change=lambda text: text):
        self._folder = tempfile.TemporaryDirectory()
        self.path = self._folder.name
        units = os.path.join(self.path, "usr/lib/systemd/system")
        place = os.path.join(self.path, "etc/systemd/system/gpukeeper.service.d")
        os.makedirs(units)
        os.makedirs(place)
        with open(os.path.join(UNITS, "gpukeeper.service"), encoding="utf-8") as file:
            text = change(file.read())
        with open(os.path.join(units, "gpukeeper.service"), "w", encoding="utf-8") as file:
            file.write(text)
        shutil.copy(os.path.join(UNITS, "gpukeeper.socket"), units)
        for name in drop_ins:
            shutil.copy(os.path.join(UNITS, name), place)

    def close(self):
        self._folder.cleanup()

    def exposure(self):
        """The number that systemd gives, and its page."""
        said = run("systemd-analyze", "security", "--offline=yes", "--no-pager", f"--root={self.path}", "gpukeeper.service")
        self.close()
        found = re.search(r"Overall exposure level for gpukeeper.service: ([0-9.]+)", said.stdout)
        return (float(found.group(1)) if found else None), said.stdout + said.stderr


class TestUnits(unittest.TestCase):
    def test_the_service_is_little_exposed(self):
        number, page = Root().exposure()
        self.assertIsNotNone(number, page)
        self.assertLessEqual(number, MOST_EXPOSED, page)

    def test_a_service_with_less_taken_away_would_be_told_apart(self):
        number, page = Root(change=lambda text: re.sub(r"(?m)^(Protect|Restrict|SystemCall).*\n", "", text)).exposure()
        self.assertIsNotNone(number, page)
        self.assertGreater(number, MOST_EXPOSED, page)

    def test_every_drop_in_is_understood_and_gives_something_up(self):
        plain, _ = Root().exposure()
        for name in DROP_INS:
            number, page = Root(name).exposure()
            self.assertIsNotNone(number, page)
            self.assertGreater(number, plain, name)
            self.assertNotRegex(page, "(?i)unknown|ignoring|failed to parse", name)

    def test_nothing_in_the_units_is_unknown_to_systemd(self):
        root = Root(*DROP_INS)
        for command in ("usr/bin/gpukeeper", "bin/kill"):
            path = os.path.join(root.path, command)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n")
            os.chmod(path, 0o755)
        said = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root.path}",
                   "gpukeeper.service", "gpukeeper.socket")
        root.close()
        ours = [line for line in said.stderr.splitlines() if "gpukeeper" in line]
        self.assertEqual(ours, [])

    def lines_of(self, name, key):
        with open(os.path.join(UNITS, name), encoding="utf-8") as file:
            return [line.split("=", 1)[1].strip() for line in file if line.startswith(key + "=")]

    # systemd 252: RuntimeDirectoryPreserve=restart takes the folder away at a stop, with the socket that systemd listens at.
    def test_the_socket_of_the_socket_unit_outlives_a_stop_of_the_service(self):
        paths = [path for path in self.lines_of("gpukeeper.socket", "ListenStream") if path.startswith("/run/")]
        folders = self.lines_of("gpukeeper.service", "RuntimeDirectory")
        self.assertEqual([os.path.dirname(path) for path in paths], ["/run/" + folder for folder in folders])
        self.assertEqual(self.lines_of("gpukeeper.service", "RuntimeDirectoryPreserve"), ["yes"])

    # Names of groups are looked up when the unit starts: a driver that is loaded later would not be among them.
    def test_gpus_whose_driver_is_loaded_later_may_be_used(self):
        allowed = self.lines_of("gpukeeper.service", "DeviceAllow")
        for name, major in (("char-nvidia*", 195), ("char-drm", 226), ("char-accel", 261)):
            self.assertIn(f"{name} rw", allowed)
            self.assertIn(f"char-{major} rw", allowed)

    def test_the_documented_drop_ins_are_those_there_are(self):
        there = sorted(name for name in os.listdir(UNITS) if name.endswith(".conf"))
        self.assertEqual(there, sorted(DROP_INS))
        with open(os.path.join(UNITS, "README.md"), encoding="utf-8") as file:
            text = file.read()
        for name in os.listdir(UNITS):
            if name != "README.md":
                self.assertIn(f"`{name}`", text)


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("there is no systemd-analyze: skipped")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
