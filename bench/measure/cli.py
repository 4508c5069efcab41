# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command line of bench/run."""
import argparse
import json
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from measure import report, workloads
from measure.bench import REPOSITORY, Bench

RESULTS = REPOSITORY / "build" / "bench" / "results.json"
DOCUMENT = REPOSITORY / "docs" / "benchmarks.md"


def parse(arguments):
    listed = "\n".join(f"  {name:4} {workloads.load(name).TITLE}" for name in workloads.NAMES)
    parser = argparse.ArgumentParser(prog="bench/run", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Measures CloudDocs side by side with others.", epilog="workloads:\n" + listed)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="which ones (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: tests the scripts, and writes no document")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default: 5; syncing: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured here, too")
    parser.add_argument("--folder", type=Path, help="where to work (default: TMPDIR or /var/tmp): 15 GiB on a real disk")
    options = parser.parse_args(arguments)
    unknown = set(options.workloads) - set(workloads.NAMES)
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    return options


def build_driver():
    build = REPOSITORY / "build" / "release"
    if not (build / "build.ninja").exists():
        raise SystemExit("There is no release build: ./dev build release")
    subprocess.run(["cmake", "--build", build, "--target", "bench_driver"], check=True, stdout=subprocess.DEVNULL)


def measure(bench, names, keep):
    """Runs the workloads; `keep(name, entry)` takes each result at once. The names of those that failed."""
    failed = []
    for name in names:
        module = workloads.load(name)
        bench.say(f"==> {name}: {module.TITLE}")
        start = time.monotonic()
        try:
            rows = module.run(bench)
        except Exception:  # one workload that fails must not lose the others
            traceback.print_exc()
            failed.append(name)
            continue
        keep(name, {"date": time.strftime("%Y-%m-%d"), "rounds": bench.round_count, "seconds": round(time.monotonic() - start, 1),
                    "rows": [report.to_json(row) for row in rows]})
    return failed


def main(arguments=None):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything started is stopped
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # 10,000 sockets
    build_driver()
    bench = Bench(options.quick, options.rounds, options.folder)
    results = {"machine": report.machine(bench.root_folder), "quick": options.quick, "workloads": {}}

    def keep(name, entry):
        results["workloads"][name] = entry
        print(report.table(entry["rows"]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n")
        if not options.quick:
            publish(results)

    try:
        failed = measure(bench, options.workloads or list(workloads.NAMES), keep)
    finally:
        bench.close()
    if failed:
        bench.say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def publish(results):
    """Writes the document from these results and, for workloads not measured now, the last ones of this machine."""
    merged = {**results, "workloads": dict(results["workloads"])}
    if RESULTS.exists():
        for name, entry in json.loads(RESULTS.read_text())["workloads"].items():
            merged["workloads"].setdefault(name, entry)
    merged["workloads"] = {name: merged["workloads"][name] for name in workloads.NAMES if name in merged["workloads"]}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(merged, indent=1) + "\n")
    DOCUMENT.write_text(report.document(merged))
