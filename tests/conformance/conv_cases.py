# SPDX-License-Identifier: MIT
"""Random conv and conv_transpose specs and arrays, each a function of (seed, index) alone.

A spec is the JSON object of one kernel. Sizes are kept so small that its products take a few
milliseconds: large kernels, many channels and three axes come with little of the rest.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

import storage
from upweave import Arrays, Spec

LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
DTYPE_SHARES = {"f32": 10, "f16": 4, "bf16": 4, "f64": 3}
MOST_PRODUCTS = 1 << 22
MOST_ELEMENTS = 1 << 17
MOST_OUTPUTS = 400  # on one axis
STRIDES = [1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8]
KERNELS = [1, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7]
CHANNELS = [1, 2, 3, 4, 5, 8, 15, 16, 17, 24, 31, 32, 33, 48, 64, 70]
MANY_CHANNELS = [257, 260, 272, 288, 320]
POSTS = ["relu", "leaky_relu(0.1)", "leaky_relu(0.25)", "prelu", "clamp(0,6)", "clamp(-1,1)",
         "sigmoid", "tanh", "gelu", "gelu(tanh)", "add", "batch_norm"]
NUMERICS = ["strict", "default", "default", "fast"]


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


# --- valid specs


def valid(op: str, seed: int, index: int, dtypes: tuple[str, ...]) -> Spec:
    """A spec that PyTorch accepts, of one of these dtypes; others than floats are left out."""
    rng = generator(op, seed, index, "valid")
    floats = [name for name in dtypes if name in DTYPE_SHARES] or ["f32"]
    dtype = rng.choices(floats, [DTYPE_SHARES[name] for name in floats])[0]
    rank = rng.choice([1, 2, 2, 2, 3])
    spec: Spec = {
        "name": f"k{index:05d}", "op": op,
        "x": {"shape": [], "dtype": dtype, "layout": rng.choice(LAYOUTS[rank])},
    }
    if dtype == "f32" and rng.random() < 0.5:
        del spec["x"]["dtype"]
    channels = add_channels(rng, spec)
    batch = rng.choices([1, 2, 3, 0], [70, 20, 10, 2])[0]
    spatial = [rng.choice([1, 2, 3, 5, rng.randint(4, 12), rng.randint(6, 40)])
               for _ in range(rank)]
    if rank == 1 and rng.random() < 0.3:
        spatial = [rng.randint(40, 250)]
    set_shape(spec, batch, channels, spatial)
    add_window(rng, spec, rank)
    shrink(rng, spec)
    add_padding(rng, spec)
    add_output(rng, spec)
    add_rest(rng, spec)
    return spec


def set_shape(spec: Spec, batch: int, channels: int, spatial: list[int]) -> None:
    last = spec["x"]["layout"][1] != "C"
    spec["x"]["shape"] = [batch, *spatial, channels] if last else [batch, channels, *spatial]


def add_channels(rng: random.Random, spec: Spec) -> int:
    """Sets out_channels and groups; gives the input's channels."""
    def some(most: int) -> int:
        found = rng.choice(CHANNELS) if rng.random() < 0.7 else rng.randint(1, 70)
        return min(found, most)

    kind = rng.random()
    if kind < 0.55:
        channels = some(70)
        spec["out_channels"] = some(70)
        if rng.random() < 0.08:
            channels = rng.choice(MANY_CHANNELS)
        elif rng.random() < 0.08:
            spec["out_channels"] = rng.choice(MANY_CHANNELS)
        if rng.random() < 0.2:
            spec["groups"] = 1
        return channels
    if kind < 0.75:  # depthwise
        groups = rng.choice(MANY_CHANNELS) if rng.random() < 0.05 else some(70)
        spec["groups"] = groups
        spec["out_channels"] = groups * rng.choice([1, 1, 1, 2, 3])
        return groups
    groups = rng.choice([2, 2, 3, 4, 5, 7, 8])
    spec["groups"] = groups
    spec["out_channels"] = groups * rng.choice([1, 2, 3, 5, 7, 8, 9, 16, 17])
    return groups * rng.choice([1, 2, 3, 5, 7, 8, 16])


def add_window(rng: random.Random, spec: Spec, rank: int) -> None:
    """Kernel, stride and dilation."""
    def draw(one: Any) -> Any:
        return one() if rng.random() < 0.6 else [one() for _ in range(rank)]

    large = rng.random() < 0.12
    spec["kernel_size"] = draw(lambda: rng.randint(8, 16) if large and rng.random() < 0.6
                               else rng.choice(KERNELS))
    if transposed(spec) and rng.random() < 0.3:  # what decoders have
        spec["stride"] = rng.choice([2, 2, 3, 4])
        spec["kernel_size"] = rng.choice([1, 2]) * spec["stride"]
    elif rng.random() < 0.75:
        spec["stride"] = draw(lambda: rng.choice(STRIDES))
    if rng.random() < 0.3:
        spec["dilation"] = draw(lambda: rng.choice([1, 2, 2, 3, 4, 6]))


def make_room(rng: random.Random, spec: Spec) -> None:
    """An input with at least one output, mostly with more, for a conv without padding."""
    batch, channels, spatial = parts(spec)
    if not transposed(spec):
        spatial = [i + span if rng.random() < 0.7 else max(i, span + 1)
                   for i, span in zip(spatial, reach(spec))]
    set_shape(spec, batch, channels, spatial)


def too_large(spec: Spec) -> bool:
    return (products(spec) > MOST_PRODUCTS or elements(spec) > MOST_ELEMENTS
            or max(sizes_out(spec)) > MOST_OUTPUTS)


def shrink(rng: random.Random, spec: Spec) -> None:
    """Less of batch, of the longest axis, of the kernel, of channels, until all is small enough."""
    make_room(rng, spec)
    while too_large(spec):
        batch, channels, spatial = parts(spec)
        outputs = sizes_out(spec)
        longest = outputs.index(max(outputs))
        if batch > 1:
            batch = 1
        elif outputs[longest] > 4 and spatial[longest] > 1:
            span, s = reach(spec)[longest], axes(spec, "stride")[longest]
            spatial[longest] //= 2
            if not transposed(spec):
                spatial[longest] = (outputs[longest] // 2 - 1) * s + span + 1
        elif max(reach(spec)) > 2:
            less_reach(spec, spatial)
        else:
            spec["groups"] = 1
            channels, spec["out_channels"] = channels // 2 + 1, spec["out_channels"] // 2 + 1
        set_shape(spec, batch, channels, spatial)


def less_reach(spec: Spec, spatial: list[int]) -> None:
    """Halves kernel and dilation where a window is widest, and leaves as many outputs there."""
    spans = reach(spec)
    widest = spans.index(max(spans))
    for name in ("kernel_size", "dilation"):
        values = axes(spec, name)
        values[widest] = max(2 if name == "kernel_size" else 1, values[widest] // 2)
        spec[name] = values
    if not transposed(spec):
        spatial[widest] -= spans[widest] - reach(spec)[widest]


def add_padding(rng: random.Random, spec: Spec) -> None:
    """None, a number, numbers, numbers per side, or a word; y keeps an element at least."""
    rank = len(reach(spec))
    spans = [span if rng.random() < 0.9 else span + rng.randint(1, 4) for span in reach(spec)]
    kind = rng.random()
    if kind < 0.15:
        return
    if kind < 0.35:
        spec["padding"] = rng.randint(0, min(spans))
    elif kind < 0.6:
        spec["padding"] = [rng.choice([span // 2, rng.randint(0, span)]) for span in spans]
    elif kind < 0.85 or transposed(spec):
        spec["padding"] = [rng.randint(0, span) for span in spans + spans]
    elif axes(spec, "stride") == [1] * rank:
        spec["padding"] = "same"
    else:
        spec["padding"] = "valid"
    if min(least_sizes(spec)) < 1 or too_large(spec):
        del spec["padding"]


def add_output(rng: random.Random, spec: Spec) -> None:
    if not transposed(spec):
        return
    strides, dilations = axes(spec, "stride"), axes(spec, "dilation")
    kind = rng.random()
    if kind < 0.3:
        most = [max(s, d) - 1 for s, d in zip(strides, dilations)]
        more = [rng.randint(0, one) for one in most]
        spec["output_padding"] = min(more) if rng.random() < 0.3 else more
    elif kind < 0.5:
        spec["output_size"] = [
            least + rng.randrange(s) for least, s in zip(least_sizes(spec), strides)]


def add_rest(rng: random.Random, spec: Spec) -> None:
    """Bias, epilogues, class of numerics."""
    if rng.random() < 0.5:
        spec["bias"] = rng.random() < 0.4
    if rng.random() < 0.55:
        spec["post"] = [rng.choice(POSTS) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
        if "batch_norm" in spec["post"] and rng.random() < 0.5:
            spec["eps"] = rng.choice([1e-3, 1e-5, 0.25])
    if rng.random() < 0.8:
        spec["numerics"] = rng.choice(NUMERICS)


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
