# SPDX-License-Identifier: AGPL-3.0-or-later
"""W1: one folder of 100 files, asked for again and again over 64 connections, with a token that is checked each time."""
from measure.http_client import HttpClient
from measure.processes import Usage
from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.fastapi import FastApi
from measure.systems.nginx import Nginx

TITLE = "authenticated JSON listing of a folder of 100 (64 connections), and 304 answers"
FORM = "{rate:,.0f}/s, {cpu_us:.1f} us"


def _fill(bench, server, fields):
    bench.driver("posts", port=server.port, path=server.upload_path, style=server.style, count=100, size=100, prefix="document-",
                 connections=4, header=server.headers(), field=fields)


def _measure(bench, server, path, headers):
    seconds = bench.pick(8, 1)
    bench.wrk(f"http://127.0.0.1:{server.port}{path}", 64, 1, headers)  # warm
    with Usage(server.tree) as usage:
        done = bench.wrk(f"http://127.0.0.1:{server.port}{path}", 64, seconds, headers)
    if done["errors"]:
        raise RuntimeError(f"{server.name}: {done['errors']} errors")
    return {"rate": done["rate"], "cpu_us": usage.cpu / done["requests"] * 1e6, "p99_ms": done["p99_ms"]}


def run(bench):
    with bench.servers(CloudDocs, Nginx, FastApi) as servers:
        ours, nginx, fastapi = servers.values()
        fields = ours.new_folder("hundred")
        _fill(bench, ours, fields)
        _fill(bench, fastapi, [])
        paths = {"clouddocs": "/api/files?" + fields[0], "nginx": "/list.json", "fastapi": "/api/files"}
        token = dict([ours.headers()[0].split(": ")])
        status, headers, body = HttpClient(ours.port).request("GET", paths["clouddocs"], headers=token)
        if status != 200 or body.count(b'"document-') != 100:
            raise RuntimeError(f"the listing is not what was expected: {status}, {len(body)} bytes")
        (nginx.root / "list.json").write_bytes(body)
        plain = Row(f"W1 listing of 100 ({len(body) / 1024:.0f} KiB)", bench.rounds(
            servers, lambda server, _: _measure(bench, server, paths[server.name], server.headers())), FORM)
        etags = {"clouddocs": headers["ETag"],
                 "nginx": HttpClient(nginx.port).request("GET", "/list.json")[1]["ETag"]}
        unchanged = Row("W1 the same, 304", bench.rounds(
            {name: servers[name] for name in etags},
            lambda server, _: _measure(bench, server, paths[server.name],
                                       [*server.headers(), f"If-None-Match: {etags[server.name]}"])), FORM)
    plain.must_ratio("rate", "fastapi", "FastAPI", at_least=5)
    plain.aim_ratio("rate", "nginx", "nginx (cached by version)", at_least=0.5)
    unchanged.aim_ratio("rate", "nginx", "nginx", at_least=1)
    return [plain, unchanged]
