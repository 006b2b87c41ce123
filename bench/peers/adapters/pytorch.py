# SPDX-License-Identifier: MIT
"""PyTorch, eager, in inference mode: planar rows contiguous, interleaved ones channels_last.

It makes its outputs itself: torch.nn.functional has no out=. Where it gives an output in another
order than the input's, the way back is not timed.
"""

from __future__ import annotations

import torch

from ..convolution import convolution
from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "PyTorch"

torch.set_num_threads(1)
torch.inference_mode().__enter__()


def version() -> str:
    return torch.__version__.split("+")[0]


def _tensor(row):
    """The row's input with the axes as PyTorch numbers them."""
    x = torch.from_numpy(row.x)
    if row.dtype == "bf16":
        x = torch.from_numpy(row.x.view("i2")).view(torch.bfloat16)
    return x.movedim(-1, 1) if row.layout == "interleaved" else x


def _array(y, row):
    y = (y.movedim(1, -1) if row.layout == "interleaved" else y).contiguous()
    return y.view(torch.int16).numpy().view("u2") if row.dtype == "bf16" else y.numpy()


def _interpolate(row):
    asked = interpolation(row.problem)
    x = _tensor(row)
    options = {"mode": asked.torch_mode}
    if asked.mode not in ("nearest", "nearest-exact", "area"):
        options["align_corners"] = asked.align_corners
    if asked.antialias:
        options["antialias"] = True
    if asked.scale:
        options["scale_factor"] = tuple(asked.scale)
    else:
        options["size"] = tuple(asked.size)

    def call():
        return torch.nn.functional.interpolate(x, **options)

    return [Variant(row.layout, call, lambda: _array(call(), row))]


CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}  # by axes in space


def _convolution(row):
    asked = convolution(row.problem)
    if asked.begins != asked.ends:
        raise Unfit("has the same padding on both sides")
    if row.dtype == "bf16":
        raise Unfit("is measured without bf16")
    x = _tensor(row)
    weight, bias = (torch.from_numpy(row.parameters[name]) for name in ("weight", "bias"))
    if asked.interleaved and asked.rank in CHANNELS_LAST:
        weight = weight.contiguous(memory_format=CHANNELS_LAST[asked.rank])
    how = {"stride": asked.stride, "padding": asked.begins, "dilation": asked.dilation,
           "groups": asked.groups}
    if asked.transposed:
        how["output_padding"] = asked.output_padding
    run = getattr(torch.nn.functional,
                  f"conv{'_transpose' if asked.transposed else ''}{asked.rank}d")

    def call():
        return run(x, weight, bias, **how)

    return [Variant(row.layout, call, lambda: _array(call(), row))]


PREPARE = {"interpolate": _interpolate, "conv": _convolution, "conv_transpose": _convolution}
