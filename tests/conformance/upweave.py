# SPDX-License-Identifier: MIT
"""The command under test: building a spec file, its verbs, and calling what came out.

Kernels are called in a process of their own (caller.py), so that one that crashes is a failure with
a name and not the end of the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from storage import DTYPES

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "bin" / "upweave"
CALLER = Path(__file__).with_name("caller.py")

Spec = dict[str, Any]


@dataclass
class Arrays:
    """What a kernel is called with, by its tensors' names, in the order of its arguments: inputs,
    what is packed, and another x for a second call."""

    inputs: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    other_x: np.ndarray | None = None


@dataclass
class Call:
    """One kernel to call: its name, arrays, and how far its buffers are moved off alignment."""

    name: str
    arrays: Arrays
    shift: int


@dataclass
class Answer:
    """What a kernel gave: y, and y of the other x where there is one; or what went wrong."""

    name: str
    y: np.ndarray | None
    problem: str | None
    other_y: np.ndarray | None = None


def write_spec(path: Path, kernels: list[Spec]) -> None:
    lines = ",\n".join(" " + json.dumps(kernel) for kernel in kernels)
    path.write_text('{"upweave": 1, "kernels": [\n' + lines + "\n]}\n", encoding="utf-8")


def run(arguments: list[str | Path], timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Runs `upweave ARGUMENTS`; a time-out counts as exit code 124."""
    command = [str(COMMAND), *map(str, arguments)]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer in {timeout} s")


def metadata(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def call_all(folder: Path, library: Path, calls: list[Call]) -> Iterator[Answer]:
    """Calls kernels of one library in order; starts anew behind one that kills the process."""
    left = list(calls)
    while left:
        answered = 0
        for answer in _call_until_crash(folder, library, left):
            answered += 1
            yield answer
        if answered == len(left):
            return
        yield Answer(left[answered].name, None, "the kernel killed the process that called it")
        left = left[answered + 1 :]


def _call_until_crash(folder: Path, library: Path, calls: list[Call]) -> Iterator[Answer]:
    requests = []
    for call in calls:
        requests.append(_request(metadata(folder, call.name), call))
        arrays = {**call.arrays.inputs, **call.arrays.parameters}
        if call.arrays.other_x is not None:
            arrays["other x"] = call.arrays.other_x
        np.savez(folder / f"{call.name}.npz", **arrays)
    for line in _caller_output(library, folder, json.dumps(requests)).splitlines():
        reply = json.loads(line)
        name, problem = reply["name"], reply["problem"]
        if problem:
            yield Answer(name, None, problem)
            continue
        with np.load(folder / f"{name}.y.npz") as found:
            yield Answer(name, found["y"], None, found.get("other y"))


def _request(about: dict[str, Any], call: Call) -> dict[str, Any]:
    """What caller.py needs to know; the names and their order are the metadata's."""
    y = about["outputs"][0]
    return {
        "name": call.name,
        "inputs": [tensor["name"] for tensor in about["inputs"]],
        "parameters": [tensor["name"] for tensor in about["parameters"]],
        "packed_bytes": about["packed_bytes"],
        "y_shape": y["shape"],
        "y_dtype": DTYPES[y["dtype"]].stored.str,
        "workspace_bytes": about["workspace_bytes"],
        "tasks": about["tasks"],
        "shift": call.shift,
    }


def _caller_output(library: Path, folder: Path, requests: str, timeout: float = 300) -> str:
    """The whole lines that caller.py wrote before it ended, crashed or hung."""
    command = [sys.executable, str(CALLER), str(library), str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            return child.communicate(requests, timeout)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            return child.communicate()[0]
