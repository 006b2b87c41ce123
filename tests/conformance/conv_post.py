# SPDX-License-Identifier: MIT
"""Epilogues behind a sum: what they give, and what they add to the bound of a kernel.

Values are long doubles, so that functions of doubles have something to be compared with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch

import conv_cases as cases
from upweave import Spec

# The stated error of a function: so many units in the last place of its result, or where that is
# tiny so many u, of gelu times the larger of 1 and |x|.
FUNCTION_ULPS = 8
FUNCTION_FLOOR = 4
LARGEST_SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "gelu": 1.13, "gelu(tanh)": 1.13}
FOLDED = 4  # roundings that a folded batch_norm adds to each product


@dataclass
class Sum:
    """A sum of `terms` products: its value, the sum of their sizes, and the factor of its class."""

    want: np.ndarray
    magnitude: np.ndarray
    terms: np.ndarray
    factor: int = 1

    def bound(self, unit: float) -> np.ndarray:
        return self.factor * (self.terms + 4) * unit * self.magnitude


def along_channels(array: np.ndarray, like: np.ndarray) -> np.ndarray:
    return array.reshape(-1, *[1] * (like.ndim - 2))


def affine(
    spec: Spec, tensors: dict[str, np.ndarray], names: list[str], like: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factor and summand of a batch_norm, and the size of the terms of the latter."""
    gamma, beta, mean, var = (
        along_channels(tensors[name].astype(np.longdouble), like) for name in names)
    factor = gamma / np.sqrt(var + np.longdouble(spec.get("eps", 1e-5)))
    return factor, beta - mean * factor, np.abs(beta) + np.abs(mean * factor)


def folded(spec: Spec, tensors: dict[str, np.ndarray], names: list[str], found: Sum) -> Sum:
    factor, summand, size = affine(spec, tensors, names, found.want)
    return Sum(found.want * factor + summand, found.magnitude * np.abs(factor) + size,
               found.terms + FOLDED, found.factor)


def applied(
    spec: Spec, tensors: dict[str, np.ndarray], found: Sum, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Value and bound behind all epilogues of a spec."""
    steps = cases.names_of(spec.get("post", []))
    while steps and steps[0][0] == "batch_norm":
        found = folded(spec, tensors, steps.pop(0)[2], found)
    value, bound = found.want, found.bound(unit)
    with np.errstate(over="ignore", invalid="ignore"):
        for word, inputs, parameters in steps:
            value, bound = step(spec, tensors, (word, inputs + parameters), (value, bound, unit))
    return value, bound


def step(
    spec: Spec, tensors: dict[str, np.ndarray], epilogue: tuple[str, list[str]],
    before: tuple[np.ndarray, np.ndarray, float],
) -> tuple[np.ndarray, np.ndarray]:
    word, names = epilogue
    value, bound, unit = before
    if word in LARGEST_SLOPE:
        return function(word, value, bound, unit)
    if word == "batch_norm":
        factor, summand, size = affine(spec, tensors, names, value)
        error = FOLDED * unit * (np.abs(value * factor) + size)
        return value * factor + summand, bound * np.abs(factor) + error
    if word == "add":
        value = value + tensors[names[0]]
        return value, bound + unit * (np.abs(value) + bound)
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", word)]
    if word.startswith("clamp"):
        lowest, highest = np.float64(numbers) if unit < 2.0**-50 else np.float32(numbers)
        return np.clip(value, lowest, highest), bound
    if word == "relu":
        return np.maximum(value, 0), bound
    if word == "prelu":
        slope = along_channels(tensors[names[0]], value)
    else:
        slope = np.float64(numbers) if unit < 2.0**-50 else np.float32(numbers)
    scaled = value * slope
    return np.where(value > 0, value, scaled), (
        bound * np.maximum(1, np.abs(slope)) + unit * np.abs(scaled))


def function(
    word: str, value: np.ndarray, bound: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(over="ignore"):
        found = FUNCTIONS[word](value)
    ulp = np.ldexp(2 * unit, np.frexp(np.abs(found).astype(np.float64))[1] - 1)
    floor = FUNCTION_FLOOR * unit
    if word.startswith("gelu"):
        floor = floor * np.maximum(1, np.abs(value))
    return found, bound * LARGEST_SLOPE[word] + np.maximum(FUNCTION_ULPS * ulp, floor)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def gelu(x: np.ndarray) -> np.ndarray:
    """x·Φ(x), by the complement, which is exact where Φ is tiny."""
    at = torch.from_numpy((-x / np.sqrt(np.longdouble(2))).astype(np.float64))
    return x * torch.special.erfc(at).numpy().astype(np.longdouble) / 2


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """x·(1 + tanh t)/2 = x/(1 + exp(−2t))."""
    t = np.sqrt(2 / np.longdouble(torch.pi)) * (x + np.longdouble("0.044715") * x**3)
    return x * sigmoid(2 * t)


FUNCTIONS = {"sigmoid": sigmoid, "tanh": np.tanh, "gelu": gelu, "gelu(tanh)": gelu_tanh}
