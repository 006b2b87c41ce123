# SPDX-License-Identifier: MIT
"""The results as a table for the terminal, as CSV and as the page docs/peers.md.

Invariant: the page is made of the results alone; nothing in it is written by hand for one run.
"""

from __future__ import annotations

import csv
from pathlib import Path

from .measure import Figure
from .results import (
    ALLOWANCE, FAMILIES, OURS, Best, Family, Result, as_record, best, geometric_mean, timed, unique)

HEAD = """# Compared with other libraries

Made by `make bench-peers DOCS=1`; [peers.csv](peers.csv) has every figure. One process, one thread,
pinned to one CPU, memory warm. A kernel of ours and a peer's operator take turns; the ratio is the
median of theirs over ours of neighbouring times, so above 1 we are faster. Behind ± stands half the
distance of the quartiles. Everybody is called from Python as its interface advises, ours through
[the module `upweave`](python.md) with its buffers bound: the call itself is part of the time, for
the smallest tensors most of it. Outputs go to memory made once where the interface allows (ours,
ONNX Runtime, OpenVINO, OpenCV); PyTorch, Pillow and ncnn make theirs anew, in memory that stays
resident. A planar tensor is N, C, H, W in memory, an interleaved one N, H, W, C (channels_last).

Weights are packed, or reordered, before anything is timed where the interface allows: ours, oneDNN,
ONNX Runtime, OpenVINO, ncnn. A convolution's row is of the class of accuracy that its name says,
else of the class default. The peers compute directly; only ncnn's Winograd algorithms are on
in rows of the class fast. oneDNN is called through PyTorch, as its compiler does; its outputs are
channels_last whatever the input is, so it is in the interleaved rows.

Only peers with the same result have a ratio: before it is timed, theirs on random data is
compared with ours. Of the largest value f32 may differ by 1/2000, for frameworks round coordinates
to float32 each in its own way; f16 by 1/512, bf16 by 1/64; 8-bit pictures by one level. Who
computes something else is listed below with the largest difference.
"""


def _us(figure: Figure) -> str:
    return f"{figure.median:.3g}" if figure.median < 1000 else f"{figure.median:,.0f}"


def _percent(spread: float) -> str:
    return f"±{100 * spread:.0f} %"


def _cell(found: list[Result]) -> str:
    if not found:
        return "–"
    one = found[0]
    if one.ratio is None:
        return "different" if one.difference is not None else "–"
    flag = " **slower**" if one.slower else ""
    return f"{_us(one.theirs)} ({one.ratio.median:.2f}× {_percent(one.ratio.spread)}){flag}"


def table(results: list[Result]) -> list[list[str]]:
    """Rows by peers; the first line is the head."""
    columns = unique(one.column for one in results)
    lines = [["workload", f"{OURS} µs", *(f"{column} µs" for column in columns)]]
    for row in unique(one.row for one in results):
        mine = [one for one in results if one.row == row]
        ours = [one.ours for one in timed(mine)]
        median = min(ours, key=lambda one: one.median) if ours else None
        lines.append([row, f"{_us(median)} {_percent(median.spread)}" if median else "–", *(
            _cell([one for one in mine if one.column == column]) for column in columns)])
    return lines


def plain(lines: list[list[str]]) -> str:
    lines = [[cell.replace("**", "") for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def _markdown(lines: list[list[str]]) -> list[str]:
    head, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return [head, "|" + "---|" * len(lines[0]), *body]


def _best_table(results: list[Result]) -> list[list[str]]:
    lines = [["workload", "our better layout", "µs", "fastest peer", "its layout", "µs", "times"]]
    return lines + [_best_line(one) for one in best(results)]


def _best_line(one: Best) -> list[str]:
    times = f"{one.ratio:.2f}" + (" **slower**" if one.slower else "")
    return [one.workload, one.ours_layout, f"{_us(one.ours)} {_percent(one.ours.spread)}",
            one.peer, one.peer_layout, f"{_us(one.theirs)} {_percent(one.theirs.spread)}", times]


def _group(result: Result) -> str:
    return f"{result.kind}, {result.dtype}"


def means(results: list[Result]) -> list[str]:
    """A line for each kind, element type and layout with peers that have more than one ratio."""
    lines = []
    for group in unique(_group(one) for one in results):
        mine = [one for one in results if _group(one) == group]
        for layout in ("planar", "interleaved"):
            found = [(peer, *geometric_mean(mine, peer, layout))
                     for peer in unique(one.peer for one in mine)]
            texts = [f"{mean:.2f}× {peer} ({count})" for peer, mean, count in found if count > 1]
            if texts:
                lines.append(f"{group}, {layout}: " + ", ".join(texts))
    return lines


def slower(results: list[Result]) -> list[str]:
    lines = [f"{one.row}: {one.column}, {one.ratio.median:.2f}× {_percent(one.ratio.spread)}"
             for one in results if one.slower]
    lines += [f"{one.workload}, better layout of each: {one.peer} ({one.peer_layout}), "
              f"{one.ratio:.2f}×" for one in best(results) if one.slower]
    return lines or ["nowhere"]


def _others(results: list[Result], different: bool) -> list[str]:
    """Who is not compared and why, with the rows of one reason together."""
    rows: dict[str, list[str]] = {}
    for one in results:
        if one.ratio is None and (one.difference is not None) == different:
            text = f"largest difference {one.difference:.3g}" if different else one.reason
            rows.setdefault(f"{one.column}: {text}", []).append(one.row)
    return [f"{text} ({', '.join(names)})" for text, names in rows.items()]


def _list(lines: list[str]) -> list[str]:
    return [f"- {line}" for line in lines] or ["- none"]


def _section(family: Family, results: list[Result]) -> list[str]:
    allowance = f"{100 * (ALLOWANCE - 1):.0f} %"
    return [
        f"## {family.title}", "", f"![times faster, by workload and peer]({family.chart})", "",
        "Times faster than a peer in the same layout, geometric mean, and over how many workloads:",
        "", *_list(means(results)), "",
        "### Workloads", "", *_list(unique(f"{one.workload}: {one.title}" for one in results)), "",
        "### Each layout", "", *_markdown(table(results)), "",
        "### The better layout of each side", "", *_markdown(_best_table(results)), "",
        "### Where we are slower", "", f"By more than {allowance} and the spread of the run:", "",
        *_list(slower(results)), "",
        "### Not compared", "", "Peers with a different result:", "",
        *_list(_others(results, different=True)), "",
        "Peers that cannot do what the row asks:", "",
        *_list(_others(results, different=False)), "",
    ]


def page(results: list[Result], versions: list[str], machine: list[str],
         skipped: list[str]) -> str:
    parts = [HEAD, "## Versions and machine", "", ", ".join(versions) + ".", "", *machine, ""]
    for family in FAMILIES:
        if family.of(results):
            parts += _section(family, family.of(results))
    if skipped:
        parts += ["## Workloads that were left out", "", *_list(skipped), ""]
    return "\n".join(parts)


def write_csv(path: Path, results: list[Result]) -> None:
    records = [as_record(one) for one in results]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
