# SPDX-License-Identifier: MIT
"""Our kernels and other libraries' operators on the bench workloads (`make bench-peers`).

usage: bench/peers/run [--only PATTERN]… [--peer NAME]… [--seconds S] [--docs]
Prints tables; build/bench-peers/ gets the page peers.md, peers.csv and charts, with --docs docs/,
too.

Invariant: a peer or a row that cannot be measured is told with its reason, and the rest goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from . import adapters, compare, machine, measure, report, rows
from .measure import Figure, Pair, Timed, figure
from .results import FAMILIES, Result, timed

OUT = Path("build/bench-peers")
MOST_TAKEN = 0.05  # of the time, by other programs, before a warning
FILES = ("peers.md", "peers.csv", *(family.chart for family in FAMILIES))


def say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/peers/run")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN",
                        help="keep the workloads whose name matches")
    parser.add_argument("--peer", action="append", default=[], choices=adapters.MODULES)
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="how long to measure each pair of kernel and peer (1)")
    parser.add_argument("--docs", action="store_true", help="write the result to docs/, too")
    return parser.parse_args()


def build(patterns: list[str]) -> tuple[dict, list[str]]:
    """Rows by workload, and what could not be built."""
    made: dict[str, list[rows.Row]] = {}
    skipped = []
    for name in rows.names(patterns):
        kernel = rows.build(name, OUT / "kernels")
        if not isinstance(kernel, str):
            row = rows.make(name, kernel)
            made.setdefault(row.workload, []).append(row)
        else:
            skipped.append(f"{name}: {kernel}")
            say(f"SKIP     {name}: {kernel}")
    return made, skipped


def variants(peer, row) -> tuple[list, str]:
    """A peer's variants of a row, or the first line of the reason why there are none."""
    try:
        return adapters.prepare(peer, row), ""
    except adapters.Unfit as unfit:
        return [], str(unfit)
    except Exception as error:  # of whatever kind the peer raises where it lacks something
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return [], f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"[:160]


def judged(peer, row, variant, result: Result) -> bool:
    """Whether the variant gives our result; notes the difference if not."""
    try:
        largest, same = compare.difference(variant.result(), row.y, row.dtype)
    except Exception as error:  # as above: some peers refuse when they run
        result.reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"[:160]
        return False
    result.difference = largest
    return same


def measured(group: list, peers, seconds: float, clock: measure.Clock) -> list[Result]:
    """All peers on the rows of one workload, taking turns."""
    results, pairs = [], []
    for row in group:
        for peer in peers:
            if row.problem["op"] not in peer.PREPARE:
                continue
            found, reason = variants(peer, row)
            for variant in found or [None]:
                result = Result(row.name, row.kind, row.workload, row.layout, row.dtype, row.title,
                                peer.NAME, variant.layout if variant else "", reason=reason)
                results.append(result)
                if variant and judged(peer, row, variant, result):
                    # The variant stays: its memory must outlive its calls.
                    pairs.append((result, variant, Pair(Timed(row.bound), Timed(variant.call))))
    measure.run([pair for *_, pair in pairs], seconds, clock)
    for result, _, pair in pairs:
        result.ours, result.theirs = (_micro(one.times) for one in (pair.ours, pair.theirs))
        result.ratio = figure(pair.ratios)
    return results


def _micro(times: list[float]) -> Figure:
    return figure([time_ns / 1e3 for time_ns in times])


def versions(peers: adapters.Peers) -> list[str]:
    return [rows.version(), *(f"{peer.NAME} {peer.version()}" for peer in peers.present),
            f"Python {sys.version.split()[0]}"]


def draw(results: list[Result]) -> None:
    try:
        from . import chart  # here, for only the chart needs matplotlib
    except ImportError as error:
        say(f"SKIP     the charts: {error}")
        return
    for family in FAMILIES:
        (OUT / family.chart).unlink(missing_ok=True)
        if timed(family.of(results)):
            chart.draw(OUT / family.chart, family.of(results))


def write(results: list[Result], peers: adapters.Peers, skipped: list[str],
          clock: measure.Clock) -> None:
    first = next((OUT / "kernels").glob(f"{results[0].row}/*.json"))
    metadata = json.loads(first.read_text(encoding="utf-8"))
    missing = [f"{name}: {why}" for name, why in peers.missing.items()]
    about = [*machine.describe(metadata),
             f"Other programs took {100 * clock.taken:.0f} % of the time."]
    text = report.page(results, versions(peers), about, skipped + missing)
    (OUT / "peers.md").write_text(text, encoding="utf-8")
    report.write_csv(OUT / "peers.csv", results)
    draw(results)
    for family in FAMILIES:
        if family.of(results):
            print(report.plain(report.table(family.of(results))) + "\n")
    for title, lines in (("times faster (geometric mean)", report.means(results)),
                         ("slower", report.slower(results))):
        print(f"{title}\n" + "\n".join(f"  {line}" for line in lines) + "\n")


def main() -> None:
    options = arguments()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    OUT.mkdir(parents=True, exist_ok=True)
    peers = adapters.load(options.peer)
    for name, why in peers.missing.items():
        say(f"SKIP     {name}: {why}")
    groups, skipped = build(options.only)
    results: list[Result] = []
    clock = measure.Clock()
    for workload, group in groups.items():
        began = time.monotonic()
        results += measured(group, peers.present, options.seconds, clock)
        say(f"BENCH    {workload}, {time.monotonic() - began:.0f} s")
    if not any(one.ratio for one in results):
        sys.exit("bench-peers: nothing could be compared")
    write(results, peers, skipped, clock)
    if clock.taken > MOST_TAKEN:
        say(f"BUSY     other programs took {100 * clock.taken:.0f} % of the time: the figures are "
            "not to be trusted")
    made = [name for name in FILES if (OUT / name).exists()]
    if options.docs:
        for name in made:
            shutil.copy(OUT / name, Path("docs") / name)
    say(f"written: {OUT}/" + ", ".join(made) + (", and to docs/" if options.docs else ""))
    sys.stdout.flush()
    os._exit(0)  # some peers' own ends of process wait, or fail, in foreign threads


if __name__ == "__main__":
    main()
