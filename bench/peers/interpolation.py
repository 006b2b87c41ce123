# SPDX-License-Identifier: MIT
"""What a row of interpolate asks, in the terms that the peers' interfaces share.

Invariant: only the profile torch: that is what the workloads are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Interpolation:
    mode: str  # nearest, linear, cubic, whatever the number of axes
    torch_mode: str
    axes: list[int]  # the spatial ones, in the order of memory
    size: list[int]
    scale: list[float] | None  # where the workload gives it instead of the size
    align_corners: bool
    antialias: bool

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def title(self) -> str:
        """What the workload does, in a few words."""
        how = [self.torch_mode]
        if self.scale:
            how.append("×".join(["", *dict.fromkeys(f"{one:g}" for one in self.scale)]))
        else:
            how.append("to " + "×".join(map(str, self.size)))
        options = [name for name in ("align_corners", "antialias") if getattr(self, name)]
        return " ".join(how + options)


def title(problem: dict[str, Any]) -> str:
    return interpolation(problem).title


def interpolation(problem: dict[str, Any]) -> Interpolation:
    mode = problem["mode"]
    layout = problem["x"]["layout"]
    short = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    scale = problem.get("scale_factor")
    return Interpolation(
        short, mode, [at for at, axis in enumerate(layout) if axis in "DHW"],
        [int(extent) for extent in problem["size"]], scale and [float(one) for one in scale],
        bool(problem.get("align_corners")), bool(problem.get("antialias")))
