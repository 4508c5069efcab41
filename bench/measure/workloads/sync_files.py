# SPDX-License-Identifier: AGPL-3.0-or-later
"""W6: a folder A to a folder B: 10,000 small files, a file of 1 GiB, 1 MiB changed in its middle, 100 bytes inserted at its start."""
import filecmp
import os
import random
import time

from measure.processes import MIB, wait_until
from measure.row import Row
from measure.systems.sync_pairs import CloudDocsPair, RsyncPair, SyncthingPair
from measure.workloads.upload import random_file

TITLE = "sync A -> server -> B: 10,000 small files, 1 GiB, a change in it, an insertion"
FORM = "{seconds:.2f} s, {cpu:.2f} CPU s, wire {wire_mib:.1f} MiB"


def _wire_bytes():
    with open("/proc/net/dev", encoding="ascii") as interfaces:
        return next(int(line.split()[1]) for line in interfaces if line.strip().startswith("lo:"))


def _files(folder):
    """{relative path: size} of the files below; {} if it does not exist. What sync programs are still writing has a dot in front."""
    found, queue = {}, [folder]
    while queue:
        try:
            with os.scandir(queue.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith((".", "~")):
                        continue
                    if entry.is_dir():
                        queue.append(entry.path)
                    else:
                        found[os.path.relpath(entry.path, folder)] = entry.stat().st_size
        except FileNotFoundError:
            pass
    return found


def _same_stat(a, b):
    try:
        left, right = a.stat(), b.stat()
    except FileNotFoundError:
        return False
    return left.st_size == right.st_size and abs(left.st_mtime_ns - right.st_mtime_ns) < 1_000_000


def _step(pair, change, is_done, verify, pause):
    """Changes A and waits for B; then, outside the time, compares the contents."""
    os.sync()
    wire, cpu, start = _wire_bytes(), pair.cpu_seconds(), time.monotonic()
    change()
    pair.changed()

    def done():
        pair.check()
        return is_done()

    wait_until(done, f"{pair.name} did not finish", timeout=900, pause=pause)
    seconds = time.monotonic() - start
    time.sleep(0.5)  # the last records of both sides belong to the cost
    result = {"seconds": seconds, "cpu": pair.cpu_seconds() - cpu, "wire_mib": (_wire_bytes() - wire) / MIB}
    verify()
    return result


def _make_tree(folder, count):
    """Files of 1 to 16 KiB, 100 a folder; the size of them all."""
    random.seed(6)
    total = 0
    for number in range(count):
        if number % 100 == 0:
            (folder / f"folder-{number // 100:03}").mkdir(parents=True)
        content = os.urandom(random.randint(1024, 16384))
        total += len(content)
        (folder / f"folder-{number // 100:03}" / f"file-{number}.dat").write_bytes(content)
    return total


def _require_equal(a, b):
    if not filecmp.cmp(a, b, shallow=False):
        raise RuntimeError(f"{a.name} differs between A and B")


def _steps(bench, kind):
    staging = bench.folder("staging")
    count, size = bench.pick(10_000, 200), bench.pick(1 << 30, 16 * MIB)
    total = _make_tree(staging / "tree", count)
    random_file(staging / "big.bin", size)
    with kind(bench) as pair:
        tree_a, tree_b, big_a, big_b = pair.a / "tree", pair.b / "tree", pair.a / "big.bin", pair.b / "big.bin"
        wanted = _files(staging / "tree")

        def verify_tree():
            for path in wanted:
                _require_equal(tree_a / path, tree_b / path)

        def verify_big():
            _require_equal(big_a, big_b)

        def change_middle():
            with open(big_a, "r+b") as file:
                file.seek(size // 2)
                file.write(os.urandom(min(MIB, size // 16)))

        def big_is_same():
            return _same_stat(big_a, big_b)

        results = {"a": _step(pair, lambda: (staging / "tree").rename(tree_a), lambda: _files(tree_b) == wanted, verify_tree, 0.1)}
        results["a"]["wire_factor"] = results["a"]["wire_mib"] * MIB / total
        results["b"] = _step(pair, lambda: (staging / "big.bin").rename(big_a), big_is_same, verify_big, 0.01)
        pair.delta = True  # rsync: as over a network
        results["c1"] = _step(pair, change_middle, big_is_same, verify_big, 0.01)
        with open(big_a, "rb") as source, open(staging / "longer.bin", "wb") as target:
            target.write(os.urandom(100))
            for block in iter(lambda: source.read(MIB), b""):
                target.write(block)
        results["c2"] = _step(pair, lambda: (staging / "longer.bin").replace(big_a), big_is_same, verify_big, 0.01)
    return {f"{step}:{metric}": value for step, values in results.items() for metric, value in values.items()}


def run(bench):
    kinds = {kind.name: kind for kind in (CloudDocsPair, RsyncPair, SyncthingPair)}
    medians = bench.rounds(kinds, lambda kind, _: _steps(bench, kind), min(bench.round_count, 3))

    def row(step, title):
        cells = {name: {key.split(":")[1]: value for key, value in cell.items() if key.startswith(step + ":")}
                 for name, cell in medians.items()}
        return Row(title, cells, FORM)

    tree, big = row("a", "W6a sync 10,000 files of 1-16 KiB"), row("b", "W6b sync one file of 1 GiB")
    middle, start = row("c1", "W6c1 then 1 MiB changed in its middle"), row("c2", "W6c2 then 100 bytes inserted at its start")
    tree.must_ratio("seconds", "syncthing", "Syncthing's time", at_most=1)
    tree.aim_ratio("seconds", "rsync", "rsync's time", at_most=1.1).aim_ratio("cpu", "syncthing", "Syncthing's CPU", at_most=0.4)
    tree.aim("wire <= 2.2x the data", tree.cells["clouddocs"]["wire_factor"], at_most=2.2)
    big.must_ratio("seconds", "syncthing", "Syncthing's time", at_most=1.5)
    big.aim_ratio("seconds", "syncthing", "Syncthing's time", at_most=0.8)
    middle.must_ratio("seconds", "syncthing", "Syncthing's time", at_most=1)
    middle.must("wire <= 16 MiB", middle.cells["clouddocs"]["wire_mib"], at_most=16)
    middle.aim_ratio("seconds", "syncthing", "Syncthing's time", at_most=0.4)
    middle.aim("wire <= 8 MiB", middle.cells["clouddocs"]["wire_mib"], at_most=8)
    start.must_ratio("seconds", "syncthing", "Syncthing's time", at_most=0.5)
    start.aim_ratio("seconds", "syncthing", "Syncthing's time", at_most=0.1)
    start.aim("wire <= 8 MiB", start.cells["clouddocs"]["wire_mib"], at_most=8)
    return [tree, big, middle, start]
