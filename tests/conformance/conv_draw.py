# SPDX-License-Identifier: MIT
"""Random conv and conv_transpose specs, each a function of (seed, index) alone.

Sizes are kept so small that the products of a spec take a few milliseconds: large kernels, many
channels and three axes come with little of the rest. A tenth of the specs are such that one of
Winograd's algorithms may compute them, a twentieth are depthwise, or transposed with few output
channels: plain draws are seldom any of these.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Callable

from conv_cases import (
    LAYOUTS, axes, elements, generator, least_sizes, parts, products, reach, set_shape, sizes_out,
    transposed)
from upweave import Spec

DTYPE_SHARES = {"f32": 10, "f16": 4, "bf16": 4, "f64": 3}
TILED_SHARE, THIN_SHARE = 0.1, 0.05
MOST_PRODUCTS = 1 << 22
MOST_ELEMENTS = 1 << 17
MOST_OUTPUTS = 400  # on one axis
STRIDES = [1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8]
KERNELS = [1, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7]
CHANNELS = [1, 2, 3, 4, 5, 8, 15, 16, 17, 24, 31, 32, 33, 48, 64, 70]
MANY_CHANNELS = [257, 260, 272, 288, 320]
POSTS = ["relu", "leaky_relu(0.1)", "leaky_relu(0.25)", "prelu", "clamp(0,6)", "clamp(-1,1)",
         "sigmoid", "tanh", "gelu", "gelu(tanh)", "add", "batch_norm"]



@dataclass(frozen=True)
class Kind:
    """What specs of a kind may be: ranks, sizes of x, classes of numerics, and two functions that
    add to a spec: `channels` its channels and groups, giving those of x, `window` the rest."""

    ranks: list[int]
    size: Callable[[random.Random], int]
    numerics: list[str]
    channels: Callable[[random.Random, Spec], int]
    window: Callable[[random.Random, Spec, int], None]


def valid(op: str, seed: int, index: int, dtypes: tuple[str, ...]) -> Spec:
    """A spec that PyTorch accepts, of one of these dtypes; others than floats are left out."""
    rng = generator(op, seed, index, "valid")
    kind = kind_of(generator(op, seed, index, "kind").random())
    floats = [name for name in dtypes if name in DTYPE_SHARES] or ["f32"]
    dtype = rng.choices(floats, [DTYPE_SHARES[name] for name in floats])[0]
    rank = rng.choice(kind.ranks)
    spec: Spec = {
        "name": f"k{index:05d}", "op": op,
        "x": {"shape": [], "dtype": dtype, "layout": rng.choice(LAYOUTS[rank])},
    }
    if dtype == "f32" and rng.random() < 0.5:
        del spec["x"]["dtype"]
    channels = kind.channels(rng, spec)
    batch = rng.choices([1, 2, 3, 0], [70, 20, 10, 2])[0]
    spatial = [kind.size(rng) for _ in range(rank)]
    if rank == 1 and rng.random() < 0.3:
        spatial = [rng.randint(40, 250)]
    set_shape(spec, batch, channels, spatial)
    kind.window(rng, spec, rank)
    shrink(rng, spec)
    add_padding(rng, spec)
    add_output(rng, spec)
    add_rest(rng, spec, kind.numerics)
    return spec


def kind_of(share: float) -> Kind:
    if share < TILED_SHARE:
        return TILED
    return THIN if share < TILED_SHARE + THIN_SHARE else PLAIN


# --- plain specs


def plain_size(rng: random.Random) -> int:
    return rng.choice([1, 2, 3, 5, rng.randint(4, 12), rng.randint(6, 40)])


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


# --- specs that Winograd's algorithms may compute


def tiled_channels(rng: random.Random, spec: Spec) -> int:
    """16 to 70 of each group, of which there may be several."""
    groups = rng.choice([1, 1, 1, 1, 2, 3])
    channels, outputs = (
        rng.choice([16, 17, 24, 31, 32, 33, 48, 64, rng.randint(16, 70)]) for _ in range(2))
    if groups > 1:
        spec["groups"] = groups
    spec["out_channels"] = groups * outputs
    return groups * channels


def tiled_window(rng: random.Random, spec: Spec, rank: int) -> None:
    """As many taps of every phase along all axes, or sometimes along the last one only."""
    kernel, stride = [rng.choice([2, 3, 3, 3, 4, 5])] * rank, [1] * rank
    if rank == 2 and rng.random() < 0.15:
        kernel = [rng.randint(1, 5), kernel[1]]
    if rng.random() < 0.15:  # cut into spans
        kernel[-1] = rng.randint(6, 12)
    if transposed(spec) and rng.random() < 0.8:
        of_phase = rng.choice([2, 2, 2, 2, 2, 2, 3])
        stride = [rng.choice([2, 2, 2, 3, 4])] * rank
        if rng.random() < 0.2:
            stride = [rng.choice([2, 3]) for _ in range(rank)]
        kernel = [of_phase * s for s in stride]
        if rng.random() < 0.2:
            kernel, stride = [3] * rank, [2] * rank
    spec["kernel_size"] = kernel[0] if len(set(kernel)) == 1 else kernel
    if stride != [1] * rank or rng.random() < 0.2:
        spec["stride"] = stride[0] if len(set(stride)) == 1 else stride


# --- depthwise specs, and transposed ones with few output channels


def thin_channels(rng: random.Random, spec: Spec) -> int:
    if transposed(spec) and rng.random() < 0.5:
        spec["out_channels"] = rng.choice([1, 1, 2, 3, 4])
        return rng.choice(CHANNELS)
    groups = rng.choice([*CHANNELS, *range(7, 70, 6), MANY_CHANNELS[0]])
    spec["groups"] = groups
    spec["out_channels"] = groups * rng.choice([1, 1, 1, 2, 3])
    return groups


def thin_window(rng: random.Random, spec: Spec, rank: int) -> None:
    """What networks have."""
    stride = rng.choice([1, 1, 2, 2, 3, 4])
    if transposed(spec) and rng.random() < 0.6:
        spec["kernel_size"] = rng.choice([1, 2, 3]) * stride
    else:
        spec["kernel_size"] = rng.choice([2, 3, 3, 3, 4, 5, 5, 7, 9])
    if stride > 1:
        spec["stride"] = stride
    if rng.random() < 0.15:
        spec["dilation"] = rng.choice([2, 3])


# --- sizes


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


def add_rest(rng: random.Random, spec: Spec, numerics: list[str]) -> None:
    """Bias, epilogues, class of numerics."""
    if rng.random() < 0.5:
        spec["bias"] = rng.random() < 0.4
    if rng.random() < 0.55:
        spec["post"] = [rng.choice(POSTS) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
        if "batch_norm" in spec["post"] and rng.random() < 0.5:
            spec["eps"] = rng.choice([1e-3, 1e-5, 0.25])
    if rng.random() < 0.8:
        spec["numerics"] = rng.choice(numerics)


PLAIN = Kind([1, 2, 2, 2, 3], plain_size, ["strict", "default", "default", "fast"],
             add_channels, add_window)
TILED = Kind([1, 2, 2, 2], lambda rng: rng.randint(3, 33), ["default", "fast"],
             tiled_channels, tiled_window)
THIN = Kind([1, 2, 2, 2, 3], lambda rng: rng.randint(2, 45), PLAIN.numerics,
            thin_channels, thin_window)
