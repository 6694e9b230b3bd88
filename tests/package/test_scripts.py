"""What the packages' scripts ask of a running system: in a mount namespace with a /run of its own, and tools that only note
what they were told."""

import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = sys.argv[1]
SCRIPTS = os.path.join(SOURCE, "deploy/debian")
TOOLS = ("systemctl", "deb-systemd-invoke", "deb-systemd-helper", "systemd-sysusers", "systemd-tmpfiles")
# A script of its own in front, as nothing else may see that /run.
INSIDE = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec sh \"$@\""


def inside(folder, *command):
    environment = {"PATH": folder + ":" + os.environ["PATH"], "TOLD": os.path.join(folder, "told")}
    return subprocess.run(["unshare", "--mount", "sh", "-c", INSIDE, "sh", *command], capture_output=True, text=True,
                          env=environment, check=False)


class TestScripts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name in TOOLS:
            self.tool(name, 0)

    def tool(self, name, status):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho {name} "$@" >>"$TOLD"\nexit {status}\n')
        os.chmod(path, 0o755)

    def told(self, script, *arguments):
        done = inside(self.folder.name, os.path.join(SCRIPTS, script), *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(os.path.join(self.folder.name, "told"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_removing_stops_the_socket_too_and_first(self):
        self.assertIn("deb-systemd-invoke stop gpukeeper.socket gpukeeper.service", self.told("prerm", "remove"))

    def test_purging_forgets_both_units(self):
        # Of the state directory nothing is there: the folders that it takes away are those of this machine.
        with tempfile.TemporaryDirectory() as root:
            done = subprocess.run(["sh", os.path.join(SCRIPTS, "postrm"), "purge"], capture_output=True, text=True, check=False,
                                  env={"PATH": self.folder.name + ":" + os.environ["PATH"], "DPKG_ROOT": root,
                                       "TOLD": os.path.join(self.folder.name, "told")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(os.path.join(self.folder.name, "told"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "deb-systemd-helper purge gpukeeper.socket gpukeeper.service\n")

    def test_a_folder_that_cannot_be_made_breaks_no_installation(self):
        self.tool("systemd-tmpfiles", 73)
        self.assertIn("deb-systemd-invoke start gpukeeper.service", self.told("postinst", "configure", ""))

    def test_without_its_user_it_is_not_installed(self):
        self.tool("systemd-sysusers", 1)
        done = inside(self.folder.name, os.path.join(SCRIPTS, "postinst"), "configure", "")
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        print("a /run of its own takes root: skipped")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
