# SPDX-License-Identifier: AGPL-3.0-or-later
"""W6l: a small file is written in A; how long until it can be read in B. Both sides are resident, with their default settings.
Others wait by design: Syncthing's watcher 10 s, Seafile and Nextcloud 30 s."""
import statistics
import time

from measure.processes import wait_until
from measure.row import Row
from measure.systems.sync_pairs import CloudDocsPair

TITLE = "one small file: changed here to visible there, both resident"


def _measure(bench, kind):
    tries = bench.pick(20, 3)
    taken = []
    with kind(bench) as pair:
        for number in range(tries):
            time.sleep(0.3)
            content = f"change {number}\n" * 10
            target = pair.b / "note.txt"
            start = time.monotonic()
            (pair.a / "note.txt").write_text(content)

            def arrived():
                pair.check()
                return target.exists() and target.read_text() == content

            wait_until(arrived, f"{pair.name} did not pass a change on", timeout=90, pause=0.001)
            taken.append((time.monotonic() - start) * 1e3)
    return {"p50_ms": statistics.median(taken), "max_ms": max(taken)}


def run(bench):
    kinds = {CloudDocsPair.name: CloudDocsPair}
    row = Row("one small file: changed here to visible there",
              bench.rounds(kinds, lambda kind, _: _measure(bench, kind), bench.pick(2, 1)), "p50 {p50_ms:,.0f} ms, worst {max_ms:,.0f} ms")
    ours = row.cells["clouddocs"]["p50_ms"]
    return [row.must("p50 <= 300 ms", ours, at_most=300).aim("p50 <= 100 ms", ours, at_most=100)]
