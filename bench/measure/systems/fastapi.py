# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/fastapi_seed with its PostgreSQL (fsync on) and Redis. All their processes count as the system."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from measure.processes import Process, Tree, free_port, wait_until
from measure.systems.server import Server, self_signed

SOURCE = Path(__file__).resolve().parents[2] / "fastapi_seed"
EMAIL, PASSWORD = "bench@example.org", "a long bench passphrase"


class Postgres:
    """PostgreSQL as Debian sets it up, in a folder of its own; as the user postgres when we are root, which it refuses."""

    def __init__(self, parent):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=parent))
        self.process = None

    def start(self):
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        run_as, options = [], {"cwd": "/"}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            run_as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "env", "HOME=/tmp"]
        data = self.folder / "data"
        subprocess.run([*run_as, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8"],
                       check=True, capture_output=True, **options)
        self.process = Process([*run_as, programs / "postgres", "-D", data, "-p", self.port, "-h", "127.0.0.1",
                                "-k", self.folder, "-c", "fsync=on"], self.folder.parent / "postgres.log", **options)

        def ready():
            self.process.check()
            return subprocess.run([programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                  check=False).returncode == 0

        wait_until(ready, "PostgreSQL did not start", pause=0.05)

    def stop(self):
        if self.process:
            self.process.stop(signal.SIGINT)
            shutil.rmtree(self.folder, ignore_errors=True)


class FastApi(Server):
    name = "fastapi"
    label = "FastAPI"
    upload_path = "/api/files/upload"
    ws_path = "/api/sync/ws"
    style = "multipart"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.postgres, self.redis, self.redis_port = None, None, free_port()
        self._token, self._token_time = None, 0

    def prepare(self):
        self.postgres = Postgres(self.bench.root_folder)
        self.postgres.start()
        self.redis = Process(["redis-server", "--port", self.redis_port, "--bind", "127.0.0.1", "--save", "",
                              "--appendonly", "no", "--dir", self.folder], self.folder / "redis.log")

        def ready():
            self.redis.check()
            return b"PONG" in subprocess.run(["redis-cli", "-p", str(self.redis_port), "ping"], capture_output=True,
                                             check=False).stdout

        wait_until(ready, "Redis did not start", pause=0.02)

    def command(self):
        command = ["/usr/bin/python3", "-m", "uvicorn", "main:app", "--app-dir", SOURCE, "--host", "127.0.0.1", "--port", self.port,
                   "--workers", "2", "--loop", "uvloop", "--http", "httptools", "--log-level", "warning", "--no-access-log"]
        if self.is_tls:
            certificate, key = self_signed(self.folder)
            command += ["--ssl-certfile", certificate, "--ssl-keyfile", key]
        temporary = self.folder / "tmp"  # UploadFile's spool: on the same disk as everything else
        temporary.mkdir(exist_ok=True)
        return command, {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{self.postgres.port}/postgres",
                         "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0", "SECRET_KEY": "bench-" + "k" * 32,
                         "STORAGE_ROOT": str(self.folder / "s3"), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(temporary)}

    def stop(self):
        super().stop()
        if self.redis:
            self.redis.stop()
        if self.postgres:
            self.postgres.stop()

    @property
    def tree(self):
        return Tree(self.process.pid, self.redis.pid, self.postgres.process.pid)

    @property
    def workers(self):
        """The FastAPI processes alone."""
        return Tree(self.process.pid)

    def token(self):
        if time.monotonic() - self._token_time > 600:
            action = "login" if self._token else "register"
            client = self.client()
            answer = client.json("POST", f"/api/auth/{action}", {"email": EMAIL, "password": PASSWORD})
            client.close()
            self._token, self._token_time = answer["access_token"], time.monotonic()
        return self._token

    def headers(self):
        return [f"Authorization: Bearer {self.token()}"]

    def new_folder(self, _name):
        return []
