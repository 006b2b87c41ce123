# SPDX-License-Identifier: MIT
"""The suite of interpolate: kernels against live PyTorch, the run verb, and what is rejected."""

from __future__ import annotations

import functools
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import interpolate_cases as cases
import interpolate_oracle as oracle
import storage
import upweave
from report import Batch, Failure, HarnessError, Outcome
from storage import DTYPES

PER_BATCH = 40
REJECTIONS_PER_BATCH = 100
DISAGREEMENT = "PyTorch's two implementations disagree; compared with the documented one"


@dataclass
class Options:
    count: int
    seed: int
    dtypes: tuple[str, ...]
    case: int | None  # only this index
    target: str
    work: Path
    keep: bool


def batches(options: Options) -> list[Batch]:
    """Kernels in batches of PER_BATCH, then one draw of arguments for every five kernels."""
    if options.case is not None:
        indices = [options.case]
        return [Batch(f"interpolate: spec {options.case}", 1, functools.partial(
            kernels, options, indices))]
    found = []
    for first in range(0, options.count, PER_BATCH):
        indices = list(range(first, min(first + PER_BATCH, options.count)))
        found.append(Batch(f"interpolate: specs {indices[0]} to {indices[-1]}", len(indices),
                           functools.partial(kernels, options, indices)))
    draws = max(20, options.count // 5)
    for first in range(0, draws, REJECTIONS_PER_BATCH):
        indices = list(range(first, min(first + REJECTIONS_PER_BATCH, draws)))
        found.append(Batch(f"interpolate: arguments {indices[0]} to {indices[-1]}", len(indices),
                           functools.partial(rejections, options, indices)))
    return found


def repetition(options: Options, index: int, spec: cases.Spec) -> list[str]:
    target = "" if options.target == "native" else f" --target {options.target}"
    if options.dtypes != tuple(DTYPES):
        target += f" --dtypes {','.join(options.dtypes)}"
    return [
        f"spec: {json.dumps(spec)}",
        f"repeat: tests/conformance/run --ops interpolate --seed {options.seed} --case {index}"
        f"{target} --keep",
    ]


# --- kernels


def kernels(options: Options, indices: list[int]) -> Outcome:
    """Builds the specs as one library, calls each, compares."""
    outcome = Outcome()
    specs = {index: cases.valid(options.seed, index, options.dtypes) for index in indices}
    folder = options.work / f"interpolate-{options.target}-{options.seed}-{indices[0]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part, members in enumerate(build(options, outcome, folder, specs)):
        compare_library(options, outcome, members, specs, part)
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
    options: Options, outcome: Outcome, folder: Path, specs: dict[int, cases.Spec]
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
                         [*repetition(options, index, spec), problem])
    if len(libraries) == len(specs) > 1:
        outcome.fail("the specs build one by one, but not as one file", [str(folder / "all.json")])
    return libraries


def build_one(
    options: Options, folder: Path, stem: str, indices: list[int], specs: dict[int, cases.Spec]
) -> tuple[Library | None, str]:
    path = folder / f"{stem}.json"
    upweave.write_spec(path, [specs[index] for index in indices])
    out = folder / f"{stem}.out"
    done = upweave.run(["build", path, "-o", out, "--target", options.target, "-q"])
    if done.returncode == 0:
        return Library(path, out, indices), ""
    return None, f"exit {done.returncode}: {done.stderr.strip()}"


def compare_library(
    options: Options, outcome: Outcome, library: Library, specs: dict[int, cases.Spec], part: int
) -> None:
    inputs = {index: cases.input_data(options.seed, index, specs[index])
              for index in library.indices}
    calls = [upweave.Call(specs[index]["name"], inputs[index], 4 * (index % 16))
             for index in library.indices]
    answers = upweave.call_all(library.folder, library.path, calls)
    for index, answer in zip(library.indices, answers):
        spec = specs[index]
        problem = compare(outcome, spec, inputs[index], answer)
        if problem is None and part == 0 and index == library.indices[0]:
            problem = run_verb(options, library, spec, inputs[index], answer)
        if problem is None:
            outcome.passed += 1
            continue
        title, details = problem
        outcome.failures.append(
            Failure(f"{index}: {title}", [*repetition(options, index, spec), *details]))


Problem = tuple[str, list[str]]


def compare(
    outcome: Outcome, spec: cases.Spec, x: np.ndarray, answer: upweave.Answer
) -> Problem | None:
    try:
        return judge(outcome, spec, answer, oracle.expected(spec, x))
    except HarnessError as error:
        return f"harness: {error}", []


def judge(
    outcome: Outcome, spec: cases.Spec, answer: upweave.Answer, expected: oracle.Expected
) -> Problem | None:
    """None if the kernel's answer is PyTorch's."""
    if answer.problem or answer.y is None:
        return f"kernel {answer.problem}", []
    if answer.y.shape != expected.want.shape:
        return f"y is {answer.y.shape}, PyTorch's is {expected.want.shape}", []
    dtype = oracle.dtype_of(spec)
    if answer.y.dtype != dtype.stored:
        return f"y is stored as {answer.y.dtype}, not as {dtype.name}", []
    kind = "within the bound" if expected.bound is not None else "bit for bit"
    outcome.notes[f"compared: {dtype.name} {kind}"] += 1
    if expected.paths_disagree:
        outcome.notes[f"{DISAGREEMENT}: {spec['mode']}"] += 1
    if expected.bound is None:
        return differing_bits(answer.y, expected.want)
    return beyond_bound(storage.values(answer.y, dtype), expected.want, expected.bound)


def differing_bits(got: np.ndarray, want: np.ndarray) -> Problem | None:
    wrong = np.argwhere(storage.bits(got) != storage.bits(want))
    if len(wrong) == 0:
        return None
    place = tuple(int(coordinate) for coordinate in wrong[0])
    return f"{len(wrong)} of {got.size} elements differ in bits", [
        f"first at y{list(place)}: got {got[place]!r}, want {want[place]!r}"
    ]


def beyond_bound(got: np.ndarray, want: np.ndarray, bound: np.ndarray) -> Problem | None:
    wrong = ~(np.abs(got - want) <= bound)
    if not wrong.any():
        return None
    excess = np.where(wrong, np.abs(got - want) - bound, -np.inf)
    place = tuple(int(i) for i in np.unravel_index(np.argmax(np.nan_to_num(excess, nan=np.inf)),
                                                   excess.shape))
    share = oracle.worst_share(got, want, bound)
    return f"{int(wrong.sum())} of {got.size} elements beyond the bound, worst {share:.3g} times", [
        f"worst at y{list(place)}: got {got[place]!r}, want {want[place]!r}, "
        f"bound {bound[place]:.6g}, error {abs(got[place] - want[place]):.6g}"
    ]


def run_verb(
    options: Options, library: Library, spec: cases.Spec, x: np.ndarray, answer: upweave.Answer
) -> Problem | None:
    """`upweave run` on .npy files gives the same bytes as the call."""
    data = library.folder / "data"
    data.mkdir()
    name = spec["name"]
    np.save(data / f"{name}.x.npy", x)
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


def rejections(options: Options, indices: list[int]) -> Outcome:
    """PyTorch raises if and only if `upweave spec` exits with 3 or 4."""
    outcome = Outcome()
    folder = options.work / f"arguments-{options.seed}-{indices[0]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    counts: Counter[str] = Counter()
    for index in indices:
        spec = cases.arguments(options.seed, index, options.dtypes)
        path = folder / f"{spec['name']}.json"
        upweave.write_spec(path, [spec])
        refusal = oracle.refusal(spec)
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
