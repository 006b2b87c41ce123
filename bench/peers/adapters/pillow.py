# SPDX-License-Identifier: MIT
"""Pillow: pictures of 8 bits with three or four channels, float pictures of one ("F").

It makes its outputs itself. Its pictures are made before the measurement; RGB has four bytes a
pixel in its memory. It always antialiases where a picture gets smaller.
"""

from __future__ import annotations

import numpy as np
import PIL
from PIL import Image

from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "Pillow"
FILTERS = {"nearest": Image.Resampling.NEAREST, "nearest-exact": Image.Resampling.NEAREST,
           "linear": Image.Resampling.BILINEAR, "cubic": Image.Resampling.BICUBIC,
           "area": Image.Resampling.BOX}


def version() -> str:
    return PIL.__version__


def _interpolate(row):
    asked = interpolation(row.problem)
    if asked.rank != 2:
        raise Unfit("has pictures only")
    if asked.align_corners:
        raise Unfit("has no align_corners")
    if row.dtype not in ("f32", "u8"):
        raise Unfit(f"has no {row.dtype}")
    if row.layout == "interleaved" and (row.dtype != "u8" or row.x.shape[-1] not in (3, 4)):
        raise Unfit("has channels side by side in 8-bit pictures of three or four only")
    rank = 2 if row.layout == "planar" else 3
    pictures = [Image.fromarray(part) for part in row.x.reshape(-1, *row.x.shape[-rank:])]
    size, how = (asked.size[1], asked.size[0]), FILTERS[asked.mode]

    def call():
        return [picture.resize(size, how) for picture in pictures]

    return [Variant(row.layout, call,
                    lambda: np.stack([np.asarray(one) for one in call()]).reshape(row.y.shape))]


PREPARE = {"interpolate": _interpolate}
