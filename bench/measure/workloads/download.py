# SPDX-License-Identifier: AGPL-3.0-or-later
"""W3: the same 1 GiB in the other direction: plain, in ranges of 8 MiB, and over TLS 1.3."""
import hashlib
import json
import shutil

from measure.processes import MIB, Usage
from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.nginx import Nginx
from measure.workloads.upload import random_file

TITLE = "download of 1 GiB, plain, in ranges and over TLS 1.3"
FORM = "{rate:,.0f} MiB/s, {cpu_gib:.2f} CPU s/GiB, {peak_mib:.0f} MiB"


def _put(server, source, name):
    """Uploads over the server's own protocol; the path to download from."""
    if server.name == "nginx":
        shutil.copyfile(source, server.root / name)
        return f"/{name}"
    before = (f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
              "Content-Type: application/octet-stream\r\n\r\n").encode()
    after = b"\r\n--edge--\r\n"

    def body():
        yield before
        with open(source, "rb") as file:
            yield from iter(lambda: file.read(MIB), b"")
        yield after

    status, _, answer = server.client().request("POST", server.upload_path, body(), {
        "Authorization": f"Bearer {server.token()}", "Content-Type": "multipart/form-data; boundary=edge",
        "Content-Length": str(len(before) + source.stat().st_size + len(after))})
    if status != 201:
        raise RuntimeError(f"{server.name}: {status} {answer[:300]}")
    return f"/api/files/{json.loads(answer)['id']}"


def _measure(bench, server, path, size, **options):
    arguments = {"port": server.port, "path": path, "size": size, "header": server.headers(), **options}
    with Usage(server.tree, with_memory=True) as usage:
        done = bench.driver("download", **arguments)
    if done["bytes"] != size:
        raise RuntimeError(f"{server.name} sent {done['bytes']} of {size} bytes")
    return {"rate": size / MIB / done["seconds"], "cpu_gib": usage.cpu / size * (1 << 30), "peak_mib": usage.peak_mib}


def run(bench):
    size = bench.pick(1 << 30, 16 * MIB)
    source = random_file(bench.root_folder / "download-source", size)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()

    def prepare(servers, tls):
        paths = {name: _put(server, source, "big") for name, server in servers.items()}
        for name, server in servers.items():  # warms the page cache, too
            done = bench.driver("download", port=server.port, path=paths[name], header=server.headers(), tls=tls, digest=1)
            if done["sha256"] != digest:
                raise RuntimeError(f"{name} sent other bytes than it was given")
        return paths

    with bench.servers(CloudDocs, Nginx, FastApi) as servers:
        paths = prepare(servers, 0)
        plain = Row("W3 download 1 GiB", bench.rounds(
            servers, lambda server, _: _measure(bench, server, paths[server.name], size)), FORM)
        with_ranges = {name: server for name, server in servers.items() if name != "fastapi"}  # its FileResponse has none
        ranges = Row("W3 the same in ranges of 8 MiB", bench.rounds(
            with_ranges, lambda server, _: _measure(bench, server, paths[server.name], size, range=8 * MIB)), FORM)
    with bench.servers(CloudDocs, Nginx, FastApi, is_tls=True) as servers:
        paths = prepare(servers, 1)
        tls = Row("W3 the same over TLS 1.3", bench.rounds(
            servers, lambda server, _: _measure(bench, server, paths[server.name], size, tls=1)), FORM)
    source.unlink()
    plain.must_ratio("rate", "nginx", "nginx", at_least=0.8).aim_ratio("rate", "nginx", "nginx", at_least=0.95)
    ranges.must_ratio("rate", "nginx", "nginx", at_least=0.8)
    ranges.aim("<= 1.05x the CPU of one answer", ranges.cells["clouddocs"]["cpu_gib"] / max(plain.cells["clouddocs"]["cpu_gib"], 1e-9),
               at_most=1.05)
    tls.must_ratio("rate", "nginx", "nginx", at_least=0.8).aim_ratio("rate", "nginx", "nginx", at_least=0.95)
    return [plain, ranges, tls]
