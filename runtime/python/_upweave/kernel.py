# SPDX-License-Identifier: MIT
"""A kernel that can be called.

Invariants: every argument has been checked before the kernel runs; what a running kernel reads and
writes stays alive until it returns; calls that run at the same time have workspaces of their own.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Sequence

from .description import (
    ABI, INPUT, OUTPUT, PARAMETER, STATUS, Error, KernelStruct, P, Tensor, tensors)
from .memory import View, address, aligned, check_overlap, checked, family


@functools.lru_cache(maxsize=None)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "upweave")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _pointers(views: Sequence[View]) -> ctypes.Array:
    return (P * len(views))(*(view.address for view in views))


def _status_text(status: int) -> str:
    return STATUS.get(status, f"status {status}")


def _all_checked(
        role: str, wanted: Sequence[Tensor], things: Sequence, writes: bool = False) -> list[View]:
    if len(things) != len(wanted):
        names = ", ".join(tensor.name for tensor in wanted) or "none"
        raise Error(f"{role}s: expected {len(wanted)} ({names}), got {len(things)}")
    return [checked(tensor, thing, writes) for tensor, thing in zip(wanted, things)]


class Bound:
    """A kernel and the memory it works on, checked once. Calling it runs the kernel.

    `result` is what a call gives: the same objects each time. One call at a time: there is one
    workspace.
    """

    __slots__ = ("result", "_first", "_others", "_keep", "_name")

    def __init__(self, name: str, calls: list[Callable[[], int]], result: Any, keep: Any) -> None:
        self._name, self._keep, self.result = name, keep, result
        self._first, *self._others = calls

    def __call__(self) -> Any:
        status = self._threaded() if self._others else self._first()
        if status:
            raise Error(f"{self._name}: {_status_text(status)}")
        return self.result

    def _threaded(self) -> int:
        # A method of this object, so that the memory outlives a caller who is interrupted.
        waiting = [_pool().submit(self._other, call) for call in self._others]
        status = self._first()
        for other in waiting:
            status = other.result() or status
        return status

    def _other(self, call: Callable[[], int]) -> int:
        return call()


class Kernel:
    """One kernel of a library; `inputs`, `outputs` and `parameters` describe its tensors."""

    def __init__(self, struct: KernelStruct, library: Any = None) -> None:
        if struct.abi != ABI:
            raise Error(f"made for ABI {struct.abi}; this module knows {ABI}")
        self._struct, self._library = struct, library
        # ctypes makes a new function at each look at a field.
        self._run, self._range, self._pack = struct.run, struct.range, struct.pack
        self._spare: list[memoryview] = []  # workspaces that no call uses
        self.name: str = struct.name.decode()
        self.inputs = tensors(struct, INPUT)
        self.outputs = tensors(struct, OUTPUT)
        self.parameters = tensors(struct, PARAMETER)
        self.tasks: int = struct.tasks
        self.workspace_bytes: int = struct.workspace_bytes
        self.packed_bytes: int = struct.packed_bytes

    @property
    def spec(self) -> dict[str, Any]:
        """The canonical spec that the kernel was made of."""
        return json.loads(self._struct.spec)

    def __repr__(self) -> str:
        takes, gives = (", ".join(map(str, part)) for part in (self.inputs, self.outputs))
        return f"<upweave kernel {self.name}: {takes} -> {gives}>"

    def __call__(self, *inputs: Any, packed: Any = None, out: Any = None, threads: int = 1) -> Any:
        """Runs the kernel on its inputs and gives its output.

        out: where the output goes; several outputs: a sequence. Without it new objects are made, of
        the kind of the first input. packed: what pack() gave, for a kernel with parameters.
        """
        spaces = self._workspaces(threads)
        result = self._bind(inputs, packed, out, spaces)()
        self._spare += spaces
        return result

    def bind(self, *inputs: Any, packed: Any = None, out: Any = None, threads: int = 1) -> Bound:
        """The same call, checked now, to be run as often as the result is called."""
        return self._bind(inputs, packed, out, self._workspaces(threads))

    def pack(self, *parameters: Any) -> memoryview:
        """The parameters (weight, bias, …) in the order that the kernel reads them."""
        try:
            views = _all_checked("parameter", self.parameters, parameters)
            if not self._pack:
                raise Error("takes no parameters")
            packed = aligned(self.packed_bytes, self._struct.packed_align)
            status = self._pack(_pointers(views), address(packed))
            if status:
                raise Error(f"pack: {_status_text(status)}")
        except Error as error:
            raise Error(f"{self.name}: {error}") from None
        return packed

    def _bind(self, inputs: Sequence, packed: Any, out: Any, spaces: list[memoryview]) -> Bound:
        try:
            if self.packed_bytes and packed is None and len(inputs) == len(self.inputs) + 1:
                raise Error("packed: expected by name: packed=…")
            sources = _all_checked("input", self.inputs, inputs)
            made = self._made(inputs, out)
            targets = _all_checked("output", self.outputs, made, writes=True)
            weights = self._weights(packed)
            check_overlap((*zip(self.inputs, sources), *weights), (*zip(self.outputs, targets),))
        except Error as error:
            raise Error(f"{self.name}: {error}") from None
        place = weights[0][1].address if weights else None
        arguments = (_pointers(sources), place, _pointers(targets))
        result = made[0] if len(self.outputs) == 1 else made
        return Bound(self.name, self._calls(arguments, spaces), result,
                     (self, sources, weights, targets, spaces))

    def _made(self, inputs: Sequence, out: Any) -> tuple:
        if out is None:
            kind = family(inputs[0])
            return tuple(kind.empty(tensor) for tensor in self.outputs)
        if len(self.outputs) == 1:
            return (out,)
        if not isinstance(out, (tuple, list)):
            raise Error(f"out: expected a sequence of {len(self.outputs)}")
        return tuple(out)

    def _weights(self, packed: Any) -> tuple[tuple[Tensor, View], ...]:
        """The packed parameters, if the kernel has any."""
        if not self.packed_bytes:
            if packed is not None:
                raise Error("packed: the kernel has no parameters")
            return ()
        if packed is None:
            raise Error("packed: missing: what pack() makes of the parameters")
        tensor = Tensor("packed", "u8", (self.packed_bytes,), "", self.packed_bytes)
        view = checked(tensor, packed)
        if view.address % self._struct.packed_align:
            raise Error(f"packed: alignment: expected a multiple of {self._struct.packed_align}, "
                        f"got address {view.address:#x}: copy it into upweave.aligned(size)")
        return ((tensor, view),)

    def _workspaces(self, threads: int) -> list[memoryview]:
        """One for each thread: no more threads than tasks, one where tasks cannot be told apart."""
        if not isinstance(threads, int) or threads < 1:
            raise Error(f"{self.name}: threads: expected a number from 1 on, got {threads!r}")
        spaces = []
        for _ in range(max(1, min(threads, self.tasks)) if self._range else 1):
            try:
                spaces.append(self._spare.pop())
            except IndexError:
                spaces.append(aligned(self.workspace_bytes, self._struct.workspace_align))
        return spaces

    def _calls(self, arguments: tuple, spaces: list[memoryview]) -> list[Callable[[], int]]:
        """The C calls that together run all tasks, one for each workspace."""
        places = [address(space) if self.workspace_bytes else None for space in spaces]
        if len(places) == 1:
            return [functools.partial(self._run, *arguments, places[0])]
        ends = [self.tasks * at // len(places) for at in range(len(places) + 1)]
        return [functools.partial(self._range, *arguments, place, begin, end)
                for place, begin, end in zip(places, ends, ends[1:])]
