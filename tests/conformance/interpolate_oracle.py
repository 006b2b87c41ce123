# SPDX-License-Identifier: MIT
"""What live PyTorch says about an interpolate spec: exact bits, or ŷ in double with its bound.

The weights are the framework's own: each axis is interpolated alone, on an identity matrix, so that
its response is the table of weights in float32. ŷ applies the tables in double; the bound is
(n + 4)·2⁻²⁴·Σ|w·x|. PyTorch's own result must lie within it too, else the tables are wrong.

PyTorch disagrees with itself in two places. Each is recognised by its rule, not merely tolerated:
- Index maps have a generic and a vectorised implementation. Upweave follows the generic one
  everywhere; taking each axis alone goes through it. The formula of the other is written here.
- antialias of a contiguous tensor to an output one pixel wide repeats the first row; channels last
  it does not. Upweave follows the latter, which is the sum that both are meant to be.
docs/numerics.md documents both choices.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import interpolate_cases as cases
from report import HarnessError

Spec = cases.Spec
TAPS = {"linear": 2, "bicubic": 4}  # per axis; otherwise those that are not zero
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@dataclass
class Expected:
    """want and bound in memory order (bound None: bit for bit), and PyTorch's two disagreeing."""

    want: np.ndarray
    bound: np.ndarray | None
    paths_disagree: bool


@dataclass(frozen=True)
class Axis:
    """One axis of a spec: everything its weights depend on."""

    mode: str  # of an interpolation of this axis alone
    size_in: int
    size_out: int
    scale: float | None
    recompute: bool | None
    align_corners: bool | None
    antialias: bool


def keywords(spec: Spec) -> dict[str, Any]:
    """The arguments of F.interpolate; lists become tuples."""
    names = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")
    return {
        name: tuple(spec[name]) if isinstance(spec[name], list) else spec[name]
        for name in names if name in spec
    }


def to_torch_order(spec: Spec, array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, -1, 1) if cases.interleaved(spec) else array


def to_memory_order(spec: Spec, array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, 1, -1) if cases.interleaved(spec) else array)


def refusal(spec: Spec) -> str | None:
    """None if PyTorch interpolates this spec, else why not.

    Its area mode also makes empty outputs and takes no channels; other modes do not, Upweave never.
    """
    shape = spec["x"]["shape"]
    order = list(range(len(shape)))
    if cases.interleaved(spec):
        order.insert(1, order.pop())
    x = torch.zeros([shape[axis] for axis in order])
    try:
        y = functional.interpolate(x, **keywords(spec))
    except (ValueError, TypeError, RuntimeError, NotImplementedError, OverflowError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return "an empty dimension" if 0 in (*x.shape[1:], *y.shape[1:]) else None


def axes_of(spec: Spec) -> list[Axis]:
    mode = spec["mode"]
    antialias = spec.get("antialias", False)
    if mode in ("bilinear", "trilinear"):
        mode = "bilinear" if antialias else "linear"
    spatial = cases.parts(spec)[2]
    scales = cases.per_axis(spec.get("scale_factor"), len(spatial))
    return [
        Axis(mode, size_in, size_out, scale, spec.get("recompute_scale_factor"),
             spec.get("align_corners"), antialias)
        for size_in, size_out, scale in zip(spatial, cases.sizes_out(spec), scales)
    ]


def alone(axis: Axis, rows: torch.Tensor) -> torch.Tensor:
    """Interpolates the rows of a matrix along this axis only, by PyTorch's generic path."""
    arguments: dict[str, Any] = {"mode": axis.mode}
    for name, value in (("recompute_scale_factor", axis.recompute),
                        ("align_corners", axis.align_corners), ("antialias", axis.antialias)):
        if value is not None:
            arguments[name] = value
    if axis.mode in ("bilinear", "bicubic"):  # need two axes; the other keeps its one row
        size, scale = (1, axis.size_out), (1.0, axis.scale)
        rows = rows[:, None, None, :]
    else:
        size, scale = axis.size_out, axis.scale
        rows = rows[:, None, :]
    if axis.scale is None:
        return functional.interpolate(rows, size=size, **arguments).flatten(1)
    return functional.interpolate(rows, scale_factor=scale, **arguments).flatten(1)


@functools.lru_cache(maxsize=256)
def index_map(axis: Axis) -> np.ndarray:
    """For nearest modes: the input index of each output."""
    return alone(axis, torch.arange(axis.size_in, dtype=torch.float32)[None])[0].long().numpy()


@functools.lru_cache(maxsize=32)
def weights(axis: Axis) -> np.ndarray:
    """The framework's float32 weights as doubles, [output, input]."""
    table = alone(axis, torch.eye(axis.size_in)).T.double().numpy()
    if table.shape != (axis.size_out, axis.size_in):
        raise HarnessError(f"weights of {axis} have shape {table.shape}")
    return table


def taps(axis: Axis) -> np.ndarray:
    """Terms of each output along one axis."""
    if not axis.antialias and axis.mode in TAPS:
        return np.full(axis.size_out, TAPS[axis.mode])
    return np.maximum(1, np.count_nonzero(weights(axis), axis=1))


def along(table: np.ndarray, dimension: int, array: np.ndarray) -> np.ndarray:
    """Multiplies one dimension of an array by a matrix."""
    return np.moveaxis(np.moveaxis(array, dimension, -1) @ table.T, -1, dimension)


def summed(spec: Spec, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ŷ and its bound in PyTorch's order. Innermost axis first, as it shrinks or grows rows."""
    want = x.astype(np.float64)
    magnitude = np.abs(want)
    terms = np.ones(())
    axes = axes_of(spec)
    for number, axis in reversed(list(enumerate(axes))):
        table = weights(axis)
        want = along(table, number + 2, want)
        magnitude = along(np.abs(table), number + 2, magnitude)
        terms = np.multiply.outer(taps(axis), terms)
    return want, (terms + 4) * 2.0**-24 * magnitude


def in_both_formats(spec: Spec, x: np.ndarray) -> list[tuple[bool, np.ndarray]]:
    """PyTorch's result for a contiguous tensor and, from rank 2, for a channels-last one."""
    tensor = torch.from_numpy(np.ascontiguousarray(x))
    found = [(False, functional.interpolate(tensor, **keywords(spec)).numpy())]
    if tensor.dim() in CHANNELS_LAST:
        moved = tensor.contiguous(memory_format=CHANNELS_LAST[tensor.dim()])
        found.append((True, functional.interpolate(moved, **keywords(spec)).numpy()))
    return found


def vectorised(spec: Spec, channels_last: bool) -> bool:
    """Whether F.interpolate leaves the generic path for an index map."""
    channels = cases.parts(spec)[1]
    sizes = cases.sizes_out(spec)
    return (channels_last and channels > 3) or (len(sizes) == 2 and sum(sizes) <= 128)


def vectorised_map(axis: Axis) -> np.ndarray:
    """The index map of the vectorised path, in its float32 arithmetic."""
    output = np.arange(axis.size_out)
    if axis.mode == "nearest" and axis.size_out == axis.size_in:
        return output
    if axis.mode == "nearest" and axis.size_out == 2 * axis.size_in:
        return output >> 1
    if axis.scale is not None and not axis.recompute:
        ratio = np.float32(1.0 / axis.scale)
    else:
        ratio = np.float32(axis.size_in) / np.float32(axis.size_out)
    offset = np.float32(0.5 if axis.mode == "nearest-exact" else 0)
    source = np.floor((output.astype(np.float32) + offset) * ratio).astype(np.int64)
    return np.minimum(source, axis.size_in - 1)


def fused() -> bool:
    """Whether PyTorch computes coordinates with FMA here, as on every CPU that has it.

    Compilers contract its a·b + c; without FMA (ATEN_CPU_CAPABILITY=default, too) other weights
    come out, and this map of nearest-exact is then that of the vectorised path.
    """
    axis = Axis("nearest-exact", 2, 739, None, None, None, False)
    return not np.array_equal(index_map(axis), vectorised_map(axis))


def gather(x: np.ndarray, maps: list[np.ndarray]) -> np.ndarray:
    for dimension, indices in enumerate(maps, 2):
        x = np.take(x, indices, axis=dimension)
    return x


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(np.ascontiguousarray(a).view(np.uint32),
                          np.ascontiguousarray(b).view(np.uint32))


def copied(spec: Spec, x: np.ndarray) -> Expected:
    """An index map: the generic path's, and PyTorch's own result explained."""
    axes = axes_of(spec)
    want = gather(x, [index_map(axis) for axis in axes])
    disagree = False
    for channels_last, found in in_both_formats(spec, x):
        if same_bits(found, want):
            continue
        disagree = True
        other = gather(x, [vectorised_map(axis) for axis in axes])
        if not (vectorised(spec, channels_last) and same_bits(found, other)):
            raise HarnessError(f"no known rule of PyTorch gives its result, {channels_last=}")
    return Expected(to_memory_order(spec, want), None, disagree)


def expected(spec: Spec, x: np.ndarray) -> Expected:
    """x in memory order. Raises HarnessError where PyTorch's result is not explained."""
    x = to_torch_order(spec, x)
    if spec["mode"].startswith("nearest"):
        return copied(spec, x)
    want, bound = summed(spec, x)
    disagree = False
    for channels_last, found in in_both_formats(spec, x):
        if found.shape != want.shape:
            raise HarnessError(f"shape {want.shape}, PyTorch's is {found.shape}")
        share = worst_share(found, want, bound)
        if share <= 1:
            continue
        disagree = True
        if not repeats_first_row(spec, found, want, bound):
            raise HarnessError(f"PyTorch is {share:.3g} bounds off its weights, {channels_last=}")
    return Expected(to_memory_order(spec, want), to_memory_order(spec, bound), disagree)


def repeats_first_row(
    spec: Spec, found: np.ndarray, want: np.ndarray, bound: np.ndarray
) -> bool:
    """PyTorch's fault in an antialiased column: the first row's weights and inputs for all rows."""
    if not (spec.get("antialias") and want.shape[-1] == 1):
        return False
    return worst_share(found, want[:, :, :1], bound[:, :, :1]) <= 1


def worst_share(found: np.ndarray, want: np.ndarray, bound: np.ndarray) -> float:
    """The largest error as a share of its bound; 0/0 is 0, NaN is infinite."""
    error = np.abs(found - want)
    if error.size == 0:
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(error == 0, 0, error / bound)
    return float(np.max(np.where(np.isnan(share), math.inf, share)))
