# SPDX-License-Identifier: MIT
"""What live PyTorch says about an interpolate spec: exact bits, or ŷ with its bound.

Sums of floats: the weights are the framework's own (interpolate_axes.py). ŷ applies them in double,
for f64 in extended precision; the bound of a kernel is (n + 4)·u·Σ|w·x|, u = 2⁻²⁴ or, for f64,
2⁻⁵³; f16 and bf16 add half the distance of neighbouring numbers of the type, for the one rounding
of what is stored. PyTorch's own result must lie within the same bound, else the weights are wrong.

f16 and bf16 weights: PyTorch keeps them in float32 where it works on whole pixels (`whole_pixels`)
and in area; otherwise they are rounded to the type, per axis. Upweave follows that, by the layout.

uint8 sums are fixed-point arithmetic and compared bit for bit with PyTorch's channels-last result;
its contiguous result, often of another implementation, must be the same.

PyTorch disagrees with itself in these places. Each is recognised by its rule, not merely tolerated:
- Index maps have a generic and a vectorised implementation. Upweave follows the generic one
  everywhere; taking each axis alone goes through it. The other is in interpolate_axes.py. The
  generic one also loses what a NaN of f16 or bf16 carries; Upweave copies bits.
- Resampling a contiguous tensor axis by axis (antialias, uint8) to an output one pixel wide repeats
  the first row; channels last it does not. Upweave follows the latter, which both are meant to be.
- Of uint8 RGB pictures it refuses to make one pixel where they are contiguous. Upweave makes it.
- area of rank 3 adds up f16 and bf16 in the type itself. Upweave rounds once; what PyTorch's own
  additions may lose is the bound for its result only, never for a kernel.
docs/numerics.md documents the choices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import interpolate_axes as axes
import interpolate_cases as cases
import storage
from report import HarnessError
from storage import DTYPES, Dtype

Spec = cases.Spec
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
REFUSES_ONE_PIXEL = "num_channels == unpacked_output.size(0) INTERNAL ASSERT FAILED"


@dataclass
class Expected:
    """want and bound in memory order (bound None: bit for bit), and PyTorch's two disagreeing."""

    want: np.ndarray
    bound: np.ndarray | None
    paths_disagree: bool


def dtype_of(spec: Spec) -> Dtype:
    return DTYPES[cases.dtype_name(spec)]


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
    dtype = cases.TORCH_DTYPES.get(cases.dtype_name(spec))
    if dtype is None:
        return "no such dtype"
    x = torch.zeros([shape[axis] for axis in order], dtype=dtype)
    try:
        y = functional.interpolate(x, **keywords(spec))
    except (ValueError, TypeError, RuntimeError, NotImplementedError, OverflowError) as error:
        if REFUSES_ONE_PIXEL in str(error):
            return None
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return "an empty dimension" if 0 in (*x.shape[1:], *y.shape[1:]) else None


def in_both_formats(spec: Spec, x: np.ndarray) -> list[tuple[bool, np.ndarray | None]]:
    """PyTorch's result for a contiguous tensor and, from rank 2, for a channels-last one.

    None where it refuses the one pixel it should make.
    """
    tensor = storage.to_tensor(x, dtype_of(spec))
    inputs = [(False, tensor)]
    if tensor.dim() in CHANNELS_LAST:
        inputs.append((True, tensor.contiguous(memory_format=CHANNELS_LAST[tensor.dim()])))
    found: list[tuple[bool, np.ndarray | None]] = []
    for channels_last, one in inputs:
        try:
            result = functional.interpolate(one, **keywords(spec))
            found.append((channels_last, storage.from_tensor(result)))
        except RuntimeError as error:
            if REFUSES_ONE_PIXEL not in str(error) or channels_last:
                raise HarnessError(f"PyTorch refuses: {error}") from error
            found.append((channels_last, None))
    return found


def whole_pixels(spec: Spec, channels_last: bool) -> bool:
    """Whether F.interpolate leaves its generic path, of index maps and of linear modes."""
    channels, spatial = cases.parts(spec)[1:]
    sizes = cases.sizes_out(spec)
    by_strides = len(sizes) > 1 and (channels_last or math.prod(spatial) == 1)
    return (by_strides and channels > 3) or (len(sizes) == 2 and sum(sizes) <= 128)


# --- sums


def table_of(axis: axes.Axis, channels_last: bool, spec: Spec) -> np.ndarray:
    """The framework's own weights of one axis, [output, input]."""
    if dtype_of(spec).narrow:
        rounds = axis.mode == "bicubic" or (
            axis.mode == "linear" and not whole_pixels(spec, channels_last))
        if rounds:
            return axes.rounded_weights(axis)
        axis = axes.in_float32(axis)
    return axes.weights(axis)


def along(table: np.ndarray, dimension: int, array: np.ndarray) -> np.ndarray:
    """Multiplies one dimension of an array by a matrix that is mostly zeros."""
    most = max(1, int(np.count_nonzero(table, axis=1).max()))
    columns = np.argsort(table == 0, axis=1, kind="stable")[:, :most]
    factors = np.take_along_axis(table, columns, axis=1).astype(array.dtype)
    rows = np.moveaxis(array, dimension, -1)
    total = rows[..., columns[:, 0]] * factors[:, 0]
    for tap in range(1, most):
        total += rows[..., columns[:, tap]] * factors[:, tap]
    return np.moveaxis(total, -1, dimension)


def tables(spec: Spec, channels_last: bool) -> list[np.ndarray]:
    return [table_of(axis, channels_last, spec) for axis in axes.axes_of(spec)]


def summed(spec: Spec, x: np.ndarray, of_axes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """ŷ and its bound in PyTorch's order. Innermost axis first, as it shrinks or grows rows."""
    dtype = dtype_of(spec)
    want = storage.values(x, dtype)
    if dtype.name == "f64":
        want = want.astype(np.longdouble)
    magnitude = np.abs(want)
    terms = np.ones(())
    for number, axis in reversed(list(enumerate(axes.axes_of(spec)))):
        table = of_axes[number]
        want = along(table, number + 2, want)
        magnitude = along(np.abs(table), number + 2, magnitude)
        terms = np.multiply.outer(axes.count_taps(axis, table), terms)
    bound = ((terms + 4) * dtype.unit * magnitude).astype(np.float64)
    return want, bound + storage.half_step(np.abs(want).astype(np.float64) + bound, dtype)


def adds_in_the_type(spec: Spec, x: np.ndarray) -> np.ndarray:
    """The bound of PyTorch's own area of rank 3: as many roundings to the type as additions.

    Infinite where the sum may be more than the type holds before it is divided.
    """
    dtype = dtype_of(spec)
    assert dtype.significand is not None
    magnitude = np.abs(storage.values(x, dtype))
    terms = np.ones(())
    for number, axis in reversed(list(enumerate(axes.axes_of(spec)))):
        table = table_of(axis, False, spec)
        magnitude = along(table, number + 2, magnitude)
        terms = np.multiply.outer(axes.count_taps(axis, table), terms)
    smallest = 2.0 ** (dtype.lowest_exponent - dtype.significand)
    bound = 1.1 * (terms + 3) * (2.0**-dtype.significand * magnitude + smallest)
    largest = 2.0 ** (1 - dtype.lowest_exponent)
    return np.where(terms * magnitude + bound < largest, bound, np.inf)


def expected_sum(spec: Spec, x: np.ndarray) -> Expected:
    dtype = dtype_of(spec)
    ours = cases.interleaved(spec)
    sums = {ours: summed(spec, x, tables(spec, ours))}
    disagree = False
    for channels_last, result in in_both_formats(spec, x):
        assert result is not None
        if channels_last not in sums:
            other = tables(spec, channels_last) if dtype.narrow else None
            sums[channels_last] = summed(spec, x, other) if other else sums[ours]
        want, bound = sums[channels_last]
        found = storage.values(result, dtype)
        if found.shape != want.shape:
            raise HarnessError(f"shape {want.shape}, PyTorch's is {found.shape}")
        if dtype.narrow and spec["mode"] == "area" and want.ndim == 5:
            bound = bound + adds_in_the_type(spec, x)
        share = storage.worst_share(found, want, bound)
        if share <= 1:
            continue
        disagree = True
        contiguous = want.shape[1] == 1 or not channels_last
        if not (repeats_first_row(spec, want) and contiguous
                and storage.worst_share(found, want[:, :, :1], bound[:, :, :1]) <= 1):
            raise HarnessError(f"PyTorch is {share:.3g} bounds off its weights, {channels_last=}")
    want, bound = sums[ours]
    return Expected(to_memory_order(spec, want), to_memory_order(spec, bound), disagree)


def repeats_first_row(spec: Spec, want: np.ndarray) -> bool:
    """Whether PyTorch has its fault in a column: the first row's weights and inputs for all rows.

    Of uint8, only pictures of five channels and more go that way.
    """
    by_axis = spec.get("antialias") or (
        dtype_of(spec).name == "u8" and spec["mode"] in ("bilinear", "bicubic"))
    rgb = dtype_of(spec).name == "u8" and want.shape[1] <= 4
    return bool(by_axis) and not rgb and want.ndim == 4 and want.shape[-1] == 1


# --- bit for bit


def expected_fixed(spec: Spec, x: np.ndarray) -> Expected:
    """uint8 sums: PyTorch's channels-last result; the contiguous one explained."""
    (_, found), (_, want) = in_both_formats(spec, x)
    assert want is not None
    disagree = found is None or not storage.same_bits(found, want)
    if found is None:
        if not (x.shape[1] == 3 and want.shape[2:] == (1, 1)):
            raise HarnessError("PyTorch refuses what no known fault explains")
    elif disagree:
        first = np.broadcast_to(want[:, :, :1], want.shape)
        if not (repeats_first_row(spec, want) and storage.same_bits(found, first)):
            raise HarnessError("PyTorch's two results differ by no known fault")
    return Expected(to_memory_order(spec, want), None, disagree)


def gather(x: np.ndarray, maps: list[np.ndarray]) -> np.ndarray:
    for dimension, indices in enumerate(maps, 2):
        x = np.take(x, indices, axis=dimension)
    return x


def same_copy(found: np.ndarray, want: np.ndarray, dtype: Dtype) -> bool:
    """Bit for bit; of narrow dtypes a NaN may have become another one."""
    if storage.same_bits(found, want):
        return True
    if not dtype.narrow:
        return False
    differs = storage.bits(found) != storage.bits(want)
    return bool(np.isnan(storage.values(found, dtype)[differs]).all()
                and np.isnan(storage.values(want, dtype)[differs]).all())


def expected_copy(spec: Spec, x: np.ndarray) -> Expected:
    """An index map: the generic path's, and PyTorch's own result explained."""
    dtype = dtype_of(spec)
    of_axes = axes.axes_of(spec)
    want = gather(x, [axes.index_map(axis) for axis in of_axes])
    disagree = False
    for channels_last, found in in_both_formats(spec, x):
        assert found is not None
        if same_copy(found, want, dtype):
            continue
        disagree = True
        other = gather(x, [axes.vectorised_map(axis) for axis in of_axes])
        if not (whole_pixels(spec, channels_last) and same_copy(found, other, dtype)):
            raise HarnessError(f"no known rule of PyTorch gives its result, {channels_last=}")
    return Expected(to_memory_order(spec, want), None, disagree)


def expected(spec: Spec, x: np.ndarray) -> Expected:
    """x in memory order. Raises HarnessError where PyTorch's result is not explained."""
    x = to_torch_order(spec, x)
    if spec["mode"].startswith("nearest"):
        return expected_copy(spec, x)
    if dtype_of(spec).name == "u8":
        return expected_fixed(spec, x)
    return expected_sum(spec, x)
