# SPDX-License-Identifier: MIT
"""What conv and conv_transpose specs say, and their random arrays, a function of (seed, index).

A spec is the JSON object of one kernel.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

import storage
from upweave import Arrays, Spec

LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}


def interleaved(spec: Spec) -> bool:
    """Whether channels come last; a missing layout is channels first."""
    return spec["x"].get("layout", "NC")[1] != "C"


def dtype_of(spec: Spec) -> storage.Dtype:
    return storage.DTYPES[spec["x"].get("dtype", "f32")]


def transposed(spec: Spec) -> bool:
    return spec["op"] == "conv_transpose"


def parts(spec: Spec) -> tuple[int, int, list[int]]:
    """Batch, channels and spatial sizes of x."""
    shape = spec["x"]["shape"]
    if interleaved(spec):
        return shape[0], shape[-1], shape[1:-1]
    return shape[0], shape[1], shape[2:]


def set_shape(spec: Spec, batch: int, channels: int, spatial: list[int]) -> None:
    last = spec["x"]["layout"][1] != "C"
    spec["x"]["shape"] = [batch, *spatial, channels] if last else [batch, channels, *spatial]


def per_axis(value: Any, rank: int) -> list[Any]:
    """A scalar stands for all axes."""
    return list(value) if isinstance(value, list) else [value] * rank


def axes(spec: Spec, name: str, default: int = 1) -> list[int]:
    return per_axis(spec.get(name, default), len(spec["x"]["shape"]) - 2)


def reach(spec: Spec) -> list[int]:
    """From the first tap to the last."""
    return [d * (k - 1) for k, d in zip(axes(spec, "kernel_size"), axes(spec, "dilation"))]


def pads(spec: Spec) -> tuple[list[int], list[int]]:
    """Zeros before and behind x; of conv_transpose: what is cut off the result."""
    given, spans = spec.get("padding", 0), reach(spec)
    rank = len(spans)
    if given == "valid":
        return [0] * rank, [0] * rank
    if given == "same":
        return [span // 2 for span in spans], [span - span // 2 for span in spans]
    if isinstance(given, list) and len(given) == 2 * rank:
        return given[:rank], given[rank:]
    return per_axis(given, rank), per_axis(given, rank)


def least_sizes(spec: Spec) -> list[int]:
    """Spatial sizes of y, without what output_padding or output_size add."""
    spatial, begin, end = parts(spec)[2], *pads(spec)
    found = []
    for i, span, s, b, e in zip(spatial, reach(spec), axes(spec, "stride"), begin, end):
        if transposed(spec):
            found.append((i - 1) * s - b - e + span + 1)
        else:
            found.append((i + b + e - span - 1) // s + 1)
    return found


def longer(spec: Spec) -> list[int]:
    """What output_padding or output_size add to the end of y."""
    if "output_size" in spec:
        sizes = per_axis(spec["output_size"], len(parts(spec)[2]))
        return [size - least for size, least in zip(sizes, least_sizes(spec))]
    return axes(spec, "output_padding", 0)


def sizes_out(spec: Spec) -> list[int]:
    return [least + more for least, more in zip(least_sizes(spec), longer(spec))]


def y_shape(spec: Spec) -> list[int]:
    """In memory order."""
    batch, channels = parts(spec)[0], spec["out_channels"]
    if interleaved(spec):
        return [batch, *sizes_out(spec), channels]
    return [batch, channels, *sizes_out(spec)]


def weight_shape(spec: Spec) -> list[int]:
    channels, groups, kernel = parts(spec)[1], spec.get("groups", 1), axes(spec, "kernel_size")
    if transposed(spec):
        return [channels, spec["out_channels"] // groups, *kernel]
    return [spec["out_channels"], channels // groups, *kernel]


def products(spec: Spec) -> int:
    spatial = parts(spec)[2] if transposed(spec) else sizes_out(spec)
    return max(1, parts(spec)[0]) * math.prod(weight_shape(spec)) * math.prod(spatial)


def elements(spec: Spec) -> int:
    batch, channels, spatial = parts(spec)
    outputs = spec["out_channels"] * math.prod(sizes_out(spec))
    return max(1, batch) * max(channels * math.prod(spatial), outputs)


def generator(spec_op: str, seed: int, index: int, purpose: str) -> random.Random:
    return random.Random(f"{seed}/{spec_op}/{purpose}/{index}")


# --- arrays


def numbers(rng: np.random.Generator, shape: list[int], kind: int) -> np.ndarray:
    """Plain, of very different sizes, mostly zero, or alike."""
    found = rng.standard_normal(shape)
    if kind == 1:
        return np.ldexp(found, rng.integers(-4, 5, shape))
    if kind == 2:
        return np.where(rng.random(shape) < 0.8, -0.0, found)
    return found + 3 if kind == 3 else found


def names_of(post: list[str]) -> list[tuple[str, list[str], list[str]]]:
    """Of each epilogue its word, and the names of its inputs and parameters."""
    tensors = {"add": (["residual"], []), "prelu": ([], ["slope"]),
               "batch_norm": ([], ["gamma", "beta", "mean", "var"])}
    found, seen = [], dict.fromkeys(tensors, 0)
    for word in post:
        inputs, parameters = tensors.get(word, ([], []))
        if word in seen:
            seen[word] += 1
            tail = str(seen[word]) if seen[word] > 1 else ""
            inputs, parameters = [one + tail for one in inputs], [one + tail for one in parameters]
        found.append((word, inputs, parameters))
    return found


def data(seed: int, index: int, spec: Spec) -> Arrays:
    """x, residuals and parameters as they are stored; for most, an x with one odd element too."""
    rng = np.random.default_rng([seed, index, transposed(spec)])
    dtype = dtype_of(spec)

    def stored(shape: list[int], kind: int = 0, scale: float = 1.0) -> np.ndarray:
        return storage.rounded(scale * numbers(rng, shape, kind), dtype)

    kind = int(rng.integers(4))
    shape = weight_shape(spec)
    count = math.prod(shape) // (1 if transposed(spec) else shape[0]) or 1
    inputs = {"x": stored(spec["x"]["shape"], kind)}
    parameters = {"weight": stored(shape, int(rng.integers(3)), 2 / math.sqrt(count))}
    channels = [spec["out_channels"]]
    if spec.get("bias", True):
        parameters["bias"] = stored(channels)
    for _, residuals, others in names_of(spec.get("post", [])):
        for name in residuals:
            inputs[name] = stored(y_shape(spec))
        for name in others:
            parameters[name] = stored(channels)
            if name.startswith("var"):
                parameters[name] = storage.rounded(rng.uniform(0.25, 4, channels), dtype)
    return Arrays(inputs, parameters, with_odd_element(rng, spec, inputs["x"]))


def with_odd_element(rng: np.random.Generator, spec: Spec, x: np.ndarray) -> np.ndarray | None:
    """x with one element NaN or infinite."""
    if x.size == 0 or rng.random() < 0.3:
        return None
    bounded = not any(word.startswith("gelu") for word in spec.get("post", []))
    value = rng.choice([math.nan, math.nan, math.inf, -math.inf]) if bounded else math.nan
    other = x.copy()
    other[np.unravel_index(rng.integers(x.size), x.shape)] = storage.rounded(
        np.array([value]), dtype_of(spec))[0]
    return other
