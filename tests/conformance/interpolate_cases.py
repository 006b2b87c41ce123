# SPDX-License-Identifier: MIT
"""Random interpolate specs and inputs, each a function of (seed, index) alone.

A spec is the JSON object of one kernel. `valid` draws what PyTorch accepts; `arguments` what it may
or may not. Sizes are kept small enough that a plane and its weights are cheap to compare in double.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import torch

import storage

Spec = dict[str, Any]

LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
TORCH_DTYPES = {
    **{name: dtype.torch for name, dtype in storage.DTYPES.items()},
    "i8": torch.int8, "i32": torch.int32, "i64": torch.int64,
}
DTYPE_SHARES = {"f32": 6, "f64": 4, "f16": 4, "bf16": 4, "u8": 5}
UINT8_SUMS = ("bilinear", "bicubic")
MODES = {
    1: ["nearest", "nearest-exact", "linear", "linear", "area"],
    2: ["nearest", "nearest-exact", "bilinear", "bilinear", "bicubic", "bicubic", "area"],
    3: ["nearest", "nearest-exact", "trilinear", "trilinear", "area"],
}
ALIGNABLE = ("linear", "bilinear", "bicubic", "trilinear")
ANTIALIASABLE = ("bilinear", "bicubic")
# From two pixels: where float32 rounds an index over an integer, in either nearest mode.
ROUNDED_FROM_TWO = [41, 47, 82, 94, 110]
CHANNELS = [1, 3, 4, 5, 16, 17, 21, 32, 64]
SCALES = [2, 2, 2, 3, 4, 8, 0.5, 0.25, 1.5, 1.7, 0.6, 2.2, 1.1, 1.0, 0.9, 2.5, 1 / 3, 0.7]
USUAL_ELEMENTS = 1 << 17
LARGE_ELEMENTS = 1 << 20
LONGEST_AXIS = 1200
LONG_SHARE = 0.1  # of the specs of every dtype
LONG_SIZES = (150, 598)  # twice the longest, and a few, is still LONGEST_AXIS at most
# One less most often: there weights that meet at a border are more than 1 on the way to less.
FEW = [-3, -2, -1, -1, -1, -1, 1, 1, 2, 3]


def interleaved(spec: Spec) -> bool:
    """Whether channels come last; a missing layout is channels first."""
    return spec["x"].get("layout", "NC")[1] != "C"


def dtype_name(spec: Spec) -> str:
    return spec["x"].get("dtype", "f32")


def modes_of(dtype: str, rank: int) -> list[str]:
    """What PyTorch has of a rank; of uint8, sums only of rank 2."""
    if dtype != "u8":
        return MODES[rank]
    return [mode for mode in MODES[rank] if mode in UINT8_SUMS or mode.startswith("nearest")]


def parts(spec: Spec) -> tuple[int, int, list[int]]:
    """Batch, channels and spatial sizes of x."""
    shape = spec["x"]["shape"]
    if interleaved(spec):
        return shape[0], shape[-1], shape[1:-1]
    return shape[0], shape[1], shape[2:]


def per_axis(value: Any, rank: int) -> list[Any]:
    """A scalar stands for all axes."""
    return list(value) if isinstance(value, list) else [value] * rank


def sizes_out(spec: Spec) -> list[int]:
    """Truncation of a double product, as the contract and PyTorch have it."""
    spatial = parts(spec)[2]
    if "size" in spec:
        return per_axis(spec["size"], len(spatial))
    scales = per_axis(spec["scale_factor"], len(spatial))
    return [math.trunc(i * s) for i, s in zip(spatial, scales)]


def generator(seed: int, index: int, purpose: str) -> random.Random:
    return random.Random(f"{seed}/{purpose}/{index}")


def axis_size(rng: random.Random, kind: str) -> int:
    ranges = {"tiny": (1, 4), "odd": (2, 16), "usual": (5, 64), "large": (65, 700)}
    low, high = ranges[kind]
    size = rng.randint(low, high)
    return 2 * size + 1 if kind == "odd" else size


def output_size(rng: random.Random, size: int) -> int:
    if size == 2 and rng.random() < 0.4:
        return rng.choice(ROUNDED_FROM_TWO)
    near = max(1, size + rng.randint(-2, 2))
    choices = [size, 1, 2 * size, 3 * size, max(1, size // 2), near, rng.randint(1, 2 * size + 3),
               rng.randint(1, 2 * size + 3), rng.randint(1, 160)]
    return rng.choice(choices)


def scale(rng: random.Random, size: int) -> float:
    """One in eight is 1 or 2 and a little: the output is size or 2·size, the ratio is not."""
    kind = rng.random()
    if kind < 0.65:
        return rng.choice(SCALES)
    if kind < 0.875:
        return round(rng.uniform(0.2, 6), 3)
    return rng.choice([1, 2]) + rng.uniform(0, 0.95) / size


def spatial_sizes(rng: random.Random, rank: int) -> list[int]:
    kinds = ["tiny", "odd", "usual", "usual", "large", "mixed", "one"]
    kind = rng.choice(kinds)
    if kind == "one":
        return [1 if rng.random() < 0.6 else rng.randint(1, 9) for _ in range(rank)]
    if kind == "mixed":
        return [axis_size(rng, rng.choice(kinds[:5])) for _ in range(rank)]
    return [axis_size(rng, kind) for _ in range(rank)]


def add_target_size(rng: random.Random, spec: Spec, spatial: list[int]) -> None:
    """size, or scale_factor with or without recompute_scale_factor; scalars and lists."""
    if rng.random() < 0.5:
        sizes = [output_size(rng, size) for size in spatial]
        spec["size"] = sizes[0] if rng.random() < 0.2 else sizes
        if rng.random() < 0.1:
            spec["recompute_scale_factor"] = False
        return
    scales = [scale(rng, size) for size in spatial]
    for axis, size in enumerate(spatial):
        while math.trunc(size * scales[axis]) < 1:
            scales[axis] = scale(rng, size)
    one = max(scales)
    spec["scale_factor"] = one if rng.random() < 0.5 else scales
    if rng.random() < 0.6:
        spec["recompute_scale_factor"] = rng.random() < 0.5


def elements(spec: Spec) -> int:
    batch, channels, spatial = parts(spec)
    return max(1, batch) * channels * max(math.prod(spatial), math.prod(sizes_out(spec)))


def set_shape(spec: Spec, batch: int, channels: int, spatial: list[int]) -> None:
    if interleaved(spec):
        spec["x"]["shape"] = [batch, *spatial, channels]
    else:
        spec["x"]["shape"] = [batch, channels, *spatial]


def shrink(rng: random.Random, spec: Spec, limit: int) -> None:
    """Halves channels, then batch, then the longest axis, until the tensors are small enough."""
    while elements(spec) > limit or max(sizes_out(spec)) > LONGEST_AXIS:
        batch, channels, spatial = parts(spec)
        too_long = max(sizes_out(spec)) > LONGEST_AXIS
        if channels > 3 and not too_long:
            set_shape(spec, batch, channels - channels // 2, spatial)
        elif batch > 1 and not too_long:
            set_shape(spec, 1, channels, spatial)
        else:
            longest = spatial.index(max(spatial))
            spatial[longest] = max(1, spatial[longest] // 2)
            set_shape(spec, batch, channels, spatial)
            shrink_target(rng, spec, spatial)


def shrink_target(rng: random.Random, spec: Spec, spatial: list[int]) -> None:
    """Draws the output anew for the smaller input; large outputs become less likely."""
    for key in ("size", "scale_factor", "recompute_scale_factor"):
        spec.pop(key, None)
    add_target_size(rng, spec, spatial)


def valid(seed: int, index: int, dtypes: tuple[str, ...]) -> Spec:
    """A spec that PyTorch accepts, of one of these dtypes."""
    rng = generator(seed, index, "valid")
    dtype = rng.choices(dtypes, [DTYPE_SHARES[name] for name in dtypes])[0]
    rank = rng.choice([1, 2, 2, 2, 3] if dtype != "u8" else [1, 2, 2, 2, 2, 2, 2, 3])
    batch = rng.choices([1, 2, 3, 0], [60, 20, 15, 3])[0]
    channels = rng.choice(CHANNELS) if rng.random() < 0.7 else rng.randint(1, 70)
    spec: Spec = {
        "name": f"k{index:05d}",
        "op": "interpolate",
        "x": {"shape": [], "dtype": dtype, "layout": rng.choice(LAYOUTS[rank])},
        "mode": rng.choice(modes_of(dtype, rank)),
    }
    if dtype == "f32" and rng.random() < 0.5:
        del spec["x"]["dtype"]
    spatial = spatial_sizes(rng, rank)
    set_shape(spec, batch, channels, spatial)
    add_target_size(rng, spec, spatial)
    add_filter(rng, spec)
    shrink(rng, spec, LARGE_ELEMENTS if rng.random() < 0.1 else USUAL_ELEMENTS)
    rng = generator(seed, index, "long axis")
    if rng.random() < LONG_SHARE:
        lengthen(rng, spec)
    return spec


def add_filter(rng: random.Random, spec: Spec) -> None:
    """What the weights depend on besides the mode."""
    if spec["mode"] in ALIGNABLE and rng.random() < 0.6:
        spec["align_corners"] = rng.random() < 0.6
    if spec["mode"] in ANTIALIASABLE and rng.random() < 0.5:
        narrow = storage.DTYPES[dtype_name(spec)].narrow
        spec["antialias"] = rng.random() < 0.8 and not narrow


def lengthen(rng: random.Random, spec: Spec) -> None:
    """One long axis that nearly keeps, doubles or halves its size; the others and channels few.

    There the coordinates nearly meet the pixels, or lie nearly between them, in very many ways:
    that decides how many digits uint8 weights have, and which way an index is rounded.
    """
    for key in ("size", "scale_factor", "recompute_scale_factor", "align_corners", "antialias"):
        spec.pop(key, None)
    rank = len(parts(spec)[2])
    spatial = [rng.randint(2, 5 if rank == 3 else 24) for _ in range(rank)]
    sizes = [max(1, size + rng.randint(-1, 1)) for size in spatial]
    long = rng.randrange(rank)
    size = spatial[long] = rng.randint(*LONG_SIZES)
    sizes[long] = rng.choice([size, size, size, size, 2 * size, size // 2]) + rng.choice(FEW)
    set_shape(spec, 1, rng.randint(1, 4), spatial)
    if rank == 2 and rng.random() < 0.5:
        spec["mode"] = "bicubic"  # the most taps that meet at a border, and negative ones
    if rng.random() < 0.5:
        add_filter(rng, spec)
    if rng.random() < 0.7:
        spec["size"] = sizes
        return
    # A scale that truncates to these sizes, so that the ratio is another than theirs.
    spec["scale_factor"] = [(o + rng.uniform(0.1, 0.9)) / i for i, o in zip(spatial, sizes)]
    spec["recompute_scale_factor"] = rng.random() < 0.3


def arguments(seed: int, index: int, dtypes: tuple[str, ...]) -> Spec:
    """A valid spec with up to two arguments spoiled; some draws stay valid."""
    rng = generator(seed, index, "arguments")
    spec = valid(seed, 1_000_000 + index, dtypes)
    spec["name"] = f"r{index:05d}"
    if rng.random() < 0.15:
        return spec
    for _ in range(rng.choice([1, 1, 2])):
        rng.choice(SPOILERS)(rng, spec)
    return spec


def spoil_mode(rng: random.Random, spec: Spec) -> None:
    modes = ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"]
    spec["mode"] = rng.choice([*modes, "cubic", "Nearest", ""])


def spoil_align_corners(rng: random.Random, spec: Spec) -> None:
    spec["align_corners"] = rng.random() < 0.5


def spoil_antialias(rng: random.Random, spec: Spec) -> None:
    spec["antialias"] = rng.random() < 0.8


def spoil_recompute(rng: random.Random, spec: Spec) -> None:
    spec["recompute_scale_factor"] = rng.random() < 0.7


def spoil_both(rng: random.Random, spec: Spec) -> None:
    """size and scale_factor, or neither."""
    if rng.random() < 0.5:
        spec.pop("size", None)
        spec.pop("scale_factor", None)
    else:
        spec["size"] = 8
        spec["scale_factor"] = 2


def spoil_list_length(rng: random.Random, spec: Spec) -> None:
    key = "size" if "size" in spec else "scale_factor"
    rank = len(spec["x"]["shape"]) - 2
    spec[key] = [2] * rng.choice([length for length in (1, 2, 3, 4) if length != rank])


def spoil_size(rng: random.Random, spec: Spec) -> None:
    spec.pop("scale_factor", None)
    spec.pop("recompute_scale_factor", None)
    rank = len(spec["x"]["shape"]) - 2
    bad = rng.choice([0, -1, -7, 2.5, "8"])
    sizes: list[Any] = [4] * rank
    sizes[rng.randrange(rank)] = bad
    spec["size"] = bad if rng.random() < 0.3 else sizes


def spoil_scale(rng: random.Random, spec: Spec) -> None:
    spec.pop("size", None)
    rank = len(spec["x"]["shape"]) - 2
    bad = rng.choice([0, -2.0, 1e-3, 1e30])
    scales: list[Any] = [1.5] * rank
    scales[rng.randrange(rank)] = bad
    spec["scale_factor"] = bad if rng.random() < 0.3 else scales


def spoil_input(rng: random.Random, spec: Spec) -> None:
    """A dimension of size 0 other than the batch."""
    shape = spec["x"]["shape"]
    shape[rng.randrange(1, len(shape))] = 0


def spoil_dtype(rng: random.Random, spec: Spec) -> None:
    spec["x"]["dtype"] = rng.choice([*TORCH_DTYPES, "f8", ""])


SPOILERS = [
    spoil_mode, spoil_mode, spoil_align_corners, spoil_antialias, spoil_recompute, spoil_both,
    spoil_list_length, spoil_size, spoil_scale, spoil_input, spoil_dtype, spoil_dtype,
]


def input_data(seed: int, index: int, spec: Spec) -> np.ndarray:
    """x in memory order, as it is stored. Index maps get any bits, NaN included; sums get numbers.

    These are plain, of very different sizes, mostly zero, or alike; uint8 also black and white.
    """
    rng = np.random.default_rng([seed, index])
    dtype = storage.DTYPES[dtype_name(spec)]
    shape = spec["x"]["shape"]
    if spec["mode"].startswith("nearest"):
        size = dtype.stored.itemsize
        return rng.integers(0, 1 << 8 * size, shape, storage.BITS[size]).view(dtype.stored)
    kind = rng.integers(4)
    if dtype.name == "u8":
        x = rng.integers(0, 256, shape, np.uint8)
        alike = (200 + x % 8).astype(np.uint8)
        return [x, x, alike, np.where(x < 128, 0, 255).astype(np.uint8)][kind]
    x = rng.standard_normal(shape)
    if kind == 1:
        widest = 9 if dtype.name == "f16" else 20  # f16 ends at 65504
        x = np.ldexp(x, rng.integers(-widest, widest + 1, shape))
    elif kind == 2:
        x = np.where(rng.random(shape) < 0.9, -0.0, x)
    elif kind == 3:
        x = 1000 + x
    return storage.rounded(x, dtype)
