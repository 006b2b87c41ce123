# SPDX-License-Identifier: MIT
"""Calls the kernels of a library that Upweave built, on torch tensors, numpy arrays or buffers.

    lib = upweave.load("libup2x.so")
    y = lib.up2x(x)                   # y is of x's kind
    lib.up2x(x, out=y, threads=4)

Needs the standard library only; torch and numpy are used where the caller's objects come from them.
Every argument is compared with the kernel's own description before the kernel runs: dtype, shape,
order in memory, alignment, overlap. All that differs is told in one upweave.Error.

Invariants: nothing is copied or converted. A kernel may be called from several threads at once, and
Python's lock is not held while it runs.
"""

from __future__ import annotations

import ctypes
import os

from _upweave.description import Error, KernelStruct, Tensor
from _upweave.elf import variables
from _upweave.kernel import Bound, Kernel
from _upweave.memory import aligned

__all__ = ["Bound", "Error", "Kernel", "Library", "Tensor", "aligned", "load"]


class Library:
    """A library's kernels, as attributes or by their names: lib.up2x, lib["up2x"]."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        self._known: dict[str, Kernel] = {}
        try:
            self._handle = ctypes.CDLL(self.path)
        except OSError as error:
            raise Error(f"cannot load the library: {error}") from None

    def __getitem__(self, name: str) -> Kernel:
        if name not in self._known:
            try:
                struct = KernelStruct.in_dll(self._handle, f"{name}_kernel")
            except ValueError:
                raise Error(f"{self.path}: there is no kernel {name!r}") from None
            self._known[name] = Kernel(struct, self._handle)
        return self._known[name]

    def __getattr__(self, name: str) -> Kernel:
        if name.startswith("__"):  # what copy, pickle and inspect look for
            raise AttributeError(name)
        try:
            return self[name]
        except Error as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.kernels()]

    def kernels(self) -> list[str]:
        """The names of all kernels, sorted; the library exports a variable NAME_kernel of each."""
        end = "_kernel"
        return [name[: -len(end)] for name in variables(self.path) if name.endswith(end)]


def load(path: str | os.PathLike[str]) -> Library:
    """The library lib<stem>.so that `upweave build` wrote."""
    return Library(path)
