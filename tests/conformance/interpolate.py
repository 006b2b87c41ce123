# SPDX-License-Identifier: MIT
"""The suite of interpolate: kernels against live PyTorch, the run verb, and what is rejected."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import interpolate_cases as cases
import interpolate_oracle as oracle
import storage
import suite
import upweave
from report import Outcome
from suite import Problem

DISAGREEMENT = "PyTorch's two implementations disagree; compared with the documented one"


def data(seed: int, index: int, spec: cases.Spec) -> upweave.Arrays:
    return upweave.Arrays({"x": cases.input_data(seed, index, spec)})


def compare(
    outcome: Outcome, spec: cases.Spec, arrays: upweave.Arrays, answer: upweave.Answer,
    _about: dict[str, Any],
) -> Problem | None:
    assert answer.y is not None
    return judge(outcome, spec, answer.y, oracle.expected(spec, arrays.inputs["x"]))


def judge(
    outcome: Outcome, spec: cases.Spec, y: np.ndarray, expected: oracle.Expected
) -> Problem | None:
    """None if y is PyTorch's."""
    dtype = oracle.dtype_of(spec)
    problem = suite.other_storage(y, expected.want, dtype)
    if problem:
        return problem
    kind = "within the bound" if expected.bound is not None else "bit for bit"
    outcome.notes[f"compared: {dtype.name} {kind}"] += 1
    if expected.paths_disagree:
        outcome.notes[f"{DISAGREEMENT}: {spec['mode']}"] += 1
    if expected.bound is None:
        return differing_bits(y, expected.want)
    return suite.beyond_bound(storage.values(y, dtype), expected.want, expected.bound)


def differing_bits(got: np.ndarray, want: np.ndarray) -> Problem | None:
    wrong = np.argwhere(storage.bits(got) != storage.bits(want))
    if len(wrong) == 0:
        return None
    place = tuple(int(coordinate) for coordinate in wrong[0])
    return f"{len(wrong)} of {got.size} elements differ in bits", [
        f"first at y{list(place)}: got {got[place]!r}, want {want[place]!r}"
    ]


OPERATOR = suite.Operator("interpolate", cases.valid, cases.arguments, data, compare,
                          oracle.refusal)
batches = functools.partial(suite.batches, OPERATOR)
