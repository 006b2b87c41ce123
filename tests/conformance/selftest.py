# SPDX-License-Identifier: MIT
"""The harness tested without kernels: stand-ins that must pass, and faults that must be seen.

A stand-in is PyTorch's own result, or the documented one where PyTorch disagrees with itself. The
faults are what a wrong kernel does: a bit of a copy, an error of twice the bound, one element not
written, a shape of another truncation.
"""

from __future__ import annotations

import functools
from typing import Iterator

import numpy as np

import interpolate_cases as cases
import interpolate_oracle as oracle
import upweave
from interpolate import Options, judge
from report import Batch, HarnessError, Outcome

PER_BATCH = 100


def batches(options: Options) -> list[Batch]:
    found = []
    for first in range(0, options.count, PER_BATCH):
        indices = list(range(first, min(first + PER_BATCH, options.count)))
        found.append(Batch(f"self-test: specs {indices[0]} to {indices[-1]}", len(indices),
                           functools.partial(examine, options, indices)))
    return found


def examine(options: Options, indices: list[int]) -> Outcome:
    outcome = Outcome()
    for index in indices:
        spec = cases.valid(options.seed, index)
        x = cases.input_data(options.seed, index, spec)
        try:
            problems = list(wrong_verdicts(outcome, spec, x))
        except HarnessError as error:
            problems = [f"harness: {error}"]
        if problems:
            outcome.fail(f"{index}: {problems[0]}", [f"spec: {spec}", *problems])
        else:
            outcome.passed += 1
    return outcome


def wrong_verdicts(outcome: Outcome, spec: cases.Spec, x: np.ndarray) -> Iterator[str]:
    """What the harness should have judged otherwise."""
    expected = oracle.expected(spec, x)
    good = stand_in(spec, x, expected)
    problem = judge(outcome, spec, x, upweave.Answer(spec["name"], good, None))
    if problem:
        yield f"a right result is rejected: {problem}"
    for name, bad in faults(good, expected):
        if judge(Outcome(), spec, x, upweave.Answer(spec["name"], bad, None)) is None:
            yield f"not seen: {name}"


def stand_in(spec: cases.Spec, x: np.ndarray, expected: oracle.Expected) -> np.ndarray:
    if expected.bound is None or expected.paths_disagree:
        return expected.want.astype(np.float32)
    torch_order = oracle.to_torch_order(spec, x)
    return oracle.to_memory_order(spec, oracle.in_both_formats(spec, torch_order)[0][1])


def faults(
    good: np.ndarray, expected: oracle.Expected
) -> Iterator[tuple[str, np.ndarray]]:
    if good.size == 0:
        return
    place = np.unravel_index(good.size // 2, good.shape)
    unwritten = good.copy()
    unwritten.view(np.uint32)[place] = 0xFFFFFFFF
    yield "an element that was not written", unwritten
    yield "an output one longer", np.concatenate([good, good[-1:]])
    if expected.bound is None:
        changed = good.copy()
        changed.view(np.uint32)[place] ^= 1
        yield "a bit of a copy", changed
        return
    bound = expected.bound[place]
    if bound > np.spacing(np.abs(good[place])):
        off = good.copy()
        off[place] = expected.want[place] + 2 * bound
        yield "twice the bound", off
