# SPDX-License-Identifier: MIT
"""ncnn on networks of one layer: planar tensors, and its own layout of 16, 8 or 4 channels a block.

It makes its outputs itself, in memory of a pool. Arithmetic in 32 bits throughout.
"""

from __future__ import annotations

import ncnn
import numpy as np

from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "ncnn"


def version() -> str:
    return ncnn.__version__


def _net(layer, blocked):
    net = ncnn.Net()
    option = net.opt
    option.num_threads = 1
    option.use_vulkan_compute = option.use_bf16_storage = False
    option.use_fp16_packed = option.use_fp16_storage = option.use_fp16_arithmetic = False
    option.use_packing_layout = blocked
    net.load_param_mem(f"7767517\n2 2\nInput in 0 1 in\n{layer}\n")
    net.load_model_mem(bytes(16))
    return net


def _variant(layer, x, row, block):
    net = _net(layer, block > 1)
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
    channels = row.x.shape[1]
    blocks = [1, *(block for block in (16, 8, 4) if channels % block == 0)][:2]
    return [_variant(layer, row.x[0], row, block) for block in blocks]


PREPARE = {"interpolate": _interpolate}
