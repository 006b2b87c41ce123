# SPDX-License-Identifier: MIT
"""Arguments of conv and conv_transpose that PyTorch may refuse: valid specs, spoiled."""

from __future__ import annotations

import random
from typing import Any

import conv_cases as cases
import conv_draw
from upweave import Spec


def arguments(op: str, seed: int, index: int, dtypes: tuple[str, ...]) -> Spec:
    """A valid spec with up to two arguments spoiled; some draws stay valid."""
    rng = cases.generator(op, seed, index, "arguments")
    spec = conv_draw.valid(op, seed, 1_000_000 + index, dtypes)
    spec["name"] = f"r{index:05d}"
    for key in ("post", "eps", "numerics"):  # PyTorch has no such arguments
        spec.pop(key, None)
    if rng.random() < 0.15:
        return spec
    for _ in range(rng.choice([1, 1, 2])):
        rng.choice(SPOILERS if cases.transposed(spec) else [*SPOILERS, spoil_same])(rng, spec)
    return spec


def somewhere(rng: random.Random, spec: Spec, name: str, value: Any, default: int) -> None:
    """The value for all axes, or for one of them."""
    rank = len(spec["x"]["shape"]) - 2
    given = cases.per_axis(spec.get(name, default), rank)
    given[rng.randrange(rank)] = value
    spec[name] = value if rng.random() < 0.4 else given


def spoil_groups(rng: random.Random, spec: Spec) -> None:
    spec["groups"] = rng.choice([0, -1, 2, 3, 4, 5, 7, 1000])


def spoil_channels(rng: random.Random, spec: Spec) -> None:
    if rng.random() < 0.5:
        spec["out_channels"] = rng.choice([0, -1, 1, spec["out_channels"] + 1])
    else:
        batch, channels, spatial = cases.parts({**spec, "x": {"layout": "NCHW", **spec["x"]}})
        spec["x"].setdefault("layout", cases.LAYOUTS[len(spatial)][0])
        cases.set_shape(spec, batch, channels + rng.choice([1, 1, 2, -channels]), spatial)


def spoil_stride(rng: random.Random, spec: Spec) -> None:
    somewhere(rng, spec, "stride", rng.choice([0, -1, 2, 9, 100, "2", 1.5]), 1)


def spoil_dilation(rng: random.Random, spec: Spec) -> None:
    somewhere(rng, spec, "dilation", rng.choice([0, -1, 2, 5, 9, 100]), 1)


def spoil_kernel(rng: random.Random, spec: Spec) -> None:
    somewhere(rng, spec, "kernel_size", rng.choice([0, -2, 9, 50, 2.5]), 1)


def spoil_padding(rng: random.Random, spec: Spec) -> None:
    rank = len(spec["x"]["shape"]) - 2
    numbers = [rng.randint(0, 9) for _ in range(2 * rank)]
    negative = [0] * (2 * rank)
    negative[rng.randrange(2 * rank)] = -1
    spec["padding"] = rng.choice([
        -1, 1, 5, 50, numbers, numbers[:rank], negative, negative[:rank], [1] * (2 * rank + 1),
        "Same", "full", ""])


def spoil_same(rng: random.Random, spec: Spec) -> None:
    spec["padding"] = rng.choice(["same", "same", "valid"])
    if rng.random() < 0.5:
        somewhere(rng, spec, "stride", rng.choice([1, 2]), 1)


def spoil_output_padding(rng: random.Random, spec: Spec) -> None:
    if cases.transposed(spec):
        spec.pop("output_size", None)
        somewhere(rng, spec, "output_padding", rng.choice([-1, 1, 1, 2, 3, 8]), 0)
    else:
        spoil_kernel(rng, spec)


def spoil_output_size(rng: random.Random, spec: Spec) -> None:
    if not cases.transposed(spec):
        spoil_groups(rng, spec)
        return
    spec.pop("output_padding", None)
    spec.pop("output_size", None)
    try:
        spec["output_size"] = [size + rng.randint(-1, 3) for size in cases.least_sizes(spec)]
    except (TypeError, ValueError):  # spoiled already
        spec["output_size"] = [9] * (len(spec["x"]["shape"]) - 2)
    if rng.random() < 0.2:
        spec["output_size"].append(9)


def spoil_lists(rng: random.Random, spec: Spec) -> None:
    rank = len(spec["x"]["shape"]) - 2
    name = rng.choice(["kernel_size", "stride", "dilation"])
    spec[name] = [2] * rng.choice([length for length in (1, 2, 3, 4) if length != rank])


def spoil_size(rng: random.Random, spec: Spec) -> None:
    """A spatial axis of 0 or 1."""
    shape = spec["x"]["shape"]
    first = 1 if cases.interleaved(spec) else 2
    shape[first + rng.randrange(len(shape) - 2)] = rng.choice([0, 1, 1])


def spoil_dtype(rng: random.Random, spec: Spec) -> None:
    spec["x"]["dtype"] = rng.choice(["u8", "i8", "f16", "f64", "f8", ""])


SPOILERS = [
    spoil_groups, spoil_groups, spoil_channels, spoil_stride, spoil_dilation, spoil_kernel,
    spoil_padding, spoil_padding, spoil_output_padding, spoil_output_padding, spoil_output_size,
    spoil_lists, spoil_size, spoil_size, spoil_dtype,
]
