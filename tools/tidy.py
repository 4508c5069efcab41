#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs clang-tidy over the product's units of a build folder, and skips those that passed before and have not changed.

A unit's key hashes its text, the project headers it was last built with, its compile command and .clang-tidy.
usage: tidy.py BUILD_FOLDER JOBS
"""
import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = re.compile(r"(_[a-z0-9]*test|_benchmark|_contract)\.cpp$|/src/testing/")


def headers_by_object(build):
    """{object: [project headers]} as ninja recorded them."""
    found, current = {}, None
    output = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=False).stdout
    for line in output.splitlines():
        if line.startswith("    "):
            path = (build / line.strip()).resolve()
            if current is not None and path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
                current.append(path)
        elif ": #deps" in line:
            current = found.setdefault(line.split(":")[0], [])
    return found


def key_of(unit, headers):
    digest = hashlib.sha256(unit["command"].encode())
    for path in [ROOT / ".clang-tidy", Path(unit["file"]), *sorted(headers)]:
        if path.exists():
            digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main():
    build, jobs = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    passed = ROOT / "build" / "tidy"
    passed.mkdir(parents=True, exist_ok=True)
    headers = headers_by_object(build)
    units = [unit for unit in json.loads((build / "compile_commands.json").read_text())
             if Path(unit["file"]).is_relative_to(ROOT / "src") and not TEST.search(unit["file"])]

    def check(unit):
        stamp = passed / key_of(unit, headers.get(unit.get("output", ""), []))
        if stamp.exists():
            stamp.touch()
            return None
        run = subprocess.run(["clang-tidy-19", "-p", build, "--quiet", "--warnings-as-errors=*", unit["file"]],
                             capture_output=True, text=True, check=False)
        if run.returncode == 0:
            stamp.touch()
            return ""
        return run.stdout or run.stderr

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(check, units))
    failures = [text for text in results if text]
    print("\n".join(failures))
    print(f"note: {sum(text is not None for text in results)} of {len(units)} units checked, the others had not changed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
