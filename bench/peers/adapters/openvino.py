# SPDX-License-Identifier: MIT
"""OpenVINO's CPU plugin on models of one operator, with input and output in memory made once."""

from __future__ import annotations

import numpy as np
import openvino
from openvino import opset13 as ops

from ..convolution import convolution, split
from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "OpenVINO"
TYPES = {"f32": openvino.Type.f32, "f64": openvino.Type.f64, "f16": openvino.Type.f16,
         "bf16": openvino.Type.bf16, "u8": openvino.Type.u8}
HEIGHT = np.array([2])  # where it is among N, C and space

core = openvino.Core()


def version() -> str:
    return openvino.get_version().split("-")[0]


def _variant(x, y, row):
    # The plugin would compute in bf16 on CPUs that have it; float tensors of 32 bits are meant so.
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False,
               "INFERENCE_PRECISION_HINT": "bf16" if row.dtype == "bf16" else "f32"}
    compiled = core.compile_model(openvino.Model([y], [x]), "CPU", options)
    request = compiled.create_infer_request()
    out = np.empty_like(row.y)
    tensors = [openvino.Tensor(array, list(array.shape), TYPES[row.dtype])
               for array in (row.x, out)]
    request.set_input_tensor(tensors[0])
    request.set_output_tensor(tensors[1])

    def result():
        request.infer()
        return tensors[1].data if row.dtype != "bf16" else out

    return Variant(row.layout, request.infer, result)


def _interpolate(row):
    asked = interpolation(row.problem)
    modes = {"nearest": "nearest", "linear": "linear_onnx", "cubic": "cubic"}
    if asked.antialias:
        modes = {"linear": "bilinear_pillow", "cubic": "bicubic_pillow"}
    if asked.mode not in modes:
        raise Unfit(f"has no mode {asked.mode}")
    transform = "asymmetric" if asked.mode == "nearest" else "half_pixel"
    target = np.array(asked.scale, np.float32) if asked.scale else np.array(asked.size, np.int64)
    x = ops.parameter(list(row.x.shape), TYPES[row.dtype])
    y = ops.interpolate(
        x, target, modes[asked.mode], "scales" if asked.scale else "sizes",
        axes=np.array(asked.axes, np.int64), nearest_mode="floor",
        coordinate_transformation_mode="align_corners" if asked.align_corners else transform,
        cube_coeff=-0.5 if asked.antialias else -0.75)
    return [_variant(x, y, row)]


def _operator(asked, x, weight):
    name = "group_convolution" if asked.groups > 1 else "convolution"
    how = {"strides": asked.stride, "pads_begin": asked.begins, "pads_end": asked.ends,
           "dilations": asked.dilation}
    if asked.transposed:
        name, how["output_padding"] = f"{name}_backprop_data", asked.output_padding
    if asked.rank > 1:
        return getattr(ops, name)(x, weight, **how)
    how = {key: [int(key in ("strides", "dilations")), *values] for key, values in how.items()}
    return ops.squeeze(getattr(ops, name)(
        ops.unsqueeze(x, HEIGHT), np.expand_dims(weight, -2), **how), HEIGHT)


def _convolution(row):
    """Of interleaved tensors between transpositions, which the plugin makes part of its layouts; of
    sounds as pictures of height 1, which is much faster than its operators of one axis."""
    asked = convolution(row.problem)
    if row.dtype != "f32":
        raise Unfit("is measured in f32 only")
    weight, bias = row.parameters["weight"], row.parameters["bias"]
    if asked.groups > 1:
        weight = split(weight, asked.groups)
    x = ops.parameter(list(row.x.shape), TYPES[row.dtype])
    planar = ops.transpose(x, np.array(asked.to_planar)) if asked.interleaved else x
    y = ops.add(_operator(asked, planar, weight), bias.reshape(-1, *[1] * asked.rank))
    if asked.interleaved:
        y = ops.transpose(y, np.array(asked.from_planar))
    return [_variant(x, y, row)]


PREPARE = {"interpolate": _interpolate, "conv": _convolution, "conv_transpose": _convolution}
