# SPDX-License-Identifier: MIT
"""What the suites of all operators do alike: build specs as libraries, call every kernel, compare
`upweave run` with the call, and compare what is refused.

An operator brings what differs, as the functions of an Operator. Each of them is a function of seed
and index, so that one spec can be repeated alone.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np

import storage
import upweave
from report import Batch, Failure, HarnessError, Outcome
from storage import DTYPES
from upweave import Arrays, Spec

PER_BATCH = 40
REJECTIONS_PER_BATCH = 100

Problem = tuple[str, list[str]]


@dataclass
class Options:
    count: int
    seed: int
    dtypes: tuple[str, ...]
    case: int | None  # only this index
    target: str
    work: Path
    keep: bool


def as_drawn(options: Options, folder: Path, outcome: Outcome, specs: dict[int, Spec]) -> None:
    """Leaves the specs as they were drawn."""


@dataclass(frozen=True)
class Operator:
    """What a suite asks about one operator. `judge` says what is wrong with a kernel's answer, or
    None; `finish` may change the specs of a batch before they are built."""

    name: str
    valid: Callable[[int, int, tuple[str, ...]], Spec]
    arguments: Callable[[int, int, tuple[str, ...]], Spec]
    data: Callable[[int, int, Spec], Arrays]
    judge: Callable[[Outcome, Spec, Arrays, upweave.Answer, dict[str, Any]], Problem | None]
    refusal: Callable[[Spec], str | None]
    finish: Callable[[Options, Path, Outcome, dict[int, Spec]], None] = as_drawn


def batches(operator: Operator, options: Options) -> list[Batch]:
    """Kernels in batches of PER_BATCH, then one draw of arguments for every five kernels."""
    name = operator.name
    if options.case is not None:
        indices = [options.case]
        return [Batch(f"{name}: spec {options.case}", 1, functools.partial(
            kernels, operator, options, indices))]
    found = []
    for first in range(0, options.count, PER_BATCH):
        indices = list(range(first, min(first + PER_BATCH, options.count)))
        found.append(Batch(f"{name}: specs {indices[0]} to {indices[-1]}", len(indices),
                           functools.partial(kernels, operator, options, indices)))
    draws = max(20, options.count // 5)
    for first in range(0, draws, REJECTIONS_PER_BATCH):
        indices = list(range(first, min(first + REJECTIONS_PER_BATCH, draws)))
        found.append(Batch(f"{name}: arguments {indices[0]} to {indices[-1]}", len(indices),
                           functools.partial(rejections, operator, options, indices)))
    return found


def repetition(operator: Operator, options: Options, index: int, spec: Spec) -> list[str]:
    target = "" if options.target == "native" else f" --target {options.target}"
    if options.dtypes != tuple(DTYPES):
        target += f" --dtypes {','.join(options.dtypes)}"
    return [
        f"spec: {json.dumps(spec)}",
        f"repeat: tests/conformance/run --ops {operator.name} --seed {options.seed} --case {index}"
        f"{target} --keep",
    ]


def fresh_folder(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


# --- kernels


def kernels(operator: Operator, options: Options, indices: list[int]) -> Outcome:
    """Builds the specs as one library, calls each, compares."""
    outcome = Outcome()
    specs = {index: operator.valid(options.seed, index, options.dtypes) for index in indices}
    folder = fresh_folder(
        options.work / f"{operator.name}-{options.target}-{options.seed}-{indices[0]}")
    operator.finish(options, folder, outcome, specs)
    for part, members in enumerate(build(operator, options, outcome, folder, specs)):
        compare_library(operator, options, outcome, members, specs, part)
    if not (options.keep or outcome.failures):
        shutil.rmtree(folder)
    return outcome


@dataclass
class Library:
    """A built spec file: where it lies, its stem, and the indices of its kernels."""

    spec: Path
    folder: Path
    indices: list[int]

    @property
    def path(self) -> Path:
        return self.folder / f"lib{self.spec.stem}.so"


def build(
    operator: Operator, options: Options, outcome: Outcome, folder: Path, specs: dict[int, Spec]
) -> list[Library]:
    """One library of all; if that fails, one each, so that only the guilty are lost."""
    if len(specs) > 1:
        library, _ = build_one(options, folder, "all", list(specs), specs)
        if library:
            return [library]
    libraries = []
    for index, spec in specs.items():
        library, problem = build_one(options, folder, spec["name"], [index], specs)
        if library:
            libraries.append(library)
        else:
            first_line = problem.partition("\n")[0]
            outcome.fail(f"{index}: does not build: {first_line}",
                         [*repetition(operator, options, index, spec), problem])
    if len(libraries) == len(specs) > 1:
        outcome.fail("the specs build one by one, but not as one file", [str(folder / "all.json")])
    return libraries


def build_one(
    options: Options, folder: Path, stem: str, indices: list[int], specs: dict[int, Spec]
) -> tuple[Library | None, str]:
    path = folder / f"{stem}.json"
    upweave.write_spec(path, [specs[index] for index in indices])
    out = folder / f"{stem}.out"
    done = upweave.run(["build", path, "-o", out, "--target", options.target, "-q"])
    if done.returncode == 0:
        return Library(path, out, indices), ""
    return None, f"exit {done.returncode}: {done.stderr.strip()}"


def compare_library(
    operator: Operator, options: Options, outcome: Outcome, library: Library,
    specs: dict[int, Spec], part: int,
) -> None:
    data = {index: operator.data(options.seed, index, specs[index]) for index in library.indices}
    calls = [upweave.Call(specs[index]["name"], data[index], 4 * (index % 16))
             for index in library.indices]
    answers = upweave.call_all(library.folder, library.path, calls)
    for index, answer in zip(library.indices, answers):
        spec = specs[index]
        problem = compare(operator, outcome, library, spec, data[index], answer)
        if problem is None and part == 0 and index == library.indices[0]:
            problem = run_verb(options, library, spec, data[index], answer)
        if problem is None:
            outcome.passed += 1
            continue
        title, details = problem
        outcome.failures.append(
            Failure(f"{index}: {title}", [*repetition(operator, options, index, spec), *details]))


def compare(
    operator: Operator, outcome: Outcome, library: Library, spec: Spec, arrays: Arrays,
    answer: upweave.Answer,
) -> Problem | None:
    if answer.problem or answer.y is None:
        return f"kernel {answer.problem}", []
    try:
        about = upweave.metadata(library.folder, spec["name"])
        return operator.judge(outcome, spec, arrays, answer, about)
    except HarnessError as error:
        return f"harness: {error}", []


def other_storage(y: np.ndarray, want: np.ndarray, dtype: storage.Dtype) -> Problem | None:
    """Whether y has another shape or element type than what is wanted."""
    if y.shape != want.shape:
        return f"y is {y.shape}, PyTorch's is {want.shape}", []
    if y.dtype != dtype.stored:
        return f"y is stored as {y.dtype}, not as {dtype.name}", []
    return None


def beyond_bound(got: np.ndarray, want: np.ndarray, bound: np.ndarray) -> Problem | None:
    off = np.abs(got - want)
    wrong = ~(off <= bound)
    if not wrong.any():
        return None
    excess = np.nan_to_num(np.where(wrong, off - bound, -np.inf), nan=np.inf)
    place = tuple(int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    share = storage.worst_share(got, want, bound)
    return f"{int(wrong.sum())} of {got.size} elements beyond the bound, worst {share:.3g} times", [
        f"worst at y{list(place)}: got {got[place]!r}, want {want[place]!r}, "
        f"bound {bound[place]:.6g}, error {off[place]:.6g}"
    ]


def run_verb(
    options: Options, library: Library, spec: Spec, arrays: Arrays, answer: upweave.Answer
) -> Problem | None:
    """`upweave run` on .npy files gives the same bytes as the call."""
    data = library.folder / "data"
    data.mkdir()
    name = spec["name"]
    for tensor, array in {**arrays.inputs, **arrays.parameters}.items():
        np.save(data / f"{name}.{tensor}.npy", array)
    done = upweave.run(["run", library.spec, "--data", data, "--only", name,
                        "--target", options.target, "-q"])
    if done.returncode != 0:
        return f"upweave run: exit {done.returncode}", [done.stderr.strip()]
    y = np.load(data / f"{name}.y.npy")
    assert answer.y is not None
    if y.shape != answer.y.shape or not storage.same_bits(y, answer.y):
        return "upweave run writes another y than the library", []
    return None


# --- arguments


def rejections(operator: Operator, options: Options, indices: list[int]) -> Outcome:
    """PyTorch raises if and only if `upweave spec` exits with 3 or 4."""
    outcome = Outcome()
    folder = fresh_folder(
        options.work / f"arguments-{operator.name}-{options.seed}-{indices[0]}")
    counts: Counter[str] = Counter()
    for index in indices:
        spec = operator.arguments(options.seed, index, options.dtypes)
        path = folder / f"{spec['name']}.json"
        upweave.write_spec(path, [spec])
        refusal = operator.refusal(spec)
        done = upweave.run(["spec", path, "-q"], timeout=30)
        counts["refused by both" if refusal else "accepted by both"] += 1
        if done.returncode in ((3, 4) if refusal else (0,)):
            outcome.passed += 1
            continue
        outcome.fail(f"arguments {index}: PyTorch {refusal or 'accepts'}", [
            f"spec: {json.dumps(spec)}",
            f"upweave spec: exit {done.returncode}: {done.stderr.strip()}",
        ])
    outcome.notes.update({f"arguments {what}": count for what, count in counts.items()})
    if not options.keep:
        shutil.rmtree(folder)
    return outcome
