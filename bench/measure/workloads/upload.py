# SPDX-License-Identifier: AGPL-3.0-or-later
"""W2: 1 GiB in one stream, then in 4 at once. CloudDocs hashes it and has it on disk before it answers."""
import os

from measure.processes import MIB, Usage
from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.nginx import Nginx

TITLE = "upload of 1 GiB, one stream and 4"
FORM = "{rate:,.0f} MiB/s, {cpu_gib:.2f} CPU s/GiB, {peak_mib:.0f} MiB"


def random_file(path, size):
    """New content each time, so that no server has seen it."""
    with open(path, "wb") as out:
        for at in range(0, size, MIB):
            out.write(os.urandom(min(MIB, size - at)))
    return path


def measure_upload(bench, server, file, name, streams=1):
    """One upload: ({metrics}, the answer of the first stream)."""
    server.headers()  # signs in now, not in the measurement
    with Usage(server.tree, with_memory=True) as usage:
        done = bench.driver("upload", port=server.port, path=server.upload_path, style=server.style, file=file, name=name,
                            streams=streams, header=server.headers())
    return {"rate": done["bytes"] / MIB / done["seconds"], "cpu_gib": usage.cpu / done["bytes"] * (1 << 30),
            "peak_mib": usage.peak_mib}, done["answer"]


def run(bench):
    size = bench.pick(1 << 30, 16 * MIB)
    source = bench.root_folder / "upload-source"
    made = -1

    def measure(server, number, streams):
        nonlocal made
        content = number * 8 + streams
        if made != content:  # all systems of a round send the same
            random_file(source, size)
            os.sync()  # writing it back is no server's burden
            made = content
        metrics, _ = measure_upload(bench, server, source, f"big-{content}", streams)
        return metrics

    with bench.servers(CloudDocs, Nginx, FastApi) as servers:
        one = Row("W2 upload 1 GiB, one stream", bench.rounds(servers, lambda s, n: measure(s, n, 1)), FORM)
        four = Row("W2 upload 4 x 256 MiB at once", bench.rounds(servers, lambda s, n: measure(s, n, 4)), FORM)
    source.unlink()
    one.must_ratio("rate", "nginx", "nginx", at_least=0.4).must_ratio("rate", "fastapi", "FastAPI", at_least=4)
    one.aim_ratio("rate", "nginx", "nginx", at_least=0.7)
    one.aim_ratio("cpu_gib", "fastapi", "FastAPI's CPU", at_most=0.2)
    one.aim("<= 25 MiB", one.cells["clouddocs"]["peak_mib"], at_most=25)
    four.aim_ratio("rate", "nginx", "nginx", at_least=1)
    four.aim("<= 28 MiB", four.cells["clouddocs"]["peak_mib"], at_most=28)
    return [one, four]
