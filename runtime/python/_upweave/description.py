# SPDX-License-Identifier: MIT
"""The description of itself that a kernel carries: struct upw_kernel of upweave/kernel.h.

Invariant: the structures repeat that header's; both change only together with UPW_KERNEL_ABI.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

ABI = 1
INPUT, OUTPUT, PARAMETER = 0, 1, 2
DTYPES = {  # by DLPack's code and bits
    (2, 32): "f32", (2, 64): "f64", (2, 16): "f16", (4, 16): "bf16",
    (1, 8): "u8", (0, 8): "i8", (0, 32): "i32", (0, 64): "i64",
}
STATUS = {
    1: "the range of tasks is not one of the kernel",
    2: "not the tensor that the kernel takes",
    3: "a file cannot be used",
    4: "out of memory",
    5: "no variant in the library runs on this CPU",
}


class Error(ValueError):
    """An argument that a kernel does not take, or a library that cannot be used."""


class TensorStruct(ctypes.Structure):
    """struct upw_tensor"""

    _fields_ = [
        ("name", ctypes.c_char_p), ("layout", ctypes.c_char_p),
        ("dtype_code", ctypes.c_uint8), ("dtype_bits", ctypes.c_uint8),
        ("role", ctypes.c_uint8), ("rank", ctypes.c_uint8),
        ("shape", ctypes.c_int64 * 8), ("bytes", ctypes.c_size_t),
    ]


P = ctypes.c_void_p
Run = ctypes.CFUNCTYPE(ctypes.c_int, P, P, P, P)
Range = ctypes.CFUNCTYPE(ctypes.c_int, P, P, P, P, ctypes.c_size_t, ctypes.c_size_t)
Pack = ctypes.CFUNCTYPE(ctypes.c_int, P, P)


class KernelStruct(ctypes.Structure):
    """struct upw_kernel"""

    _fields_ = [
        ("abi", ctypes.c_uint32), ("tensor_count", ctypes.c_uint32),
        ("name", ctypes.c_char_p), ("spec", ctypes.c_char_p),
        ("tensors", ctypes.POINTER(TensorStruct)),
        ("packed_bytes", ctypes.c_size_t), ("packed_align", ctypes.c_size_t),
        ("workspace_bytes", ctypes.c_size_t), ("workspace_align", ctypes.c_size_t),
        ("tasks", ctypes.c_size_t),
        ("run", Run), ("range", Range), ("pack", Pack),
    ]


class Tensor(NamedTuple):
    """One tensor of a kernel; `shape` is in the order of memory, which `layout` names."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    layout: str
    nbytes: int

    @property
    def itemsize(self) -> int:
        return int(self.dtype.lstrip("biuf")) // 8

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape))
        return " ".join(part for part in (self.name, shape, self.layout, self.dtype) if part)


def tensors(kernel: KernelStruct, role: int) -> tuple[Tensor, ...]:
    """The kernel's inputs, outputs or parameters, in the order of its arguments."""
    every = kernel.tensors[: kernel.tensor_count]
    return tuple(_tensor(one) for one in every if one.role == role)


def _tensor(one: TensorStruct) -> Tensor:
    name, code = one.name.decode(), (one.dtype_code, one.dtype_bits)
    if code not in DTYPES:
        raise Error(f"{name}: an element type that this module does not know: DLPack {code}")
    return Tensor(name, DTYPES[code], tuple(one.shape[: one.rank]), one.layout.decode(), one.bytes)
