# SPDX-License-Identifier: MIT
"""Calls kernels of one library on .npy files: caller.py LIBRARY FOLDER < requests.json

Answers one JSON line a kernel. Each is called twice, with y and workspace all ones, then all zeros:
an element which is not written differs. Both sides of y and of the workspace hold a pattern that
must survive; x must too.
Needs numpy only.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

import numpy as np

GUARD = 64  # bytes on both sides
PATTERN = 0xA5
FILLS = (0xFF, 0x00)  # every byte of y and of the workspace before a call


class Buffer:
    """Aligned memory of `size` bytes between two guards, `shift` bytes past a 64-byte boundary."""

    def __init__(self, size: int, shift: int, fill: int) -> None:
        self.raw = np.full(size + 2 * GUARD + 64 + shift, PATTERN, np.uint8)
        start = -self.raw.ctypes.data % 64 + GUARD + shift
        self.before = self.raw[:start]
        self.bytes = self.raw[start : start + size]
        self.after = self.raw[start + size :]
        self.bytes[:] = fill
        self.address = self.raw.ctypes.data + start

    def intact(self) -> bool:
        return bool((self.before == PATTERN).all() and (self.after == PATTERN).all())


def call(
    function: ctypes._CFuncPtr, request: dict, x: np.ndarray, fill: int
) -> tuple[np.ndarray, str | None]:
    dtype = np.dtype(request["y_dtype"])
    shape = request["y_shape"]
    shift = request["shift"]
    source = Buffer(x.nbytes, shift, 0)
    source.bytes[:] = x.reshape(-1).view(np.uint8)
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    target = Buffer(size, 64 - shift if shift else 0, fill)
    work = Buffer(request["workspace_bytes"], 0, fill)
    workspace = work.address if request["workspace_bytes"] else None
    status = function(source.address, target.address, workspace)
    y = target.bytes.view(dtype).reshape(shape)
    if status != 0:
        return y, f"returned {status}"
    if not (target.intact() and source.intact()):
        return y, "wrote outside y"
    if not work.intact():
        return y, "wrote outside its workspace"
    if not np.array_equal(source.bytes, x.reshape(-1).view(np.uint8)):
        return y, "changed x"
    return y, None


def call_twice(
    function: ctypes._CFuncPtr, request: dict, x: np.ndarray
) -> tuple[np.ndarray, str | None]:
    first, problem = call(function, request, x, FILLS[0])
    if problem is None:
        second, problem = call(function, request, x, FILLS[1])
        if problem is None and first.tobytes() != second.tobytes():
            problem = "left elements of y as they were, or read what it had not written"
    return first, problem


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    folder = Path(sys.argv[2])
    for request in json.load(sys.stdin):
        name = request["name"]
        function = getattr(library, name)
        function.restype = ctypes.c_int
        function.argtypes = [ctypes.c_void_p] * 3
        y, problem = call_twice(function, request, np.load(folder / f"{name}.x.npy"))
        if problem is None:
            np.save(folder / f"{name}.y.npy", y)
        print(json.dumps({"name": name, "problem": problem}), flush=True)


if __name__ == "__main__":
    main()
