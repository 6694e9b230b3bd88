"""The Debian packages: what cpack makes of this build, as lintian sees it and as dpkg installs it in a root of its own."""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = sys.argv[1:3]
NAMES = ("gpukeeper", "libgpukeeper-dev", "libgpukeeper0", "python3-gpukeeper")
LINTIAN_READS_IN_SECONDS = 12 << 20
SCENARIO = os.path.join(SOURCE, "examples/scenarios/two-gpus.yaml")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def well(*command, **options):
    said = run(*command, **options)
    if said.returncode != 0:
        raise AssertionError(f"{' '.join(command)} failed with {said.returncode}:\n{said.stdout}{said.stderr}")
    return said.stdout


def read(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        return file.read()


class Packages:
    """What cpack made, in a folder that goes with the test."""

    def __init__(self, folder):
        self.folder = folder
        well("cmake", "--build", BUILD, "--target", "gpukeeper_packed")
        well("cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", folder,
             "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip")
        self.paths = {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".deb"):
                self.paths[name.split("_")[0]] = os.path.join(folder, name)

    def field(self, package, name):
        return well("dpkg-deb", "--field", self.paths[package], name).strip()

    def contents(self, package):
        lines = well("dpkg-deb", "--contents", self.paths[package]).splitlines()
        return {line.split()[5].removeprefix("."): line.split()[:2] for line in lines}

    def of_version(self, package, version):
        """The same package, said to be of another version."""
        raw = os.path.join(self.folder, "raw")
        shutil.rmtree(raw, ignore_errors=True)
        well("dpkg-deb", "--raw-extract", self.paths[package], raw)
        control = os.path.join(raw, "DEBIAN/control")
        text = re.sub(r"(?m)^Version: .*$", f"Version: {version}", read(control))
        with open(control, "w", encoding="utf-8") as file:
            file.write(text)
        path = os.path.join(self.folder, f"{package}_{version}.deb")
        well("dpkg-deb", "--build", "-Znone", raw, path)
        return path


class Root:
    """A root with nothing in it but what dpkg puts there."""

    def __init__(self, path):
        self.path = path
        for folder in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/dpkg/triggers", "etc"):
            os.makedirs(os.path.join(path, folder))
        open(os.path.join(path, "var/lib/dpkg/status"), "w", encoding="utf-8").close()

    def dpkg(self, *arguments):
        return well("dpkg", f"--root={self.path}", "--force-depends", "--force-script-chrootless", "--force-confold",
                    "--log=/dev/null", *arguments)

    def at(self, path):
        return os.path.join(self.path, path.lstrip("/"))

    def has(self, path):
        return os.path.lexists(self.at(path))

    def state(self, package):
        said = run("dpkg-query", f"--admindir={self.path}/var/lib/dpkg", "-W", "-f=${db:Status-Status} ${Version}", package)
        return said.stdout


class TestPackages(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._folder.cleanup)
        cls.packages = Packages(cls._folder.name)

    def test_the_packages_of_this_version_are_made(self):
        helper = "gpukeeper-pod-resources"  # where gRPC is there
        built = [helper] if os.path.exists(os.path.join(BUILD, helper)) else []
        self.assertEqual(sorted(self.packages.paths), sorted([*NAMES, *built]))
        for name in built:
            self.assertIn(f"/usr/lib/gpukeeper/{name}", self.packages.contents(name))
        version = re.search(r"project\(gpukeeper VERSION ([0-9.]+)", read(os.path.join(SOURCE, "CMakeLists.txt"))).group(1)
        for name in NAMES:
            self.assertEqual(self.packages.field(name, "Version"), version)
        self.assertEqual(self.packages.field("python3-gpukeeper", "Architecture"), "all")
        self.assertEqual(self.packages.field("libgpukeeper-dev", "Depends"), f"libgpukeeper0 (= {version})")
        self.assertIn("libc6", self.packages.field("gpukeeper", "Depends"))
        self.assertIn("libcurl4 | libcurl4t64", self.packages.field("gpukeeper", "Recommends"))
        changelog = read(os.path.join(SOURCE, "deploy/debian/changelog"))
        self.assertTrue(changelog.startswith(f"gpukeeper ({version}) "), "deploy/debian/changelog is of another version")

    def test_everything_belongs_to_root_and_no_path_of_this_machine_is_in_it(self):
        for name in NAMES:
            for path, (mode, owner) in self.packages.contents(name).items():
                self.assertEqual(owner, "root/root", path)
                self.assertFalse(mode[0] != "l" and (mode[5] == "w" or mode[8] == "w"), f"{path} {mode}")
                self.assertRegex(path, r"^/($|usr/|etc/)")

    def test_lintian_finds_nothing(self):
        if not shutil.which("lintian"):
            self.skipTest("there is no lintian")
        # Of an archive it reads every member: minutes, of one that was built without optimisation and with debug data.
        paths = [path for path in self.packages.paths.values() if os.path.getsize(path) < LINTIAN_READS_IN_SECONDS]
        self.assertGreaterEqual(len(paths), 2)
        said = run("lintian", "--fail-on", "error,warning", "--allow-root", "--no-cfg", *paths)
        self.assertEqual((said.returncode, said.stdout), (0, ""), said.stderr)

    def test_installed_upgraded_removed_and_purged(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Root(folder)
            root.dpkg("--install", *self.packages.paths.values())
            for name in NAMES:
                self.assertRegex(root.state(name), "^installed ")
            self._is_installed(root)
            self._works(root)

            config = root.at("/etc/gpukeeper/gpukeeper.yaml")
            with open(config, "a", encoding="utf-8") as file:
                file.write("temp_throttle: 84\n")
            root.dpkg("--install", self.packages.of_version("gpukeeper", "99.1"))
            self.assertEqual(root.state("gpukeeper"), "installed 99.1")
            self.assertTrue(read(config).endswith("temp_throttle: 84\n"), "the upgrade took what was configured away")

            wanted = root.at("/etc/systemd/system/sockets.target.wants")  # systemctl enable gpukeeper.socket
            os.makedirs(wanted)
            os.symlink("/lib/systemd/system/gpukeeper.socket", os.path.join(wanted, "gpukeeper.socket"))

            root.dpkg("--remove", *NAMES)
            self.assertFalse(root.has("/usr/bin/gpukeeper"))
            self.assertFalse(root.has("/usr/lib/systemd/system/gpukeeper.service"))
            self.assertTrue(read(config).endswith("temp_throttle: 84\n"), "removing took what was configured away")
            self.assertTrue(root.has("/var/lib/gpukeeper"))

            root.dpkg("--purge", *NAMES)
            for path in ("/etc/gpukeeper", "/var/lib/gpukeeper", "/usr/share/doc/gpukeeper",
                         "/etc/systemd/system/multi-user.target.wants/gpukeeper.service",
                         "/etc/systemd/system/sockets.target.wants/gpukeeper.socket"):
                self.assertFalse(root.has(path), path)
            self.assertIn("gpukeeper:", read(root.at("/etc/passwd")))  # files elsewhere may be his

    def _is_installed(self, root):
        for path in ("/usr/bin/gpukeeper", "/etc/gpukeeper/gpukeeper.yaml", "/usr/lib/systemd/system/gpukeeper.service",
                     "/usr/lib/systemd/system/gpukeeper.socket", "/usr/lib/udev/rules.d/60-gpukeeper.rules",
                     "/usr/share/man/man1/gpukeeper.1.gz", "/usr/share/man/man1/gpukeeper-serve.1.gz",
                     "/usr/share/man/man5/gpukeeper.yaml.5.gz", "/usr/share/bash-completion/completions/gpukeeper",
                     "/usr/share/zsh/vendor-completions/_gpukeeper", "/usr/share/fish/vendor_completions.d/gpukeeper.fish",
                     "/usr/include/gpukeeper/gpukeeper.h", "/usr/lib/python3/dist-packages/gpukeeper/py.typed"):
            self.assertTrue(root.has(path), path)
        self.assertTrue(root.has("/etc/systemd/system/multi-user.target.wants/gpukeeper.service"), "it is not enabled")
        self.assertIn("gpukeeper:", read(root.at("/etc/passwd")))
        self.assertRegex(read(root.at("/etc/group")), r"(?m)^render:.*\bgpukeeper$")
        folder = os.stat(root.at("/var/lib/gpukeeper"))
        user = re.search(r"(?m)^gpukeeper:[^:]*:(\d+):(\d+):", read(root.at("/etc/passwd")))
        self.assertEqual((folder.st_uid, folder.st_gid, folder.st_mode & 0o7777),
                         (int(user.group(1)), int(user.group(2)), 0o750))

    def _works(self, root):
        program = root.at("/usr/bin/gpukeeper")
        config = root.at("/etc/gpukeeper/gpukeeper.yaml")
        self.assertEqual(well(program, "config", "check", config), f"{config} is well\n")
        said = run(program, "doctor", "--json", env={"GPUKEEPER_SOURCE": f"simulated:{SCENARIO}"})
        self.assertIn(said.returncode, (0, 1), said.stderr)  # of what is wrong with this machine it says so
        self.assertTrue(said.stdout.startswith("{"), said.stdout + said.stderr)
        library = next(os.path.join(folder, "libgpukeeper.so.0") for folder, _, files in os.walk(root.at("/usr/lib"))
                       if "libgpukeeper.so.0" in files)
        python = {"PYTHONPATH": root.at("/usr/lib/python3/dist-packages"), "GPUKEEPER_LIBRARY": library,
                  "GPUKEEPER_SOURCE": f"simulated:{SCENARIO}", "PYTHONDONTWRITEBYTECODE": "1"}
        code = "import gpukeeper, gpu_manager; print(gpukeeper.Monitor(ledger='memory').device_count)"
        self.assertEqual(well("/usr/bin/python3", "-c", code, env=python), "2\n")

    def test_man_reads_the_pages_without_a_complaint(self):
        if not shutil.which("groff"):
            self.skipTest("there is no groff")
        pages = [os.path.join(folder, name) for section in ("man1", "man5")
                 for folder in (os.path.join(BUILD, "share", section),) for name in os.listdir(folder)]
        self.assertGreater(len(pages), 20)
        for page in pages:
            said = run("groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", input=read(page))
            self.assertEqual((said.returncode, said.stderr), (0, ""), page)

    def test_what_a_shell_takes_from_the_package_is_what_the_program_says(self):
        program = os.path.join(BUILD, "gpukeeper")
        for name, words in (("gpukeeper.bash", ("completion", "bash")), ("_gpukeeper", ("completion", "zsh")),
                            ("gpukeeper.fish", ("completion", "fish")), ("gpukeeper.yaml", ("config", "example"))):
            self.assertEqual(read(os.path.join(BUILD, "share", name)), well(program, *words), name)


if __name__ == "__main__":
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "systemd-sysusers", "deb-systemd-helper"):
        if not shutil.which(tool):
            print(f"there is no {tool}: skipped")
            sys.exit(77)
    if os.geteuid() != 0:
        print("dpkg --root needs root: skipped")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
