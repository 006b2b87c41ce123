# SPDX-License-Identifier: MIT
"""ncnn on networks of one layer: planar tensors, and its own layout of 16, 8 or 4 channels a block.

It makes its outputs itself, in memory of a pool. Arithmetic in 32 bits throughout. Its Winograd
algorithms, which it has for 3×3 convolutions, are on in rows of the class fast, off in others. Of
convolutions a sound is a picture of height 1, which is much faster than its layers of one axis.
"""

from __future__ import annotations

import ncnn
import numpy as np

from ..convolution import convolution, split
from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "ncnn"


def version() -> str:
    return ncnn.__version__


def _net(layer, weights, row, blocked):
    net = ncnn.Net()
    option = net.opt
    option.num_threads = 1
    option.use_vulkan_compute = option.use_bf16_storage = False
    option.use_fp16_packed = option.use_fp16_storage = option.use_fp16_arithmetic = False
    option.use_packing_layout = blocked
    option.use_winograd_convolution = row.numerics == "fast"
    net.load_param_mem(f"7767517\n2 2\nInput in 0 1 in\n{layer}\n")
    net.load_model_mem(weights)
    return net


def _variant(layer, weights, row, x, block):
    net = _net(layer, weights, row, block > 1)
    source = ncnn.Mat(x).clone()
    if block > 1:
        source = ncnn.convert_packing(source, block)
    as_is = 1  # the output in the layout in which the layer made it

    def call():
        extractor = net.create_extractor()
        extractor.input("in", source)
        return extractor.extract("out", as_is)[1]

    def result():
        y = call()
        plain = ncnn.convert_packing(y, 1) if y.elempack > 1 else y
        return np.array(plain).reshape(row.y.shape)

    return Variant("planar" if block == 1 else f"blocks of {block}", call, result)


def _variants(layer, weights, row, x):
    """On planar tensors, and on the largest blocks that divide the channels."""
    channels = len(x)
    blocks = [1, *(block for block in (16, 8, 4) if channels % block == 0)][:2]
    return [_variant(layer, weights, row, x, block) for block in blocks]


def _interpolate(row):
    asked = interpolation(row.problem)
    modes = {"nearest": 1, "linear": 2, "cubic": 3}
    if row.layout != "planar":
        raise Unfit("has no interleaved layout")
    if row.dtype != "f32":
        raise Unfit("is measured in f32 only")
    if asked.rank == 3 or asked.mode not in modes:
        raise Unfit(f"has no mode {asked.torch_mode}")
    if asked.antialias:
        raise Unfit("has no antialias")
    last = asked.size[-1]
    first = asked.size[0] if asked.rank == 2 else 1
    layer = (f"Interp resize 1 1 in out 0={modes[asked.mode]} 3={first} 4={last} "
             f"6={int(asked.align_corners)}")
    return _variants(layer, bytes(16), row, row.x[0])


# By parameter: the number of it for the innermost axis, the next and the outermost.
NUMBERS = {"kernel": (1, 11, 21), "dilation": (2, 12, 22), "stride": (3, 13, 23),
           "begins": (4, 14, 24), "ends": (15, 16, 17), "output_padding": (18, 19, 20)}
HEIGHT_1 = {NUMBERS[name][1]: int(name in ("kernel", "dilation", "stride")) for name in NUMBERS}


def _convolution(row):
    asked = convolution(row.problem)
    if asked.interleaved:
        raise Unfit("has no interleaved layout")
    if row.dtype != "f32":
        raise Unfit("is measured in f32 only")
    weight, bias = row.parameters["weight"], row.parameters["bias"]
    if asked.transposed:  # the output's channels before the input's
        weight = split(weight, asked.groups).swapaxes(1, 2)
    x, fields = row.x[0], {0: asked.out_channels, 5: 1, 6: weight.size}
    for name, numbers in NUMBERS.items():
        fields |= zip(numbers, reversed(getattr(asked, name)))
    if asked.rank == 1:
        x, fields = x[:, None], fields | HEIGHT_1
    name = "Deconvolution" if asked.transposed else "Convolution"
    if asked.groups > 1:
        name += "DepthWise"
        fields[7] = asked.groups
    if asked.rank == 3:
        name += "3D"
    layer = f"{name} conv 1 1 in out " + " ".join(f"{at}={value}" for at, value in fields.items())
    as_floats = bytes(4)  # how the weights are stored
    weights = as_floats + weight.tobytes() + bias.tobytes()
    return _variants(layer, weights, row, x)


PREPARE = {"interpolate": _interpolate, "conv": _convolution, "conv_transpose": _convolution}
