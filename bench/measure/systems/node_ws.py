# SPDX-License-Identifier: AGPL-3.0-or-later
"""A broadcast server on Node's `ws`, the usual choice for WebSockets."""
import shutil
import subprocess
from pathlib import Path

from measure.systems.server import Server

SOURCE = Path(__file__).resolve().parents[2] / "node_ws"


class NodeWs(Server):
    name = "node ws"
    label = "node ws"
    ws_path = "/"
    style = "json"
    upload_path = "/event"

    def prepare(self):
        if not (SOURCE / "node_modules" / "ws").exists():
            if not shutil.which("npm"):
                raise RuntimeError("npm is missing: apt-get install npm")
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=SOURCE, check=True)

    def command(self):
        return ["node", SOURCE / "server.mjs", self.port], None

    def headers(self):
        return []

    def new_folder(self, _name):
        return []
