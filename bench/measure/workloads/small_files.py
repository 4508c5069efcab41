# SPDX-License-Identifier: AGPL-3.0-or-later
"""W4: 5,000 files of 4 KiB, one request each, over 8 connections that stay open."""
from measure.processes import Usage
from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.nginx import Nginx

TITLE = "5,000 files of 4 KiB, one request each, 8 connections"


def measure_posts(bench, server, number):
    count = bench.pick(5000, 200)
    folder = f"round-{number}"
    fields = server.new_folder(folder)
    path = server.upload_path + (f"{folder}/" if server.style == "put" else "")
    with Usage(server.tree) as usage:
        done = bench.driver("posts", port=server.port, path=path, style=server.style, count=count, size=4096, connections=8,
                            seed=number + 1, prefix=f"r{number}-", header=server.headers(), field=fields)
    if done["failed"]:
        raise RuntimeError(f"{server.name}: {done['failed']} requests failed: {done['first_failure'][:300]}")
    return {"rate": count / done["seconds"], "cpu_us": usage.cpu / count * 1e6, "p50_ms": done["p50_ms"], "p99_ms": done["p99_ms"]}


def run(bench):
    with bench.servers(CloudDocs, Nginx, FastApi) as servers:
        row = Row("W4 5,000 files of 4 KiB, one request each", bench.rounds(servers, lambda s, n: measure_posts(bench, s, n)),
                  "{rate:,.0f}/s, {cpu_us:.0f} us, p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms")
    row.must_ratio("rate", "fastapi", "FastAPI", at_least=3)
    row.aim_ratio("rate", "nginx", "nginx", at_least=0.5)
    row.aim("<= 160 us CPU", row.cells["clouddocs"]["cpu_us"], at_most=160)
    return [row]
