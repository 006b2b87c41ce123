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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from storage import DTYPES

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "bin" / "upweave"
CALLER = Path(__file__).with_name("caller.py")

Spec = dict[str, Any]


@dataclass
class Call:
    """One kernel to call: its name, input, and how far its buffers are moved off alignment."""

    name: str
    x: np.ndarray
    shift: int


@dataclass
class Answer:
    """What a kernel gave: y, or what went wrong."""

    name: str
    y: np.ndarray | None
    problem: str | None


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
        np.save(folder / f"{call.name}.x.npy", call.x)
        about = metadata(folder, call.name)
        y = about["outputs"][0]
        requests.append({
            "name": call.name,
            "y_shape": y["shape"],
            "y_dtype": DTYPES[y["dtype"]].stored.str,
            "workspace_bytes": about["workspace_bytes"],
            "shift": call.shift,
        })
    for line in _caller_output(library, folder, json.dumps(requests)).splitlines():
        reply = json.loads(line)
        problem = reply["problem"]
        y = None if problem else np.load(folder / f"{reply['name']}.y.npy")
        yield Answer(reply["name"], y, problem)


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
