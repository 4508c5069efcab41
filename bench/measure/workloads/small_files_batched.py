# SPDX-License-Identifier: AGPL-3.0-or-later
"""W4b: the same 5,000 files as devices send them: chunk streams and commits of 1,000. nginx still takes one request each."""
import base64
import hashlib
import json
import os
import struct
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from measure.processes import Usage
from measure.row import Row
from measure.systems.clouddocs import CloudDocs
from measure.systems.nginx import Nginx
from measure.workloads.small_files import measure_posts

TITLE = "the same 5,000 files in batched requests of devices"
BATCH = 1000


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _uuid7():
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    rest = bytearray(os.urandom(10))
    rest[0] = rest[0] & 0x0F | 0x70
    rest[2] = rest[2] & 0x3F | 0x80
    return stamp + bytes(rest)


def batches(space, parent_id, count, prefix):
    """[(chunk stream, commit body)] of `count` files of 4 KiB, each with content of its own, made before the measurement."""
    space_bytes = base64.urlsafe_b64decode(space + "==")
    made = []
    for start in range(0, count, BATCH):
        stream, operations = bytearray(), []
        for number in range(start, min(start + BATCH, count)):
            content = os.urandom(4096)
            digest = hashlib.sha256(content).digest()
            name = b"\x01" + digest
            stream += name + struct.pack("<I", len(content)) + content
            operations.append({
                "op": "put", "id": _text(space_bytes + _uuid7()), "parent_id": parent_id, "filename": f"{prefix}{number}",
                "base_version": 0, "size": len(content), "chunks": [[_text(name), len(content)]], "sha256": digest.hex(),
                "modified_at": time.time_ns() // 1000, "executable": False})
        commit = {"space": space, "key": uuid.uuid4().hex, "operations": operations}
        made.append((bytes(stream) + bytes(37), json.dumps(commit).encode()))
    return made


def _send(server, token, space, batch):
    client = server.client()
    headers = {"Authorization": f"Bearer {token}"}
    status, _, answer = client.request("POST", f"/api/sync/chunks?space={space}", batch[0],
                                       {**headers, "Content-Type": "application/vnd.clouddocs.chunks"})
    if status == 200:
        status, _, answer = client.request("POST", "/api/sync/commit", batch[1], {**headers, "Content-Type": "application/json"})
    client.close()
    if status != 200:
        raise RuntimeError(f"{status} {answer[:300]}")
    return answer


def _measure_ours(bench, server, number):
    count = bench.pick(5000, 200)
    token = server.token()
    parent_id = server.new_folder(f"batched-{number}")[0].split("=", 1)[1]
    space = server.client().json("GET", "/api/sync/spaces", token=token)["items"][0]["space"]
    work = batches(space, parent_id, count, f"b{number}-")
    with ThreadPoolExecutor(4) as pool, Usage(server.tree) as usage:
        answers = list(pool.map(lambda batch: _send(server, token, space, batch), work))
    done = sum(1 for answer in answers for result in json.loads(answer)["results"] if result["status"] == 200)
    if done != count:
        raise RuntimeError(f"{done} of {count} files were committed")
    return {"rate": count / usage.seconds, "cpu_us": usage.cpu / count * 1e6}


def _measure(bench, server, number):
    if server.name == "clouddocs":
        return _measure_ours(bench, server, number)
    done = measure_posts(bench, server, number)
    return {"rate": done["rate"], "cpu_us": done["cpu_us"]}


def run(bench):
    with bench.servers(CloudDocs, Nginx) as servers:
        row = Row("W4b the same 5,000 in batched requests", bench.rounds(servers, lambda s, n: _measure(bench, s, n)),
                  "{rate:,.0f}/s, {cpu_us:.0f} us")
    return [row.must_ratio("rate", "nginx", "nginx", at_least=1).aim_ratio("rate", "nginx", "nginx", at_least=2)]
