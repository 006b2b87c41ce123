# SPDX-License-Identifier: MIT
"""The chart of docs/peers.md: how many times faster, on a logarithmic scale.

Invariant: the same results give the same bytes: no date, no random identifiers.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  (after the choice of its back end)
from matplotlib.ticker import FuncFormatter  # noqa: E402

from .results import Result, timed, unique  # noqa: E402

BAR = 0.16  # inches
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777")


def _panel(axes, results: list[Result], columns: list[str]) -> None:
    place, ticks, labels = 0.0, [], []
    for row in unique(one.row for one in results):
        mine = [one for one in results if one.row == row]
        ticks.append(place + (len(mine) - 1) / 2)
        dtype = "" if mine[0].dtype == "f32" else f" {mine[0].dtype}"
        labels.append(f"{mine[0].workload}\n{mine[0].title.split(',')[0]}{dtype}")
        for one in mine:
            ratio = one.ratio.median
            axes.barh(place, ratio - 1, left=1, height=0.9,
                      color=COLOURS[columns.index(one.column) % len(COLOURS)])
            side = 1 if ratio >= 1 else -1
            text = f"{ratio:.3g}" if ratio < 1000 else f"{ratio:,.0f}"
            axes.annotate(text, (ratio, place), (3 * side, 0), va="center", fontsize=6.5,
                          textcoords="offset points", ha="left" if side > 0 else "right")
            place += 1
        place += 0.8
    axes.set_yticks(ticks, labels)
    axes.set_ylim(place - 0.5, -0.9)


def _scale(axes, ratios: list[float]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(0.7, min(ratios) * 0.7), max(ratios) * 2.2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:g}×"))
    axes.axvline(1, color="black", linewidth=0.8)
    axes.grid(axis="x", linewidth=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


def draw(path: Path, results: list[Result]) -> None:
    """An .svg, or what else the name's ending says."""
    results = timed(results)
    columns = unique(one.column for one in results)
    panels = [part for part in ([one for one in results if one.layout == layout]
                                for layout in ("planar", "interleaved")) if part]
    matplotlib.rcParams.update({
        "svg.hashsalt": "upweave", "svg.fonttype": "none", "font.size": 8,
        "font.family": "sans-serif"})
    bars = max(len(part) + 0.8 * len({one.row for one in part}) for part in panels)
    figure, every = pyplot.subplots(
        1, len(panels), squeeze=False, layout="constrained",
        figsize=(5 * len(panels), BAR * bars + 1.3))
    for axes, part in zip(every[0], panels):
        _panel(axes, part, columns)
        _scale(axes, [one.ratio.median for one in results])
        axes.set_title(f"{part[0].layout} tensors", fontsize=9)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=COLOURS[at % len(COLOURS)])
               for at in range(len(columns))]
    figure.legend(handles, columns, loc="outside lower center", ncols=len(columns), frameon=False)
    figure.suptitle("The peer's time over ours: right of 1×, we are faster",
                    fontsize=10)
    silent = {"Date": None, "Creator": None} if path.suffix == ".svg" else None
    figure.savefig(path, metadata=silent)
    pyplot.close(figure)
