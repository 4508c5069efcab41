# SPDX-License-Identifier: AGPL-3.0-or-later
"""W7: from the start of the program to its first answer, and its memory when nothing happens. CloudDocs holds 10,000 files; FastAPI is
measured without its PostgreSQL and Redis, which run already."""
import time

from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.nginx import Nginx

TITLE = "cold start, idle memory"


def _measure(bench, server):
    server.process.stop()
    start = time.monotonic()
    server.launch()
    seconds = time.monotonic() - start
    time.sleep(bench.pick(2, 0.3))
    return {"start_ms": seconds * 1e3, "pss_mib": getattr(server, "workers", server.tree).pss_mib()}


def run(bench):
    with bench.servers(CloudDocs, Nginx, FastApi) as servers:
        ours = servers["clouddocs"]
        bench.driver("posts", port=ours.port, path=ours.upload_path, style="multipart", count=bench.pick(10_000, 200), size=1000,
                     header=ours.headers(), field=ours.new_folder("many"))
        row = Row("W7 cold start; idle memory", bench.rounds(servers, lambda server, _: _measure(bench, server)),
                  "{start_ms:.0f} ms; {pss_mib:.1f} MiB")
    start, memory = row.cells["clouddocs"]["start_ms"], row.cells["clouddocs"]["pss_mib"]
    row.must("<= 200 ms", start, at_most=200).must("<= 30 MiB", memory, at_most=30)
    return [row.aim("<= 30 ms", start, at_most=30).aim("<= 16 MiB", memory, at_most=16)]
