# SPDX-License-Identifier: MIT
"""Calls kernels of one library on arrays: caller.py LIBRARY FOLDER < requests.json

FOLDER/NAME.npz holds the arrays of a kernel, named as the request lists them. Answers one JSON line
a kernel. Each is packed and called twice: with y, packed and workspace all ones, as a whole; then
all zeros, task by task, the last first. An element which is not written, or whose value depends on
what was there, differs. Both sides of every buffer hold a pattern that must survive; what a kernel
only reads must too.
Needs numpy only.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Callable, Iterable

import numpy as np

GUARD = 64  # bytes on both sides
PATTERN = 0xA5
FILLS = (0xFF, 0x00)  # every byte of y, packed and workspace before a call


class Fault(Exception):
    """What a kernel did wrong."""


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


def read_only(array: np.ndarray, shift: int) -> Buffer:
    buffer = Buffer(array.nbytes, shift, 0)
    buffer.bytes[:] = array.reshape(-1).view(np.uint8)
    return buffer


def invoke(
    library: ctypes.CDLL, name: str, buffers: list[Buffer], extra: Iterable[int | None] = (),
    numbers: tuple[int, ...] = (),
) -> None:
    """Calls a function with the addresses, then sizes; any status but 0 is a fault."""
    function: Callable[..., int] = getattr(library, name)
    addresses = [buffer.address for buffer in buffers] + list(extra)
    arguments = [ctypes.c_void_p(address) for address in addresses]
    status = function(*arguments, *map(ctypes.c_size_t, numbers))
    if status != 0:
        raise Fault(f"{name} returned {status}")


class Kernel:
    """A kernel and the arrays that it is called with."""

    def __init__(self, library: ctypes.CDLL, request: dict, arrays: dict[str, np.ndarray]) -> None:
        self.library, self.request, self.arrays = library, request, arrays
        self.name = request["name"]

    def buffers(self, group: str) -> dict[str, Buffer]:
        shift = self.request["shift"]
        return {name: read_only(self.arrays[name], shift) for name in self.request[group]}

    def packed(self, fill: int) -> list[Buffer]:
        parameters = self.buffers("parameters")
        if not parameters:
            return []
        packed = Buffer(self.request["packed_bytes"], 0, fill)
        invoke(self.library, f"{self.name}_pack", [*parameters.values(), packed])
        self.check(parameters, {"packed": packed})
        return [packed]

    def check(self, read: dict[str, Buffer], written: dict[str, Buffer]) -> None:
        for name, buffer in {**read, **written}.items():
            if not buffer.intact():
                raise Fault(f"wrote outside {name}")
        for name, buffer in read.items():
            if not np.array_equal(buffer.bytes, self.arrays[name].reshape(-1).view(np.uint8)):
                raise Fault(f"changed {name}")

    def call(self, fill: int, by_task: bool) -> np.ndarray:
        request = self.request
        inputs, packed = self.buffers("inputs"), self.packed(fill)
        weights = [buffer.bytes.copy() for buffer in packed]
        dtype, shape, shift = np.dtype(request["y_dtype"]), request["y_shape"], request["shift"]
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        y = Buffer(size, 64 - shift if shift else 0, fill)
        work = Buffer(request["workspace_bytes"], 0, fill)
        buffers = [*inputs.values(), *packed, y]
        workspace = work.address if request["workspace_bytes"] else None
        if by_task:
            for task in reversed(range(request["tasks"])):
                invoke(self.library, f"{self.name}_range", buffers, [workspace], (task, task + 1))
        else:
            invoke(self.library, self.name, buffers, [workspace])
        self.check(inputs, {"y": y, "its workspace": work})
        for before, buffer in zip(weights, packed):
            if not (buffer.intact() and np.array_equal(before, buffer.bytes)):
                raise Fault("changed packed")
        return y.bytes.view(dtype).reshape(shape)

    def result(self) -> np.ndarray:
        first, second = self.call(FILLS[0], False), self.call(FILLS[1], True)
        if first.tobytes() != second.tobytes():
            raise Fault("gives another y task by task, leaves elements of y as they were, or reads "
                        "what it had not written")
        return first


def answer(library: ctypes.CDLL, request: dict, folder: Path) -> str | None:
    """Writes y of the arrays, and y of the other x where there is one; or what went wrong."""
    name = request["name"]
    with np.load(folder / f"{name}.npz") as file:
        arrays = dict(file)
    try:
        found = {"y": Kernel(library, request, arrays).result()}
        if "other x" in arrays:
            arrays["x"] = arrays["other x"]
            found["other y"] = Kernel(library, request, arrays).result()
    except Fault as fault:
        return str(fault)
    np.savez(folder / f"{name}.y.npz", **found)
    return None


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    folder = Path(sys.argv[2])
    for request in json.load(sys.stdin):
        problem = answer(library, request, folder)
        print(json.dumps({"name": request["name"], "problem": problem}), flush=True)


if __name__ == "__main__":
    main()
