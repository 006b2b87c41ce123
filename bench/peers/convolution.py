# SPDX-License-Identifier: MIT
"""What a row of conv or conv_transpose asks, in the terms that the peers' interfaces share.

Invariants: weights are PyTorch's, conv {out, in/groups, k…}, conv_transpose {in, out/groups, k…};
padding is cropped from a transposed convolution's output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Convolution:
    transposed: bool
    interleaved: bool
    channels: int  # of the input
    out_channels: int
    kernel: list[int]  # per axis, as all lists here
    stride: list[int]
    dilation: list[int]
    begins: list[int]
    ends: list[int]
    output_padding: list[int]
    groups: int
    numerics: str  # the class: strict, default, fast

    @property
    def rank(self) -> int:
        return len(self.kernel)

    @property
    def to_planar(self) -> list[int]:
        """The axes of memory in the order N, C, space."""
        last = self.rank + 1
        return [0, last, *range(1, last)] if self.interleaved else list(range(last + 1))

    @property
    def from_planar(self) -> list[int]:
        return [self.to_planar.index(at) for at in range(self.rank + 2)]

    @property
    def title(self) -> str:
        """What the workload does, in a few words."""
        name = "transposed convolution " if self.transposed else "convolution "
        words = [name + "×".join(map(str, self.kernel)),
                 f"{self.channels} → {self.out_channels} channels"]
        for name, values, usual in (("stride", self.stride, 1), ("padding", self.begins, 0),
                                    ("output_padding", self.output_padding, 0),
                                    ("dilation", self.dilation, 1), ("groups", [self.groups], 1)):
            if set(values) != {usual}:
                each = values if len(set(values)) > 1 else values[:1]
                words.append(f"{name} " + "×".join(map(str, each)))
        return ", ".join([*words, self.numerics])


def title(problem: dict[str, Any]) -> str:
    return convolution(problem).title


def convolution(problem: dict[str, Any]) -> Convolution:
    rank = len(problem["kernel_size"])
    layout = problem["x"]["layout"]
    padding = problem["padding"]
    return Convolution(
        problem["op"] == "conv_transpose", layout.endswith("C"),
        problem["x"]["shape"][layout.index("C")], problem["out_channels"],
        problem["kernel_size"], problem["stride"], problem["dilation"],
        padding[:rank], padding[rank:], problem.get("output_padding", [0] * rank),
        problem["groups"], problem["numerics"])


def split(weight: np.ndarray, groups: int) -> np.ndarray:
    """With an axis of groups before the others: both orders have them along the first."""
    return weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
