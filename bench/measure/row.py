# SPDX-License-Identifier: AGPL-3.0-or-later
"""A line of the table: what each system reached, and the goals of CloudDocs against it."""
from dataclasses import dataclass, field


@dataclass
class Goal:
    """`value` is measured (None: it could not be); at least or at most so much is wanted. A `must` or an `aim`."""

    text: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None
    is_aim: bool = False

    @property
    def met(self):
        if self.value is None:
            return None
        return not ((self.at_least is not None and self.value < self.at_least)
                    or (self.at_most is not None and self.value > self.at_most))


@dataclass
class Row:
    """`cells`: {system: {metric: number}}; `form` is the text of a cell, with the metrics as names."""

    title: str
    cells: dict
    form: str
    goals: list = field(default_factory=list)

    def text(self, system):
        return self.form.format(**self.cells[system]) if system in self.cells else "-"

    def ratio(self, metric, peer):
        """CloudDocs' figure over that of a peer; None when one was not measured."""
        ours, theirs = self.cells.get("clouddocs", {}).get(metric), self.cells.get(peer, {}).get(metric)
        return ours / theirs if ours is not None and theirs else None

    def must(self, text, value, **limit):
        self.goals.append(Goal(text, value, **limit))
        return self

    def aim(self, text, value, **limit):
        self.goals.append(Goal(text, value, is_aim=True, **limit))
        return self

    def must_ratio(self, metric, peer, label, is_aim=False, **limit):
        """A goal about the ratio to a peer, such as at_least=5."""
        factor, = limit.values()
        sign = ">=" if "at_least" in limit else "<="
        self.goals.append(Goal(f"{sign} {factor:g}x {label}", self.ratio(metric, peer), is_aim=is_aim, **limit))
        return self

    def aim_ratio(self, metric, peer, label, **limit):
        return self.must_ratio(metric, peer, label, is_aim=True, **limit)
