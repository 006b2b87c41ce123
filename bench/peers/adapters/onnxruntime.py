# SPDX-License-Identifier: MIT
"""ONNX Runtime on models of one node, with inputs and outputs bound to memory once."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from ..convolution import convolution
from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "ONNX Runtime"
OPSET, IR = 19, 9
TYPES = {"f32": TensorProto.FLOAT, "f64": TensorProto.DOUBLE, "f16": TensorProto.FLOAT16,
         "u8": TensorProto.UINT8}


def version() -> str:
    return onnxruntime.__version__


def _session(node, row, constants):
    kind = TYPES[row.dtype]
    graph = helper.make_graph(
        [node], "row", [helper.make_tensor_value_info("x", kind, row.x.shape)],
        [helper.make_tensor_value_info("y", kind, row.y.shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def _bound(session, row):
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array)
              for array in (row.x, np.empty_like(row.y))]
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", values[0])
    binding.bind_ortvalue_output("y", values[1])

    def call():
        session.run_with_iobinding(binding)

    def result():
        call()
        return values[1].numpy()

    return Variant(row.layout, call, result)


def _interpolate(row):
    asked = interpolation(row.problem)
    transform = "asymmetric" if asked.mode == "nearest" else "half_pixel"
    attributes = {
        "mode": {"nearest-exact": "nearest"}.get(asked.mode, asked.mode),
        "coordinate_transformation_mode": "align_corners" if asked.align_corners else transform,
        "cubic_coeff_a": -0.5 if asked.antialias else -0.75,
        "nearest_mode": "floor", "antialias": int(asked.antialias),
        # PyTorch's antialias weighs what lies inside the picture only.
        "exclude_outside": int(asked.antialias),
    }
    if asked.rank == 3 and row.layout == "interleaved":
        raise Unfit("has planar volumes only")
    if row.dtype == "bf16":
        raise Unfit("has no bf16")
    if asked.mode not in ("nearest", "linear", "cubic"):
        raise Unfit(f"has no mode {asked.mode}")
    if asked.scale:
        scales = np.ones(len(row.x.shape), np.float32)
        scales[asked.axes] = asked.scale
        node = helper.make_node("Resize", ["x", "", "scales"], ["y"], **attributes)
        constants = {"scales": scales}
    else:
        node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], **attributes)
        constants = {"sizes": np.array(row.y.shape, np.int64)}
    return [_bound(_session(node, row, constants), row)]


def _convolution(row):
    asked = convolution(row.problem)
    if asked.interleaved:
        raise Unfit("has planar convolutions only")
    if row.dtype not in ("f32", "f64"):
        raise Unfit(f"has no {row.dtype}")
    attributes = {
        "kernel_shape": asked.kernel, "strides": asked.stride, "dilations": asked.dilation,
        "pads": asked.begins + asked.ends, "group": asked.groups,
    }
    if asked.transposed:
        attributes["output_padding"] = asked.output_padding
    node = helper.make_node("ConvTranspose" if asked.transposed else "Conv",
                            ["x", *row.parameters], ["y"], **attributes)
    return [_bound(_session(node, row, row.parameters), row)]


PREPARE = {"interpolate": _interpolate, "conv": _convolution, "conv_transpose": _convolution}
