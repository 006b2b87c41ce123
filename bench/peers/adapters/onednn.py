# SPDX-License-Identifier: MIT
"""oneDNN as PyTorch's compiler calls it: weights reordered once, tensors in channels_last.

It makes its outputs itself. PyTorch's eager mode calls oneDNN, too, and reorders the weights each
time; that is the peer PyTorch. A sound is a picture of height 1, as PyTorch has it.
"""

from __future__ import annotations

import numpy as np
import torch

from ..convolution import convolution
from . import Unfit, Variant

NAME = "oneDNN"

torch.set_num_threads(1)
torch.inference_mode().__enter__()


def version() -> str:
    found = torch.__config__.show().partition("MKL-DNN v")[2].split()
    return f"{found[0] if found else '(unknown version)'} of PyTorch"


def _convolution(row):
    asked = convolution(row.problem)
    if not asked.interleaved:
        raise Unfit("gives channels_last outputs")
    if row.dtype != "f32":
        raise Unfit("is measured in f32 only")
    if asked.begins != asked.ends:
        raise Unfit("has the same padding on both sides")
    low = [0] * (asked.rank == 1)  # the axis that a sound lacks
    one = [1] * (asked.rank == 1)
    x = torch.from_numpy(row.x).permute(asked.to_planar)
    weight, bias = (torch.from_numpy(row.parameters[name]) for name in ("weight", "bias"))
    if asked.rank == 1:
        x, weight = x.unsqueeze(2), weight.unsqueeze(2)
    padding, stride, dilation = low + asked.begins, one + asked.stride, one + asked.dilation
    ops = torch.ops.mkldnn
    if asked.transposed:
        how = [padding, low + asked.output_padding, stride, dilation, asked.groups]
        packed = ops._reorder_convolution_transpose_weight(weight, *how, list(x.shape))
        run = ops._convolution_transpose_pointwise
    else:
        how = [padding, stride, dilation, asked.groups]
        packed = ops._reorder_convolution_weight(weight, *how, list(x.shape))
        run = ops._convolution_pointwise

    def call():
        return run(x, packed, bias, *how, "none", [], "")

    def result():
        y = call()
        y = y.squeeze(2) if asked.rank == 1 else y
        return np.ascontiguousarray(y.permute(asked.from_planar).numpy())

    return [Variant("interleaved", call, result)]


PREPARE = {"conv": _convolution, "conv_transpose": _convolution}
