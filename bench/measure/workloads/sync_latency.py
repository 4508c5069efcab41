# SPDX-License-Identifier: AGPL-3.0-or-later
"""W6l: a small file is written in A; how long until it can be read in B. Both sides are resident, with their default settings."""
import statistics
import time

from measure.processes import wait_until
from measure.row import Row
from measure.systems.sync_pairs import CloudDocsPair, SyncthingPair

TITLE = "one small file: changed here to visible there, both resident"


class UntoldSyncthing(SyncthingPair):
    """Finds changes by itself, with its default delay of 10 s."""

    tells = False

    def _prove(self):
        self.tells = True  # its watcher may not be up when the first file is written
        super()._prove()
        self.tells = False


def _measure(bench, kind):
    tries = bench.pick(20, 3) if kind is CloudDocsPair else bench.pick(4, 1)
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
    kinds = {kind.name: kind for kind in (CloudDocsPair, UntoldSyncthing)}
    row = Row("one small file: changed here to visible there",
              bench.rounds(kinds, lambda kind, _: _measure(bench, kind), bench.pick(2, 1)), "p50 {p50_ms:,.0f} ms, worst {max_ms:,.0f} ms")
    ours = row.cells["clouddocs"]["p50_ms"]
    return [row.must("p50 <= 300 ms", ours, at_most=300).aim("p50 <= 100 ms", ours, at_most=100)]
