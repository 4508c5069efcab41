# SPDX-License-Identifier: AGPL-3.0-or-later
"""W5: an event that 100 devices must see. CloudDocs and FastAPI take an upload (durable at CloudDocs), node ws only a message."""
from measure.processes import Usage
from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.node_ws import NodeWs

TITLE = "one event to 100 devices (16 outstanding), and the time one upload takes to reach all"
DEVICES = 100


def _measure(bench, server, number, events, outstanding):
    options = {"port": server.port, "path": server.upload_path, "ws_path": server.ws_path, "style": server.style,
               "header": server.headers(), "listeners": DEVICES, "field": server.new_folder(f"events-{outstanding}-{number}")}
    bench.driver("fan_out", events=20, outstanding=4, seed=f"warm{outstanding}x{number}", **options)
    with Usage(server.tree) as usage:
        done = bench.driver("fan_out", events=events, outstanding=outstanding, seed=f"run{outstanding}x{number}", **options)
    return {"rate": events / done["seconds"], "cpu_us": usage.cpu / (events * DEVICES) * 1e6, "p50_ms": done["p50_ms"],
            "p99_ms": done["p99_ms"], "frames": done["frames"] / (events * DEVICES)}


def run(bench):
    with bench.servers(CloudDocs, FastApi, NodeWs) as servers:
        many = Row("W5 one event to 100 devices (16 outstanding)", bench.rounds(
            servers, lambda server, number: _measure(bench, server, number, bench.pick(2000, 100), 16)),
            "{rate:,.0f} events/s, {cpu_us:.1f} us a delivery")
        one = Row("W5 one upload at a time, until all 100 have seen it", bench.rounds(
            servers, lambda server, number: _measure(bench, server, number, bench.pick(300, 20), 1)),
            "p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms")
    many.must_ratio("rate", "node ws", "node ws", at_least=1).aim_ratio("rate", "node ws", "node ws", at_least=1.5)
    many.aim("<= 5.4 us a delivery", many.cells["clouddocs"]["cpu_us"], at_most=5.4)
    one.aim("p50 <= 2 ms", one.cells["clouddocs"]["p50_ms"], at_most=2)
    return [many, one]
