# SPDX-License-Identifier: AGPL-3.0-or-later
"""What all servers have in common."""
import subprocess

from measure.http_client import HttpClient, unverified
from measure.processes import Process, Tree, answers, free_port, wait_until


class Server:
    """A server on a free port of 127.0.0.1 with a folder of its own. Subclasses say how it starts."""

    name = ""
    label = ""
    ready_path = "/healthz"

    def __init__(self, bench, folder, is_tls=False):
        self.bench, self.folder, self.is_tls = bench, folder, is_tls
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.process = free_port(), None

    def command(self):
        """(command, environment) that runs the server in the foreground."""
        raise NotImplementedError

    def prepare(self):
        """Anything to do once before the start."""

    def start(self):
        self.prepare()
        self.launch()
        return self

    def launch(self):
        command, env = self.command()
        self.process = Process(command, self.folder / "log", env)
        self.wait_ready()

    def wait_ready(self):
        context = unverified() if self.is_tls else None

        def ready():
            self.process.check()
            return answers(self.port, self.ready_path, context)

        wait_until(ready, f"{self.name} did not start", pause=0.001)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    @property
    def tree(self):
        return Tree(self.process.pid)

    def client(self):
        return HttpClient(self.port, self.is_tls)


def self_signed(folder):
    """(certificate, key) of a certificate for 127.0.0.1."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not certificate.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "30", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key
