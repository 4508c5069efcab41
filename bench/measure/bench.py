# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a workload works with: programs, load drivers, servers for the length of a block, rounds that alternate."""
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure.processes import available_memory

REPOSITORY = Path(__file__).resolve().parents[2]


class Bench:
    def __init__(self, quick=False, rounds=None, folder=None):
        self.quick = quick
        self.round_count = rounds or (1 if quick else 5)
        self.root_folder = Path(tempfile.mkdtemp(prefix="clouddocs-bench-", dir=folder or os.environ.get("TMPDIR", "/var/tmp")))
        self.root_folder.chmod(0o711)  # PostgreSQL's own user passes through
        self._made = 0

    def close(self):
        shutil.rmtree(self.root_folder, ignore_errors=True)

    def pick(self, full, quick):
        """A size: `full`, or `quick` for a smoke test."""
        return quick if self.quick else full

    def folder(self, name):
        """A new empty folder."""
        self._made += 1
        path = self.root_folder / f"{self._made}-{name}"
        path.mkdir()
        return path

    def settle(self):
        """What others have written is on the disk, and memory is as on a machine that has run for a while: used, by a cache that gives
        way. A virtual machine hands free memory to its host; getting it back costs more than a whole upload, for whoever comes first."""
        os.sync()
        if self.quick:
            return
        with open(self.root_folder / "cache-filler", "a+b") as filler:
            if filler.tell() == 0:
                filler.truncate(max(0, available_memory() - (2 << 30)))  # sparse: no disk is read
            for at in range(0, os.fstat(filler.fileno()).st_size, 1 << 20):
                os.posix_fadvise(filler.fileno(), at, 1 << 20, os.POSIX_FADV_WILLNEED)

    @staticmethod
    def program(name):
        path = REPOSITORY / "build" / "release" / "bin" / name
        if not path.exists():
            raise RuntimeError(f"{path.relative_to(REPOSITORY)} is missing: ./dev build release")
        return path

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def servers(self, *classes, is_tls=False):
        """Starts one server of each class, and stops them at the end: {name: server}."""
        with contextlib.ExitStack() as stack:
            started = {}
            for kind in classes:
                server = kind(self, self.folder(kind.name.replace(" ", "-")), is_tls=is_tls)
                stack.callback(shutil.rmtree, server.folder, ignore_errors=True)
                stack.callback(server.stop)
                started[server.name] = server.start()
            yield started

    def rounds(self, systems, measure, count=None):
        """Calls `measure(system, round)`, which gives {metric: number}, for all systems in turn, `count` times, each round beginning
        with another system. The medians: {name: {metric: number}}."""
        samples = {name: [] for name in systems}
        names = list(systems)
        for number in range(count or self.round_count):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                self.settle()
                samples[name].append(measure(systems[name], number))
                self.say("    " + name + ": " + ", ".join(f"{key} {value:,.4g}" for key, value in samples[name][-1].items()))
        return {name: {key: statistics.median(sample[key] for sample in taken) for key in taken[0]}
                for name, taken in samples.items()}

    def driver_command(self, command, **options):
        arguments = [str(self.program("bench_driver")), command]
        for key, value in options.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                arguments += ["--" + key.replace("_", "-"), str(one)]
        return arguments

    def driver(self, command, **options):
        """Runs bench_driver; what it measured."""
        done = subprocess.run(self.driver_command(command, **options), capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            raise RuntimeError(f"bench_driver {command} failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def wrk(self, url, connections, seconds, headers=()):
        """Runs wrk: {"rate", "requests", "errors", "p50_ms", "p99_ms"}."""
        command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency"]
        for header in headers:
            command += ["-H", header]
        text = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
        errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        sockets = re.search(r"Socket errors: (.*)", text)
        if sockets and re.search(r"[1-9]", sockets[1]):
            self.say(f"    wrk: socket errors: {sockets[1]}")
        units = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}
        latency = {}
        for part in ("50", "99"):
            value, unit = re.search(rf"{part}%\s+([\d.]+)(us|ms|s|m)", text).groups()
            latency[f"p{part}_ms"] = float(value) * units[unit]
        requests, seconds_taken, unit = re.search(r"(\d+) requests in ([\d.]+)(s|m)", text).groups()
        return {"requests": int(requests), "rate": int(requests) / (float(seconds_taken) * units[unit] / 1e3),
                "errors": int(errors[1]) if errors else 0, **latency}
