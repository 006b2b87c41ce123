# SPDX-License-Identifier: MIT
"""OpenCV, on pictures H, W, C with dst= reused; a planar row is resized plane by plane."""

from __future__ import annotations

import cv2
import numpy as np

from ..interpolation import interpolation
from . import Unfit, Variant

NAME = "OpenCV"
FILTERS = {"nearest": cv2.INTER_NEAREST, "nearest-exact": cv2.INTER_NEAREST_EXACT,
           "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
MOST_CHANNELS = 128  # CV_CN_MAX of OpenCV 5, which Python does not see

cv2.setNumThreads(1)


def version() -> str:
    return cv2.__version__


def _pictures(array, row, rank):
    """The tensor as pictures, without a copy. A sound is one of height or of width 1."""
    if row.layout == "planar":
        return list(array.reshape(-1, *array.shape[-2:])) if rank == 2 else [array[0]]
    return list(array) if rank == 2 else [array.reshape(array.shape[1], 1, array.shape[2])]


def _interpolate(row):
    asked = interpolation(row.problem)
    if asked.rank == 3:
        raise Unfit("has no volumes")
    if asked.align_corners:
        raise Unfit("has no align_corners")
    if row.layout == "interleaved" and row.x.shape[-1] > MOST_CHANNELS:
        raise Unfit(f"has at most {MOST_CHANNELS} channels")
    if row.dtype in ("f16", "bf16"):
        raise Unfit(f"has no {row.dtype}")
    how = cv2.INTER_AREA if asked.antialias else FILTERS[asked.mode]
    out = np.empty_like(row.y)
    pairs = list(zip(_pictures(row.x, row, asked.rank), _pictures(out, row, asked.rank)))
    width, height = pairs[0][1].shape[1], pairs[0][1].shape[0]

    def call():
        for source, target in pairs:
            cv2.resize(source, (width, height), dst=target, interpolation=how)

    def result():
        out.fill(0)
        call()
        return out

    return [Variant(row.layout, call, result)]


PREPARE = {"interpolate": _interpolate}
