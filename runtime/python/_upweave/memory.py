# SPDX-License-Identifier: MIT
"""The caller's objects: what lies in their memory, and whether it is what a kernel takes.

Purpose: one class for each kind of object says how to recognise it, look at its memory and make a
new one; the checks are the same for all. Invariants: nothing is copied or converted; torch and
numpy are found only where the program has imported them.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any, Iterator, NamedTuple, Sequence

from .description import Error, P, Tensor


class View(NamedTuple):
    """An object's memory as its own library describes it; strides count elements."""

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[float, ...]  # a fraction where elements lie off their own boundaries
    address: int
    readonly: bool
    keep: Any  # what keeps the memory alive


class Torch:
    """Tensors of PyTorch, which numbers axes N, C, … whatever their order in memory."""

    DTYPES = {
        "float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16",
        "uint8": "u8", "int8": "i8", "int32": "i32", "int64": "i64",
    }
    NAMES = {dtype: name for name, dtype in DTYPES.items()}

    @staticmethod
    def owns(thing: Any) -> bool:
        torch = sys.modules.get("torch")
        return torch is not None and isinstance(thing, torch.Tensor)

    @staticmethod
    def order(tensor: Tensor) -> Sequence[int]:
        """PyTorch's number of each axis, in the order of memory."""
        rank = len(tensor.shape)
        return (0, *range(2, rank), 1) if tensor.layout.endswith("C") else range(rank)

    @classmethod
    def view(cls, thing: Any, _tensor: Tensor) -> View:
        torch = sys.modules["torch"]
        if thing.device.type != "cpu" or thing.layout is not torch.strided:
            raise Error(f"expected a dense tensor on the CPU, got {thing.layout} on {thing.device}")
        if thing.requires_grad and torch.is_grad_enabled():
            raise Error("requires a gradient, which kernels do not record: use .detach()")
        if thing.is_neg() or thing.is_conj():
            raise Error("negated or conjugated, but not yet in memory: use .resolve_neg()")
        name = str(thing.dtype).split(".")[-1]
        return View(cls.DTYPES.get(name, name), tuple(thing.shape), thing.stride(),
                    thing.data_ptr(), False, thing)

    @classmethod
    def empty(cls, tensor: Tensor) -> Any:
        torch = sys.modules["torch"]
        dtype = getattr(torch, cls.NAMES[tensor.dtype])
        return torch.empty_strided(*dense(tensor, cls), dtype=dtype)


class Numpy:
    """Arrays of numpy, in the order of memory. It has no bf16: uint16 holds the bits."""

    @staticmethod
    def owns(thing: Any) -> bool:
        numpy = sys.modules.get("numpy")
        return numpy is not None and isinstance(thing, numpy.ndarray)

    @staticmethod
    def order(tensor: Tensor) -> Sequence[int]:
        return range(len(tensor.shape))

    @staticmethod
    def view(thing: Any, tensor: Tensor) -> View:
        dtype = f"{thing.dtype.kind}{thing.dtype.itemsize * 8}"
        if thing.dtype.name == "bfloat16" or (dtype == "u16" and tensor.dtype == "bf16"):
            dtype = "bf16"
        if not thing.dtype.isnative:
            dtype += " of the other byte order"
        strides = tuple(stride / (thing.dtype.itemsize or 1) for stride in thing.strides)
        return View(dtype, thing.shape, strides, thing.__array_interface__["data"][0],
                    not thing.flags.writeable, thing)

    @staticmethod
    def empty(tensor: Tensor) -> Any:
        kind = "u2" if tensor.dtype == "bf16" else f"{tensor.dtype[0]}{tensor.itemsize}"
        return sys.modules["numpy"].empty(tensor.shape, kind)


class Buffer:
    """What offers Python's buffer protocol: array, bytes, bytearray, memoryview, mmap.

    A flat one that has the right number of elements, or of bytes, takes the kernel's shape. A
    memoryview has no elements of 16-bit floats: "H" holds their bits.
    """

    FORMATS = {"f": "f32", "d": "f64", "e": "f16", "B": "u8", "b": "i8", "i": "i32", "q": "i64"}
    NAMES = {**{dtype: name for name, dtype in FORMATS.items()}, "f16": "H", "bf16": "H"}
    BYTES = ("B", "b", "c")
    NATIVE = "@=<" if sys.byteorder == "little" else "@=>!"

    order = Numpy.order

    @staticmethod
    def owns(thing: Any) -> bool:
        try:
            memoryview(thing).release()
        except TypeError:
            return False
        return True

    @classmethod
    def view(cls, thing: Any, tensor: Tensor) -> View:
        view = memoryview(thing)
        if not view.c_contiguous:
            raise Error(f"expected contiguous memory, got strides of {view.strides} bytes")
        code = view.format.lstrip(cls.NATIVE)
        if code == "l":
            code = "q" if view.itemsize == 8 else "i"
        whole = view.ndim == 1 and view.nbytes == tensor.nbytes
        if code == cls.NAMES[tensor.dtype] or (whole and code in cls.BYTES):
            dtype = tensor.dtype
        else:
            dtype = cls.FORMATS.get(code, f"format {view.format!r}")
        shape = tensor.shape if whole and dtype == tensor.dtype else view.shape
        strides = dense(tensor, cls)[1]
        return View(dtype, shape, strides, address(view), view.readonly, view)

    @classmethod
    def empty(cls, tensor: Tensor) -> memoryview:
        flat = memoryview(bytearray(tensor.nbytes))
        code = cls.NAMES[tensor.dtype]
        return flat.cast(code) if 0 in tensor.shape else flat.cast(code, tensor.shape)


def family(thing: Any) -> Any:
    """Which of the classes above an object belongs to."""
    for one in (Torch, Numpy, Buffer):
        if one.owns(thing):
            return one
    raise Error(f"expected a torch tensor, a numpy array or a buffer, got {type(thing).__name__}")


@functools.lru_cache(maxsize=4096)
def dense(tensor: Tensor, kind: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and strides of the tensor as objects of a kind number its axes."""
    order = kind.order(tensor)
    shape, strides, step = [0] * len(order), [0] * len(order), 1
    for axis, extent in zip(reversed(order), reversed(tensor.shape)):
        shape[axis], strides[axis] = extent, step
        step *= extent
    return tuple(shape), tuple(strides)


def checked(tensor: Tensor, thing: Any, writes: bool = False) -> View:
    """The view of an object that is the tensor in every respect."""
    try:
        kind = family(thing)
        view = kind.view(thing, tensor)
        problems = list(_differences(tensor, view, kind))
        if writes and view.readonly:
            problems.append("read-only, but the kernel writes it")
        if problems:
            raise Error("; ".join(problems))
    except Error as error:
        raise Error(f"{tensor.name}: {error}") from None
    return view


def _differences(tensor: Tensor, view: View, kind: Any) -> Iterator[str]:
    shape, strides = dense(tensor, kind)
    if view.dtype != tensor.dtype:
        yield f"dtype: expected {tensor.dtype}, got {view.dtype}"
    if view.shape != shape:
        yield f"shape: expected {shape}, got {view.shape}"
    elif view.strides != strides and not _same_order(shape, view.strides, strides):
        name = "channels-last" if kind is Torch and tensor.layout.endswith("C") else "contiguous"
        got = tuple(int(step) if step == int(step) else step for step in view.strides)
        yield f"order in memory: expected {name}, strides {strides}, got strides {got}"
    elif tensor.nbytes and not view.address:  # of tensors that only say what they would be
        yield "memory: there is none behind it"
    elif tensor.nbytes and view.address % tensor.itemsize:  # no bytes lie anywhere
        yield f"alignment: expected a multiple of {tensor.itemsize}, got address {view.address:#x}"


def _same_order(shape: Sequence[int], got: Sequence[float], want: Sequence[int]) -> bool:
    """Whether strides mean the same: nobody steps along an axis of one element, or of none."""
    return 0 in shape or all(
        extent == 1 or step == right for extent, step, right in zip(shape, got, want))


def check_overlap(reads: Sequence, writes: Sequence) -> None:
    """Of pairs of tensor and view: what is written shares no memory with anything else."""
    for at, (tensor, view) in enumerate(writes):
        for other, seen in (*reads, *writes[:at]):
            if (view.address < seen.address + other.nbytes
                    and seen.address < view.address + tensor.nbytes):
                raise Error(f"{tensor.name}: overlaps {other.name} in memory")


class _PyBuffer(ctypes.Structure):
    """Py_buffer of Python's stable ABI."""

    _fields_ = [
        ("buf", P), ("obj", P), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", P), ("shape", P),
        ("strides", P), ("suboffsets", P), ("internal", P),
    ]


def address(view: memoryview) -> int:
    """Where contiguous memory lies; ctypes' own from_buffer tells it of writable memory only."""
    buffer = _PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(buffer), 0)
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
    return buffer.buf or 0


def aligned(size: int, align: int = 64) -> memoryview:
    """`size` writable bytes, all 0, that begin at a multiple of `align`."""
    memory = memoryview(bytearray(size + align))
    start = -address(memory) % align
    return memory[start : start + size]
