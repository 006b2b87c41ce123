# SPDX-License-Identifier: MIT
"""What live PyTorch says about a conv or conv_transpose spec: ŷ, and how far off a kernel may be.

ŷ is PyTorch's convolution of the stored numbers in double; for f64, where that is not exact
enough, a sum over taps in extended precision, and PyTorch's must agree with it. What PyTorch has no
argument for is put together from what it has: padding per side from F.pad, or from cutting the
result of conv_transpose. PyTorch's convolution in float32, or for f64 in double, must lie within
twice the bound of a kernel: else the oracle means something else than PyTorch. Its results in f16
and bf16 are no oracle: conv_transpose adds in the type itself where output_padding reaches the
stride, and bf16 conv reads memory that is not its own in places (2×2×28×3, kernel 2×3, stride 2).

The bound of a sum of n products is (n + 4)·u·Σ|w·x|, u = 2⁻²⁴ or, for f64, 2⁻⁵³. An epilogue
takes it times its largest slope, and adds its own error. batch_norm behind the sum, or behind
another one, is folded into weights and bias: its factor is in the products, and n is 4 more. f16
and bf16 add half the distance of neighbouring numbers of the result. Kernels of Winograd's
algorithms: all products of a window and Σ|w·x| of the largest neighbour that may be in the tile,
times the factor of the algorithm. docs/numerics.md says the same to users.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import conv_cases as cases
import conv_post as post
import storage
from report import HarnessError
from upweave import Arrays, Spec

CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d,
              3: functional.conv_transpose3d}
for message in ("Using padding='same'", "Initializing zero-element tensors"):
    warnings.filterwarnings("ignore", message)
TILE = 8  # outputs at most on one axis, of one phase


@dataclass
class Expected:
    """want and bound in memory order; of f16 and bf16, the bound holds for what is stored."""

    want: np.ndarray
    bound: np.ndarray


def to_torch_order(spec: Spec, array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, -1, 1) if cases.interleaved(spec) else array


def to_memory_order(spec: Spec, array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, 1, -1) if cases.interleaved(spec) else array)


def doubles(spec: Spec, arrays: Arrays) -> dict[str, np.ndarray]:
    """All tensors as doubles; x and residuals channels first."""
    dtype = cases.dtype_of(spec)
    found = {name: to_torch_order(spec, storage.values(array, dtype))
             for name, array in arrays.inputs.items()}
    found.update((name, storage.values(array, dtype)) for name, array in arrays.parameters.items())
    return found


# --- the convolution


def convolved(
    spec: Spec, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """PyTorch's result in the tensors' dtype."""
    begin, end = cases.pads(spec)
    rank = len(begin)
    keywords: dict[str, Any] = {name: cases.axes(spec, name) for name in ("stride", "dilation")}
    keywords["groups"] = spec.get("groups", 1)
    given = spec.get("padding", 0)
    if not cases.transposed(spec):
        if isinstance(given, str) or begin == end:
            keywords["padding"] = given if isinstance(given, str) else begin
        else:
            x = functional.pad(x, [side for pair in zip(begin[::-1], end[::-1]) for side in pair])
        return CONV[rank](x, weight, bias, **keywords)
    more = cases.longer(spec)
    if begin == end:
        return TRANSPOSED[rank](x, weight, bias, padding=begin, output_padding=more, **keywords)
    y = TRANSPOSED[rank](x, weight, bias, output_padding=more, **keywords)
    for axis, (b, e) in enumerate(zip(begin, end), 2):
        y = y.narrow(axis, b, y.shape[axis] - b - e)
    return y


def in_double(
    spec: Spec, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None
) -> np.ndarray:
    tensors = [None if array is None else torch.from_numpy(np.ascontiguousarray(array))
               for array in (x, weight, bias)]
    return convolved(spec, *tensors).numpy()


def terms(spec: Spec, shape: tuple[int, ...]) -> np.ndarray:
    """Products in each sum, [1, 1, …]."""
    one = {**spec, "groups": 1}
    found = in_double(one, np.ones((1, 1, *shape[2:])), np.ones((1, 1, *cases.axes(
        spec, "kernel_size"))), None)
    return found * (shape[1] // spec.get("groups", 1))


def slices(start: list[int], count: list[int], step: list[int]) -> tuple[slice, ...]:
    along = (slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(start, count, step))
    return (slice(None), slice(None), slice(None), *along)


def in_extended(
    spec: Spec, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None
) -> np.ndarray:
    """The sum over taps in numpy's long double: gathered, or scattered and cut."""
    groups, kernel = spec.get("groups", 1), cases.axes(spec, "kernel_size")
    steps, (begin, end) = cases.axes(spec, "stride"), cases.pads(spec)
    dilations, outputs = cases.axes(spec, "dilation"), cases.sizes_out(spec)
    spatial, forwards = list(x.shape[2:]), not cases.transposed(spec)
    of_groups = x.astype(np.longdouble).reshape(x.shape[0], groups, x.shape[1] // groups, *spatial)
    weights = weight.astype(np.longdouble).reshape(groups, -1, *weight.shape[1:])
    if forwards:
        of_groups = np.pad(of_groups, [(0, 0)] * 3 + list(zip(begin, end)))
        y = np.zeros((x.shape[0], groups, weights.shape[1], *outputs), np.longdouble)
    else:
        whole = [size + b + e for size, b, e in zip(outputs, begin, end)]
        y = np.zeros((x.shape[0], groups, weights.shape[2], *whole), np.longdouble)
    for tap in np.ndindex(*kernel):
        start = [k * d for k, d in zip(tap, dilations)]
        at = weights[(slice(None), slice(None), slice(None), *tap)]
        if forwards:
            y += np.einsum("ngi...,goi->ngo...", of_groups[slices(start, outputs, steps)], at)
        else:
            y[slices(start, spatial, steps)] += np.einsum("ngi...,gio->ngo...", of_groups, at)
    if not forwards:
        y = y[slices(begin, outputs, [1] * len(begin))]
    y = y.reshape(x.shape[0], spec["out_channels"], *outputs)
    return y if bias is None else y + bias.reshape(-1, *[1] * len(outputs))


def largest_near(spec: Spec, array: np.ndarray) -> np.ndarray:
    """The maximum over the outputs that may be in one tile with an output."""
    if array.size == 0:
        return array
    strides = cases.axes(spec, "stride") if cases.transposed(spec) else [1] * (array.ndim - 2)
    for axis, s in enumerate(strides, 2):
        rows = torch.from_numpy(np.moveaxis(array, axis, -1).astype(np.float64))
        flat, radius = rows.reshape(1, -1, rows.shape[-1]), TILE * s
        ends = functional.pad(flat, (radius, radius))  # magnitudes are not negative
        best = functional.max_pool1d(ends, 2 * radius + 1, 1)
        array = np.moveaxis(best.reshape(rows.shape).numpy(), -1, axis)
    return array


def sum_of(spec: Spec, tensors: dict[str, np.ndarray], factor: int | None) -> post.Sum:
    """The convolution with its bias: ŷ, Σ|w·x| and n; with a factor, of the tile."""
    x, weight, bias = tensors["x"], tensors["weight"], tensors.get("bias")
    f64 = cases.dtype_of(spec).name == "f64"
    want = in_extended(spec, x, weight, bias) if f64 else in_double(spec, x, weight, bias)
    magnitude = in_double(spec, np.abs(x), np.abs(weight), None if bias is None else np.abs(bias))
    count = terms(spec, x.shape)
    if factor is not None:
        magnitude = largest_near(spec, magnitude)
        count = np.full_like(count, math.prod(cases.axes(spec, "kernel_size")) * x.shape[1]
                             // spec.get("groups", 1))
    return post.Sum(want.astype(np.longdouble), magnitude, np.broadcast_to(count, want.shape),
                    factor or 1)


def check_against_own(spec: Spec, tensors: dict[str, np.ndarray], found: post.Sum) -> None:
    """PyTorch's convolution in the type of its sums, within twice the bound."""
    dtype = cases.dtype_of(spec)
    own = torch.float64 if dtype.name == "f64" else torch.float32
    given = [torch.from_numpy(np.ascontiguousarray(tensors[name])).to(own) if name in tensors
             else None for name in ("x", "weight", "bias")]
    y = convolved(spec, *given).double().numpy()
    if y.shape != found.want.shape:
        raise HarnessError(f"y is {found.want.shape}, PyTorch's is {y.shape}")
    share = storage.worst_share(y, found.want, 2 * found.bound(dtype.unit))
    if not share <= 1:
        raise HarnessError(f"PyTorch's own result is {share:.3g} times twice the bound off")


def stored_bound(want: np.ndarray, bound: np.ndarray, dtype: storage.Dtype) -> np.ndarray:
    return bound + storage.half_step(np.abs(want).astype(np.float64) + bound, dtype)


def expected(spec: Spec, arrays: Arrays, factor: int | None = None) -> Expected:
    """`factor` is that of the kernel's algorithm, if it is one of Winograd."""
    tensors = doubles(spec, arrays)
    found = sum_of(spec, tensors, factor)
    check_against_own(spec, tensors, found)
    dtype = cases.dtype_of(spec)
    want, bound = post.applied(spec, tensors, found, dtype.unit)
    bound = stored_bound(want, bound.astype(np.float64), dtype)
    return Expected(to_memory_order(spec, want), to_memory_order(spec, bound))


# --- what is not finite


def users(spec: Spec, x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The outputs that use an element in which x and the other differ, in memory order."""
    changed = to_torch_order(spec, storage.bits(x) != storage.bits(other)).astype(np.float64)
    reached = in_double(spec, changed, np.ones(cases.weight_shape(spec)), None)
    return to_memory_order(spec, reached > 0)


def with_odd_element(spec: Spec, arrays: Arrays) -> np.ndarray:
    """ŷ of the other x, in memory order."""
    assert arrays.other_x is not None
    tensors = doubles(spec, Arrays({**arrays.inputs, "x": arrays.other_x}, arrays.parameters))
    x, weight, bias = tensors["x"], tensors["weight"], tensors.get("bias")
    want = in_double(spec, x, weight, bias).astype(np.longdouble)
    unknown = post.Sum(want, np.zeros_like(want), np.zeros_like(want))
    return to_memory_order(spec, post.applied(spec, tensors, unknown, cases.dtype_of(spec).unit)[0])


def in_tiles(spec: Spec, used: np.ndarray) -> np.ndarray:
    """The outputs that may be in one tile with these."""
    near = largest_near(spec, to_torch_order(spec, used).astype(np.float64))
    return to_memory_order(spec, near > 0)


# --- what is refused


def refusal(spec: Spec) -> str | None:
    """None if PyTorch computes this spec, else why not.

    A list of one number for several axes, channels that do not exist and integer types, which it
    takes in places, count as refused: Upweave has none of them. Layers of f16 and bf16 are asked in
    float32: conv_transpose of bf16 kills the process at 2×1×1×40, kernel 4, stride 100, dilation 2.
    """
    try:
        dtype = cases.dtype_of(spec)
        if not (dtype.narrow or dtype.name in ("f32", "f64")) or 0 in spec["x"]["shape"][1:]:
            return "not of Upweave"
        x = torch.zeros(spec["x"]["shape"], dtype=torch.float32 if dtype.narrow else dtype.torch)
        x = x.movedim(-1, 1) if cases.interleaved(spec) else x
        if not refused_window(spec):
            module(spec, x)
            return None
        return refused_window(spec)
    except (ValueError, TypeError, RuntimeError, KeyError, ZeroDivisionError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def refused_window(spec: Spec) -> str | None:
    """Lists of other lengths than PyTorch's, those of padding per side apart."""
    rank = len(spec["x"]["shape"]) - 2
    for name in ("kernel_size", "stride", "dilation", "output_padding", "output_size"):
        if isinstance(spec.get(name), list) and len(spec[name]) != rank:
            return f"{name} has {len(spec[name])} numbers"
    given = spec.get("padding")
    if isinstance(given, list) and len(given) not in (rank, 2 * rank):
        return f"padding has {len(given)} numbers"
    if isinstance(given, list) and min(given) < 0:
        return "negative padding"
    return None


def module(spec: Spec, x: torch.Tensor) -> None:
    """Runs the layer; what its padding per side does is F.pad's, or cut from its result."""
    rank, given = x.dim() - 2, spec.get("padding", 0)
    sides = isinstance(given, list) and len(given) == 2 * rank
    kind = "ConvTranspose" if cases.transposed(spec) else "Conv"
    names = ["kernel_size", "stride", "dilation", "groups", "bias"]
    keywords = {name: spec[name] for name in names if name in spec}
    more: dict[str, Any] = {}
    if not sides:
        keywords["padding"] = given
    elif kind == "Conv":
        x = functional.pad(x, [side for pair in zip(given[:rank][::-1], given[rank:][::-1])
                               for side in pair])
    if "output_padding" in spec:
        keywords["output_padding"] = spec["output_padding"]
    if "output_size" in spec and not sides:
        more["output_size"] = cases.per_axis(spec["output_size"], rank)
    layer = getattr(torch.nn, f"{kind}{rank}d")(
        x.shape[1], spec["out_channels"], dtype=x.dtype, **keywords)
    y = layer(x, **more)
    if sides and kind == "ConvTranspose":
        least = [size - begin - end for size, begin, end in zip(y.shape[2:], given, given[rank:])]
        wanted = cases.per_axis(spec.get("output_size", least), rank)
        steps = cases.axes(spec, "stride")
        if min(wanted) < 1 or any(not 0 <= a - b < s for a, b, s in zip(wanted, least, steps)):
            raise ValueError("output size out of range")
