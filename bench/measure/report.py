# SPDX-License-Identifier: AGPL-3.0-or-later
"""The machine, and the rows as Markdown and JSON."""
import os
import platform
import subprocess
from pathlib import Path

HEAD = """# Benchmarks

CloudDocs beside other servers and sync programs, on one machine, each workload in one run: the systems take turns, and every figure is the
median of {rounds} rounds. Load driver and servers share the machine, so ratios say more than rates. CPU is that of all processes of the system measured
(for FastAPI with PostgreSQL and Redis; for sync programs of both sides and the server), not of the driver.

    ./dev bench                  # everything: builds, installs the peers, measures, writes this file
    ./dev bench W1 W6            # some workloads; the others' lines stay as they were measured last
    ./dev bench --quick          # a smoke test of the scripts; its figures mean nothing

"""

NOTES = """
## What is compared

- **nginx**: static files with sendfile, uploads by DAV PUT. It checks no token, hashes nothing and syncs nothing to disk: a floor.
- **FastAPI** (`bench/fastapi_seed/`): FastAPI, uvicorn with uvloop and httptools, 2 workers, asyncpg, PostgreSQL with fsync on, Redis. It hashes no contents,
  limits no rates, and a local folder without fsync stands for S3.
- **CloudDocs**: the release build with default settings; only limits of plans and rates are raised. Contents are hashed, and durable before the answer.
- **rsync** copies A to a middle folder and that to B, both local; changed files go with `--no-whole-file`, as over a network. It syncs nothing to disk.
- **Syncthing**: two instances on loopback, no relays, no discovery; told of a change by its API at once. Its own watcher waits 10 s by design, so it
  has no figure for the latency of one small change.
- Upload contents differ in every round, so that deduplication never helps. Memory is proportional set size before plus the largest growth of private memory.
  "Wire" counts the bytes on the loopback interface: both hops, headers and acknowledgements included.

`bench/run --help` lists the workloads; `bench/measure/workloads/` has one module for each.
"""


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _field(path, label):
    for line in Path(path).read_text().splitlines():
        if line.startswith(label):
            return line.split(":", 1)[1].strip()
    return "unknown"


def machine(folder):
    """What the figures were taken on."""
    system = _field_of_release()
    versions = {
        "nginx": _output("dpkg-query", "-W", "-f", "${Version}", "nginx"),
        "PostgreSQL": _output("dpkg-query", "-W", "-f", "${Version}", "postgresql"),
        "FastAPI": _output("dpkg-query", "-W", "-f", "${Version}", "python3-fastapi"),
        "uvicorn": _output("dpkg-query", "-W", "-f", "${Version}", "python3-uvicorn"),
        "Node": _output("node", "--version"),
        "rsync": _output("dpkg-query", "-W", "-f", "${Version}", "rsync"),
        "Syncthing": _output("dpkg-query", "-W", "-f", "${Version}", "syncthing"),
    }
    return {
        "processor": _field("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1),
        "kernel": platform.release(), "system": system,
        "file_system": _output("findmnt", "-n", "-o", "FSTYPE", "--target", str(folder)) or "unknown",
        "versions": {name: version for name, version in versions.items() if version},
        "load_before": round(os.getloadavg()[0], 2),
    }


def _field_of_release():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return "unknown"


def to_json(row):
    """A row as plain data; `texts` are the cells as shown."""
    return {"title": row.title, "cells": row.cells, "texts": {name: row.text(name) for name in row.cells},
            "goals": [{"text": goal.text, "value": goal.value, "aim": goal.is_aim, "met": goal.met} for goal in row.goals]}


def _verdict(goal):
    return {True: "yes", False: "**no**", None: "not measured"}[goal["met"]]


def _goals(row, is_aim):
    goals = [goal for goal in row["goals"] if goal["aim"] == is_aim]
    ratio = "<br>".join("-" if goal["value"] is None else f"{goal['value']:.3g}" for goal in goals)
    return "<br>".join(goal["text"] for goal in goals) or "-", ratio or "-", "<br>".join(map(_verdict, goals)) or "-"


def table(rows):
    """The Markdown table of rows as `to_json` gives them."""
    lines = ["| workload | CloudDocs | nginx | FastAPI | others | must reach | measured | met? | aim | measured | met? |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        texts = row["texts"]
        others = "<br>".join(f"{name}: {text}" for name, text in texts.items() if name not in ("clouddocs", "nginx", "fastapi"))
        cells = [row["title"], *(texts.get(name, "-") for name in ("clouddocs", "nginx", "fastapi")), others or "-",
                 *_goals(row, False), *_goals(row, True)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def document(results):
    """docs/benchmarks.md."""
    about = results["machine"]
    rounds = sorted({entry["rounds"] for entry in results["workloads"].values()})
    text = HEAD.format(rounds=" or ".join(map(str, rounds)))
    text += "## Machine\n\n"
    text += f"{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB of memory, {about['system']}, Linux {about['kernel']}, " \
            f"{about['file_system']}.\n"
    text += ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ".\n\n"
    text += "## Results\n\nCPU in seconds or microseconds per unit; memory is the peak. \"Measured\" is the ratio or figure that the goal beside it speaks of.\n\n"
    entries = results["workloads"]
    text += table([row for entry in entries.values() for row in entry["rows"]])
    dates = ", ".join(f"{name} {entry['date']}" for name, entry in entries.items())
    return text + f"\nMeasured on: {dates}.\n" + NOTES
