# SPDX-License-Identifier: MIT
"""The element types: how numpy and PyTorch hold them, and how finely they round.

numpy has no bf16: such an array holds the bits as uint16, which is also what .npy files and the C
functions take. Everything else here is about that difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Dtype:
    """A storage type and the arithmetic that frameworks do on it."""

    name: str
    stored: np.dtype  # of arrays and .npy files
    torch: torch.dtype
    unit: float  # largest relative rounding error of one operation of the sums
    significand: int | None  # bits, where sums are wider than what is stored
    lowest_exponent: int  # of a normal number

    @property
    def narrow(self) -> bool:
        """Whether sums are rounded once more to be stored."""
        return self.significand is not None


DTYPES = {
    found.name: found for found in (
        Dtype("f32", np.dtype(np.float32), torch.float32, 2.0**-24, None, -126),
        Dtype("f64", np.dtype(np.float64), torch.float64, 2.0**-53, None, -1022),
        Dtype("f16", np.dtype(np.float16), torch.float16, 2.0**-24, 11, -14),
        Dtype("bf16", np.dtype(np.uint16), torch.bfloat16, 2.0**-24, 8, -126),
        Dtype("u8", np.dtype(np.uint8), torch.uint8, 0.0, None, 0),
    )
}
BITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def to_tensor(array: np.ndarray, dtype: Dtype) -> torch.Tensor:
    array = np.ascontiguousarray(array)
    if dtype.torch is torch.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def from_tensor(tensor: torch.Tensor) -> np.ndarray:
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()


def values(array: np.ndarray, dtype: Dtype) -> np.ndarray:
    """The numbers that an array stores, as doubles."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        if dtype.torch is torch.bfloat16:
            return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        return array.astype(np.float64)


def rounded(numbers: np.ndarray, dtype: Dtype) -> np.ndarray:
    """Floats as they are stored; narrow types by way of float32, as PyTorch converts."""
    tensor = torch.from_numpy(np.ascontiguousarray(numbers, dtype=np.float64))
    if dtype.narrow:
        tensor = tensor.to(torch.float32)
    return from_tensor(tensor.to(dtype.torch))


def bits(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    return array.view(BITS[array.dtype.itemsize])


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(bits(a), bits(b))


def half_step(magnitude: np.ndarray, dtype: Dtype) -> np.ndarray:
    """Half the distance of neighbouring stored numbers: what rounding to the type may change."""
    if dtype.significand is None:
        return np.zeros_like(magnitude)
    exponent = np.frexp(magnitude)[1] - 1
    exponent = np.maximum(np.where(magnitude == 0, dtype.lowest_exponent, exponent),
                          dtype.lowest_exponent)
    return np.ldexp(0.5, exponent - dtype.significand + 1)


def worst_share(found: np.ndarray, want: np.ndarray, bound: np.ndarray) -> float:
    """The largest error as a share of its bound; 0/0 is 0, NaN is infinite."""
    error = np.abs(found - want)
    if error.size == 0:
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((error == 0) | np.isposinf(bound), 0, error / bound)
    return float(np.max(np.where(np.isnan(share), math.inf, share)))
