"""PostgreSQL behind PgBouncer in transaction mode, for ./bench database. Usage: database_server.py SOURCE_DIR CONNECTIONS
Prints the address when it answers, and ends with its input. Prints nothing where one of them is not installed."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(sys.argv[1], "tests/integration"))
import postgres_server as pg  # noqa: E402

BOUNCER = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")

if pg.available() and BOUNCER:
    with pg.Postgres(f"max_connections={int(sys.argv[2]) + 10}") as server:
        server.start()
        port = pg.free_port()
        settings = os.path.join(server.folder, "pgbouncer.ini")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f"[databases]\npostgres = host=127.0.0.1 port={server.port} user=postgres password={pg.PASSWORD}\n"
                       f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
                       f"pool_mode = transaction\nmax_client_conn = 20000\ndefault_pool_size = {sys.argv[2]}\n"
                       "log_connections = 0\nlog_disconnections = 0\n")
        bouncer = subprocess.Popen([*server.other_user, BOUNCER, "-q", settings], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        pg.wait_for("PgBouncer answers", lambda: subprocess.run(["psql", "-XAtqc", "SELECT 1", url], capture_output=True,
                                                                check=False).returncode == 0)
        print(url, flush=True)
        sys.stdin.read()
        bouncer.terminate()
        bouncer.wait(pg.PATIENCE)
