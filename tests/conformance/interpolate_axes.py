# SPDX-License-Identifier: MIT
"""One axis of an interpolation, as live PyTorch has it: its index map, or its weights.

Each axis is interpolated alone, on an identity matrix: its response is the table of weights. Where
PyTorch rounds weights to a narrow type that does not show them, since taps clamped onto one pixel
arrive as one number, rounded again. There the coordinates are computed here and the table is held
against both responses, in float32 and in the narrow type, bit for bit.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import interpolate_cases as cases
import storage
from report import HarnessError
from storage import DTYPES

TAPS = {"linear": 2, "bicubic": 4}  # per axis; otherwise those that are not zero
ONE, HALF = np.float32(1), np.float32(0.5)


@dataclass(frozen=True)
class Axis:
    """One axis of a spec: everything its weights depend on."""

    mode: str  # of an interpolation of this axis alone
    dtype: str
    size_in: int
    size_out: int
    scale: float | None
    recompute: bool | None
    align_corners: bool | None
    antialias: bool

    @property
    def ratio(self) -> np.float32:
        """Pixels of the input per pixel of the output, in float32."""
        if self.align_corners:
            steps = np.float32(self.size_out - 1)
            return np.float32(self.size_in - 1) / steps if steps > 0 else np.float32(0)
        if self.scale is not None and not self.recompute:
            return np.float32(1.0 / self.scale)
        return np.float32(self.size_in) / np.float32(self.size_out)


def in_float32(axis: Axis) -> Axis:
    """The axis as PyTorch computes it where it keeps weights of a narrow dtype in float32."""
    return replace(axis, dtype="f32")


def axes_of(spec: cases.Spec) -> list[Axis]:
    mode = spec["mode"]
    antialias = spec.get("antialias", False)
    if mode in ("bilinear", "trilinear"):
        mode = "bilinear" if antialias else "linear"
    spatial = cases.parts(spec)[2]
    scales = cases.per_axis(spec.get("scale_factor"), len(spatial))
    return [
        Axis(mode, cases.dtype_name(spec), size_in, size_out, scale,
             spec.get("recompute_scale_factor"), spec.get("align_corners"), antialias)
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


# --- index maps


@functools.lru_cache(maxsize=256)
def index_map(axis: Axis) -> np.ndarray:
    """For nearest modes: the input index of each output. Only double has coordinates of its own."""
    number = torch.float64 if axis.dtype == "f64" else torch.float32
    return alone(axis, torch.arange(axis.size_in, dtype=number)[None])[0].long().numpy()


def vectorised_map(axis: Axis) -> np.ndarray:
    """The index map of the vectorised path, in float32 whatever the dtype."""
    output = np.arange(axis.size_out)
    if axis.mode == "nearest" and axis.size_out == axis.size_in:
        return output
    if axis.mode == "nearest" and axis.size_out == 2 * axis.size_in:
        return output >> 1
    offset = np.float32(0.5 if axis.mode == "nearest-exact" else 0)
    source = np.floor((output.astype(np.float32) + offset) * axis.ratio).astype(np.int64)
    return np.minimum(source, axis.size_in - 1)


def fused() -> bool:
    """Whether PyTorch computes coordinates with FMA here, as on every CPU that has it.

    Compilers contract its a·b + c; without FMA (ATEN_CPU_CAPABILITY=default, too) other weights
    come out, and this map of nearest-exact is then that of the vectorised path.
    """
    axis = Axis("nearest-exact", "f32", 2, 739, None, None, None, False)
    return not np.array_equal(index_map(axis), vectorised_map(axis))


# --- weights


@functools.lru_cache(maxsize=32)
def weights(axis: Axis) -> np.ndarray:
    """The framework's weights of f32 or f64 as doubles, [output, input]."""
    eye = torch.eye(axis.size_in, dtype=DTYPES[axis.dtype].torch)
    table = alone(axis, eye).T.double().numpy()
    if table.shape != (axis.size_out, axis.size_in):
        raise HarnessError(f"weights of {axis} have shape {table.shape}")
    return table


@functools.lru_cache(maxsize=32)
def rounded_weights(axis: Axis) -> np.ndarray:
    """The weights of a narrow dtype where PyTorch rounds them to it: linear and bicubic."""
    single = in_float32(axis)
    if axis.mode == "linear" and axis.size_in == axis.size_out:
        return weights(single)
    dtype = DTYPES[axis.dtype]
    pixels, exact = (linear if axis.mode == "linear" else bicubic)(axis)
    stored = storage.values(storage.rounded(exact, dtype), dtype)
    if axis.mode == "linear":  # the first is one minus the rounded second
        stored[:, 0] = storage.values(storage.rounded(1 - stored[:, 1], dtype), dtype)
    if not np.array_equal(table_of(axis, pixels, exact), weights(single)):
        raise HarnessError(f"coordinates of {axis} are not PyTorch's")
    table = table_of(axis, pixels, stored)
    response = alone(axis, torch.eye(axis.size_in, dtype=dtype.torch)).T.double().numpy()
    if not np.array_equal(storage.values(storage.rounded(table, dtype), dtype), response):
        raise HarnessError(f"rounded weights of {axis} are not PyTorch's")
    return table


def table_of(axis: Axis, pixels: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """[output, input]; taps on one pixel are added in float32, in order, as PyTorch's sum does."""
    table = np.zeros((axis.size_out, axis.size_in), np.float32)
    rows = np.arange(axis.size_out)
    for number in range(taps.shape[1]):
        table[rows, pixels[:, number]] += taps[:, number].astype(np.float32)
    return table.astype(np.float64)


def fma(a: np.ndarray, b: np.ndarray, c: np.ndarray | float) -> np.ndarray:
    """a·b + c of float32, rounded once.

    The product is exact in double. The sum is rounded to odd there, so that rounding it again to
    float32 gives what one rounding would.
    """
    product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    addend = np.broadcast_to(np.asarray(c, np.float64), product.shape)
    total = product + addend
    part = total - product
    error = (product - (total - part)) + (addend - part)
    even = (total.view(np.uint64) & 1) == 0
    odd = np.where((error != 0) & even, np.nextafter(total, np.copysign(np.inf, error)), total)
    return odd.astype(np.float32)


def coordinates(axis: Axis) -> np.ndarray:
    output = np.arange(axis.size_out, dtype=np.float32)
    if axis.align_corners:
        return axis.ratio * output
    return fma(np.full_like(output, axis.ratio), output + HALF, -0.5)


def split(source: np.ndarray, size_in: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel before each coordinate, and how far behind it the coordinate lies."""
    pixel = np.minimum(np.floor(source).astype(np.int64), size_in - 1)
    return pixel, np.clip(source - pixel.astype(np.float32), np.float32(0), ONE)


def linear(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    pixel, behind = split(np.maximum(coordinates(axis), np.float32(0)), axis.size_in)
    pixels = np.stack([pixel, np.minimum(pixel + 1, axis.size_in - 1)], axis=1)
    return pixels, np.stack([ONE - behind, behind], axis=1)


def bicubic(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """Keys' cubic with A = -0.75, in the steps that compilers fuse in PyTorch's text."""
    pixel, behind = split(coordinates(axis), axis.size_in)
    a = np.float32(-0.75)

    def near(x: np.ndarray) -> np.ndarray:
        return fma(np.full_like(x, a + 2), x, -(a + 3)) * x * x + ONE

    def far(x: np.ndarray) -> np.ndarray:
        return fma(fma(np.full_like(x, a), x, -5 * a), x, 8 * a) * x - 4 * a

    ahead = ONE - behind
    taps = [far(behind + ONE), near(behind), near(ahead), far(ahead + ONE)]
    pixels = np.stack([pixel + offset for offset in (-1, 0, 1, 2)], axis=1)
    return np.clip(pixels, 0, axis.size_in - 1), np.stack(taps, axis=1)


def count_taps(axis: Axis, table: np.ndarray) -> np.ndarray:
    """Terms of each output along one axis."""
    if not axis.antialias and axis.mode in TAPS:
        return np.full(axis.size_out, TAPS[axis.mode])
    return np.maximum(1, np.count_nonzero(table, axis=1))
