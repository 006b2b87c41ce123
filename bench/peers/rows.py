# SPDX-License-Identifier: MIT
"""The rows of the comparison: workloads as built kernels, with data to run them on.

Invariants: a row is what the kernel says of itself; of operators only TITLES knows; the same row
has the same data in every run. Arrays are numpy's in the order of memory, bf16 as its bits; weights
are packed before anything is timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "runtime" / "python"))

import upweave  # noqa: E402  (of this checkout)

from . import convolution, interpolation  # noqa: E402

SPEC = ROOT / "bench/workloads.json"
BUILD_SECONDS = 120
TITLES = {"interpolate": interpolation.title, "conv": convolution.title,
          "conv_transpose": convolution.title}  # by operator


@dataclass
class Row:
    """One workload in one layout, bound to data; `problem` is its canonical spec."""

    name: str
    problem: dict[str, Any]
    inputs: list[np.ndarray]
    parameters: dict[str, np.ndarray]  # weight, bias, …
    bound: upweave.Bound
    y: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.y = self.bound()

    @property
    def title(self) -> str:
        """What is done, to how much of what: of N and C and the axes in space."""
        x = self.problem["x"]
        order = sorted(range(len(x["shape"])), key=lambda at: "NCDHW".index(x["layout"][at]))
        shape = "×".join(str(x["shape"][at]) for at in order)
        return f"{TITLES[self.problem['op']](self.problem)}, {shape} {self.dtype}"

    @property
    def kind(self) -> str:
        """The operator, and the class of accuracy where that decides between algorithms."""
        op, numerics = self.problem["op"], self.numerics
        return op if op == "interpolate" else f"{op} {numerics}"

    @property
    def numerics(self) -> str:
        return self.problem["numerics"]

    @property
    def workload(self) -> str:
        return self.name.rsplit("_", 1)[0]

    @property
    def layout(self) -> str:
        """planar, or interleaved: channels last."""
        return "interleaved" if self.problem["x"]["layout"].endswith("C") else "planar"

    @property
    def dtype(self) -> str:
        return self.problem["x"]["dtype"]

    @property
    def x(self) -> np.ndarray:
        return self.inputs[0]


def version() -> str:
    done = subprocess.run([ROOT / "bin/upweave", "--version"], capture_output=True, text=True,
                          check=True)
    return done.stdout.strip().capitalize()


def names(patterns: list[str]) -> list[str]:
    """The workloads that match one of the patterns; all without patterns."""
    kernels = json.loads(SPEC.read_text(encoding="utf-8"))["kernels"]
    return [kernel["name"] for kernel in kernels
            if not patterns or any(fnmatch(kernel["name"], pattern) for pattern in patterns)]


def build(name: str, folder: Path) -> upweave.Kernel | str:
    """The kernel for this machine, or why there is none."""
    command = [ROOT / "bin/upweave", "build", SPEC, "--only", name, "--target", "native",
               "-o", folder / name, "-q", "--color", "never", "--db", "/dev/null"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS,
                              check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"not built within {BUILD_SECONDS} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[0]
    return upweave.load(folder / name / f"lib{SPEC.stem}.so")[name]


def _random(tensor: upweave.Tensor, draw: np.random.Generator) -> np.ndarray:
    if tensor.dtype == "u8":
        return draw.integers(0, 256, tensor.shape, np.uint8)
    values = draw.uniform(-1, 1, tensor.shape).astype(np.float32)
    if tensor.dtype == "bf16":
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    return values.astype({"f32": np.float32, "f64": np.float64, "f16": np.float16}[tensor.dtype])


def make(name: str, kernel: upweave.Kernel) -> Row:
    draw = np.random.default_rng(zlib.crc32(name.encode()))
    inputs = [_random(tensor, draw) for tensor in kernel.inputs]
    parameters = {tensor.name: _random(tensor, draw) for tensor in kernel.parameters}
    packed = kernel.pack(*parameters.values()) if parameters else None
    return Row(name, kernel.spec, inputs, parameters, kernel.bind(*inputs, packed=packed))
