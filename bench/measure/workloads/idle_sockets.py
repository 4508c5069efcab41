# SPDX-License-Identifier: AGPL-3.0-or-later
"""W5b: 10,000 devices that are connected and have nothing to say: memory of each."""
import subprocess
import time

from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.node_ws import NodeWs

TITLE = "10,000 idle sockets: memory of each"


def _connected(bench, server, count):
    """Proportional set size in MiB with so many sockets open."""
    options = {"port": server.port, "ws_path": server.ws_path, "header": server.headers(), "count": count}
    if server.name == "clouddocs":
        options["ping"] = '{"type":"ping","cursors":{}}'
    driver = subprocess.Popen(bench.driver_command("idle", **options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if not driver.stdout.readline():
            raise RuntimeError(f"{server.name} did not take {count} sockets")
        time.sleep(bench.pick(3, 0.5))
        return getattr(server, "workers", server.tree).pss_mib()
    finally:
        driver.stdin.close()
        driver.wait(60)


def _measure(bench, kind):
    count = bench.pick(10_000, 300)
    with bench.servers(kind) as servers:  # a new server each time: memory once used is not given back
        server, = servers.values()
        before = _connected(bench, server, 10)
        return {"kib": (_connected(bench, server, count) - before) * 1024 / (count - 10)}


def run(bench):
    kinds = {kind.name: kind for kind in (CloudDocs, FastApi, NodeWs)}
    row = Row("W5b 10,000 idle sockets", bench.rounds(kinds, lambda kind, _: _measure(bench, kind), bench.pick(3, 1)),
              "{kib:.1f} KiB each")
    ours = row.cells["clouddocs"]["kib"]
    return [row.must("<= 6 KiB each", ours, at_most=6).aim("<= 2 KiB each", ours, at_most=2)]
