"""A PostgreSQL server of a test's own, on a free port of this machine: started, killed, slowed and asked."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile

from exporting_daemon import PATIENCE, free_port, wait_for

PASSWORD = "s3cret-Of-The-Test"


def programs():
    """The folder of initdb and postgres; None where there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    return os.path.dirname(found[-1]) if found else None


def available():
    return programs() is not None and shutil.which("psql") is not None


class Postgres:
    """PostgreSQL refuses to run as root: then it runs as its package's own user, else as whoever runs the test."""

    def __init__(self, *settings):
        self.settings = settings
        self.folder = tempfile.mkdtemp(prefix="gk-pg-")
        self.data = os.path.join(self.folder, "data")
        self.port = free_port()
        self.process = None
        password = os.path.join(self.folder, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write(PASSWORD)
        os.mkdir(self.data, 0o700)
        self.other_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        if self.other_user:
            os.chmod(self.folder, 0o755)
            shutil.chown(self.data, "postgres", "postgres")
        self._run("initdb", "-D", self.data, "-A", "scram-sha-256", "-U", "postgres", "--pwfile", password, "-N",
                  "--locale=C.UTF-8")

    def _run(self, program, *arguments):
        subprocess.run([*self.other_user, os.path.join(programs(), program), *arguments], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL)

    def start(self):
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*self.other_user, os.path.join(programs(), "postgres"), "-D", self.data, "-c", "listen_addresses=127.0.0.1",
                 "-c", f"port={self.port}", "-c", f"unix_socket_directories={self.data}",
                 *[word for setting in self.settings for word in ("-c", setting)]],
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        wait_for("PostgreSQL answers", self.answers)
        return self

    def answers(self):
        if self.process.poll() is not None:  # one that was killed has left children that hold its memory for a moment
            self.start()
        return self.psql("SELECT 1", check=False) == "1"

    def url(self, user="postgres", password=PASSWORD, database="postgres"):
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def psql(self, sql, check=True):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url()], capture_output=True,
                              text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def rows(self, sql):
        return [line.split("|") for line in self.psql(sql).splitlines()]

    def everybody(self):
        """The server's processes, the first one first."""
        pids = [self.process.pid]
        for line in subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True,
                                   check=False).stdout.split():
            pids.append(int(line))
        return pids

    def signal_all(self, number):
        for pid in self.everybody():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        self.signal_all(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.signal_all(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
