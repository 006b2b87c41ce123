# SPDX-License-Identifier: MIT
"""PyTorch, eager, in inference mode: planar rows contiguous, interleaved ones channels_last.

It makes its outputs itself: torch.nn.functional has no out=.
"""

from __future__ import annotations

import torch

from ..interpolation import interpolation
from . import Variant

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


PREPARE = {"interpolate": _interpolate}
