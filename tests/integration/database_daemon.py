"""gpukeeper serve as tests of the database run it: over a simulated machine, ten readings a second."""
import sys

from exporting_daemon import ExportingDaemon, wait_for

BINARY, SOURCE_DIR = sys.argv[1], sys.argv[2]
QUICK = ("sample_interval=0.1", "database.interval=0.1", "database.timeout=1")


class Daemon(ExportingDaemon):
    """gpukeeper serve over two simulated GPUs. `prepare` is given its state directory before it is begun."""

    def __init__(self, url, *settings, **more):
        address = [f"database.url={url}"] if url else []
        super().__init__(BINARY, SOURCE_DIR, "database", (*QUICK, *address, *settings), **more)

    def until_arrived(self, rows):
        wait_for(f"{rows} rows have arrived", lambda: self.metric("sent_total") >= rows)
