# SPDX-License-Identifier: MIT
"""What was measured, and what follows from it.

Invariants: a ratio is the peer's time over ours, so above 1 we are faster; only peers with the same
result have one. We count as slower where the ratio with its spread stays below 1 by more than 5 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Iterable, Iterator, NamedTuple

from .measure import Figure

ALLOWANCE = 1.05
OURS = "Upweave"


@dataclass
class Result:
    """A peer on a row: times in microseconds, or the reason why there are none."""

    row: str
    kind: str  # the operator, and behind it the class of accuracy where that is another result
    workload: str
    layout: str
    dtype: str
    title: str
    peer: str
    peer_layout: str = ""
    ours: Figure | None = None
    theirs: Figure | None = None
    ratio: Figure | None = None
    difference: float | None = None
    reason: str = ""

    @property
    def slower(self) -> bool:
        return self.ratio is not None and is_slower(self.ratio.median, self.ratio.spread)

    @property
    def column(self) -> str:
        """The peer, and its layout where that is neither planar nor interleaved."""
        own = self.peer_layout not in ("", "planar", "interleaved")
        return f"{self.peer}, blocked" if own else self.peer


def is_slower(ratio: float, spread: float) -> bool:
    return ratio * (1 + spread) * ALLOWANCE < 1


@dataclass
class Best:
    """The best of our layouts and the best peer in any layout, of one workload."""

    workload: str
    ours_layout: str
    ours: Figure
    peer: str
    peer_layout: str
    theirs: Figure

    @property
    def ratio(self) -> float:
        return self.theirs.median / self.ours.median

    @property
    def slower(self) -> bool:
        return is_slower(self.ratio, self.ours.spread + self.theirs.spread)


def timed(results: Iterable[Result]) -> list[Result]:
    return [one for one in results if one.ratio is not None]


def unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def best(results: list[Result]) -> Iterator[Best]:
    for workload in unique(one.workload for one in timed(results)):
        mine = [one for one in timed(results) if one.workload == workload]
        ours = min(mine, key=lambda one: one.ours.median)
        theirs = min(mine, key=lambda one: one.theirs.median)
        yield Best(workload, ours.layout, ours.ours, theirs.peer, theirs.peer_layout, theirs.theirs)


def geometric_mean(results: Iterable[Result], peer: str, layout: str) -> tuple[float, int]:
    """Of the ratios to a peer in our layout, and how many there are; 1 where there is none."""
    logs = [math.log(one.ratio.median) for one in timed(results)
            if (one.peer, one.layout, one.peer_layout) == (peer, layout, layout)]
    return math.exp(sum(logs) / max(1, len(logs))), len(logs)


class Family(NamedTuple):
    """Operators that stand together on the page, in tables and a chart of their own."""

    title: str
    operators: tuple[str, ...]
    chart: str  # a file

    def of(self, results: Iterable[Result]) -> list[Result]:
        return [one for one in results if one.kind.split()[0] in self.operators]


FAMILIES = (Family("Resampling", ("interpolate",), "peers.svg"),
            Family("Convolutions", ("conv", "conv_transpose"), "peers-conv.svg"))


def as_record(result: Result) -> dict[str, str]:
    """One line of the CSV: a figure becomes two columns."""
    record: dict[str, str] = {}
    for one in fields(result):
        value = getattr(result, one.name)
        if one.name in ("ours", "theirs", "ratio"):
            unit = "" if one.name == "ratio" else "_us"
            record[f"{one.name}{unit}"] = f"{value.median:.4g}" if value else ""
            record[f"{one.name}_spread"] = f"{value.spread:.3f}" if value else ""
        elif one.name == "difference":
            record[one.name] = "" if value is None else f"{value:.3g}"
        else:
            record[one.name] = str(value)
    record["slower"] = "yes" if result.slower else ""
    return record
