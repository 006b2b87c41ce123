# SPDX-License-Identifier: MIT
"""Whether two results are the same but for rounding.

Invariant: results have the same shape, in the order of memory; a difference is in units of the
values themselves, and the allowance grows with the largest of them.
"""

from __future__ import annotations

import numpy as np

# Frameworks compute coordinates in float32, where that of pixel 600 is right to 3e-5 of a pixel,
# round between passes or not, and store 16-bit floats once or twice. Another filter, or another
# rule at the edge, differs by more than a hundredth. 8-bit pictures: one level, since some round
# halves up and others to even.
ALLOWED = {"f32": 5e-4, "f64": 5e-4, "f16": 2.0**-9, "bf16": 2.0**-6}


def as_numbers(array: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "bf16":
        return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return array.astype(np.float64)


def difference(got: np.ndarray, want: np.ndarray, dtype: str) -> tuple[float, bool]:
    """The largest difference, and whether it is rounding."""
    if got.shape != want.shape:
        raise ValueError(f"shape {got.shape}, not {want.shape}")
    wanted = as_numbers(want, dtype)
    largest = float(np.abs(as_numbers(got, dtype) - wanted).max())
    allowed = 1.0 if dtype == "u8" else ALLOWED[dtype] * float(np.abs(wanted).max())
    return largest, largest <= allowed
