# SPDX-License-Identifier: MIT
"""The harness tested without kernels: stand-ins that must pass, and faults that must be seen.

A stand-in is PyTorch's own result, or the documented one where PyTorch disagrees with itself. The
faults are what a wrong kernel does. Some must be seen wherever they are: a bit of a copy, an error
of twice the bound, one element of another value, a shape of another truncation. Others change
little in some specs; those must be seen where they change an element by more than twice its bound,
and somewhere in each dtype: every pixel taken from its neighbour, one wrong weight, weights rounded
to the dtype where PyTorch does not or the other way round, uint8 computed in float32.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Iterator, Protocol

import numpy as np
import torch
from torch.nn import functional

import interpolate_axes as axes
import interpolate_cases as cases
import interpolate_oracle as oracle
import storage
from interpolate import judge
from report import Batch, HarnessError, Outcome
from suite import Options
from upweave import Spec

PER_BATCH = 100
ENOUGH = 20  # specs in which a fault has an effect, of which some must be seen


class Expected(Protocol):
    """What an oracle wants; without a bound, bit for bit."""

    want: np.ndarray
    bound: np.ndarray | None


class Tally:
    """In how many specs each fault was planted and seen, by dtype."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        self.planted: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, dtype: str, seen: bool) -> None:
        self.planted[name, dtype] += 1
        self.seen[name, dtype] += seen

    def verdict(self) -> Outcome:
        outcome = Outcome()
        for key, planted in sorted(self.planted.items()):
            name, dtype = key
            outcome.notes[f"{dtype}: {name}, planted"] = planted
            outcome.notes[f"{dtype}: {name}, seen"] = self.seen[key]
            if planted >= ENOUGH and self.seen[key] < planted / 4:
                outcome.fail(f"{dtype}: seen in {self.seen[key]} of {planted} specs: {name}", [])
        outcome.passed = len(self.planted) - len(outcome.failures)
        return outcome


@dataclass(frozen=True)
class Subject:
    """The harness of an operator: specs, and what it should have judged otherwise of one."""

    name: str
    valid: Callable[[int, int, tuple[str, ...]], Spec]
    wrong_verdicts: Callable[[int, int, Spec], Iterator[str]]
    tally: Tally


def batches(subject: Subject, options: Options) -> list[Batch]:
    found, title = [], f"self-test of {subject.name}"
    for first in range(0, options.count, PER_BATCH):
        indices = list(range(first, min(first + PER_BATCH, options.count)))
        found.append(Batch(f"{title}: specs {indices[0]} to {indices[-1]}", len(indices),
                           functools.partial(examine, subject, options, indices)))
    found.append(Batch(f"{title}: every fault was seen in every dtype", 0, subject.tally.verdict))
    return found


def examine(subject: Subject, options: Options, indices: list[int]) -> Outcome:
    outcome = Outcome()
    for index in indices:
        spec = subject.valid(options.seed, index, options.dtypes)
        try:
            problems = list(subject.wrong_verdicts(options.seed, index, spec))
        except HarnessError as error:
            problems = [f"harness: {error}"]
        if problems:
            outcome.fail(f"{index}: {problems[0]}", [f"spec: {spec}", *problems])
        else:
            outcome.passed += 1
    return outcome


def wrong_verdicts(seed: int, index: int, spec: Spec) -> Iterator[str]:
    x = cases.input_data(seed, index, spec)
    expected = oracle.expected(spec, x)
    good = stand_in(spec, x, expected)

    def verdict(y: np.ndarray) -> str | None:
        problem = judge(Outcome(), spec, y, expected)
        return problem[0] if problem else None

    problem = verdict(good)
    if problem:
        yield f"a right result is rejected: {problem}"
    if good.size == 0:
        return
    for name, bad in faults_of_elements(oracle.dtype_of(spec), good, expected):
        if verdict(bad) is None:
            yield f"not seen: {name}"
    dtype = cases.dtype_name(spec)
    for name, bad in faults_of_rules(spec, x):
        if storage.same_bits(bad, good):
            continue
        seen = verdict(bad) is not None
        INTERPOLATE.tally.add(name, dtype, seen)
        if not seen and beyond(oracle.dtype_of(spec), bad, expected):
            yield f"not seen: {name}"


def beyond(dtype: storage.Dtype, bad: np.ndarray, expected: Expected) -> bool:
    """Whether a fault changes an element by more than twice its bound, or a bit of a copy."""
    if expected.bound is None:
        return True
    off = np.abs(storage.values(bad, dtype) - expected.want)
    return bool((off > 2 * expected.bound).any())


def stand_in(spec: cases.Spec, x: np.ndarray, expected: oracle.Expected) -> np.ndarray:
    if expected.bound is None:
        return expected.want
    found = dict(oracle.in_both_formats(spec, oracle.to_torch_order(spec, x)))
    own = found[cases.interleaved(spec) and len(found) > 1]
    dtype = oracle.dtype_of(spec)
    adds_in_the_type = dtype.narrow and spec["mode"] == "area" and x.ndim == 5
    if expected.paths_disagree or adds_in_the_type:
        return storage.rounded(expected.want, dtype)
    assert own is not None
    return oracle.to_memory_order(spec, own)


def faults_of_elements(
    dtype: storage.Dtype, good: np.ndarray, expected: Expected
) -> Iterator[tuple[str, np.ndarray]]:
    place = np.unravel_index(good.size // 2, good.shape)
    yield "an output one longer", np.concatenate([good, good[-1:]])
    if dtype.name != "f64":
        yield "an output of double", storage.values(good, dtype)
    if expected.bound is None:
        changed = good.copy()
        storage.bits(changed)[place] ^= 1
        yield "a bit of a copy", changed
        return
    unwritten = good.copy()
    storage.bits(unwritten)[place] = np.iinfo(storage.bits(good).dtype).max
    yield "an element that is not a number", unwritten
    want = float(expected.want[place])
    off = good.copy()
    off[place] = storage.rounded(np.array([want + 4 * expected.bound[place]]), dtype)[0]
    if abs(storage.values(off[place], dtype) - want) > 1.001 * expected.bound[place]:
        yield "four times the bound", off


# --- faults of rules


def faults_of_rules(spec: cases.Spec, x: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What a kernel would give whose tables are wrong in one way."""
    plain = oracle.to_torch_order(spec, x)
    neighbours = np.take(plain, np.minimum(np.arange(plain.shape[-1]) + 1, plain.shape[-1] - 1),
                         axis=-1)
    if spec["mode"].startswith("nearest"):
        maps = [axes.index_map(axis) for axis in axes.axes_of(spec)]
        yield "a shifted index", oracle.to_memory_order(spec, oracle.gather(neighbours, maps))
        return
    if cases.dtype_name(spec) == "u8":
        shifted = oracle.in_both_formats(spec, neighbours)[1][1]
        assert shifted is not None
        yield "a shifted index", oracle.to_memory_order(spec, shifted)
        yield "sums in float32", oracle.to_memory_order(spec, in_float(spec, plain))
        return
    tables = oracle.tables(spec, cases.interleaved(spec))
    yield "a shifted index", applied(spec, neighbours, tables)
    yield "a wrong weight", applied(spec, plain, [*tables[:-1], spoiled(spec, tables[-1])])
    other = other_rounding(spec)
    if other:
        yield "weights rounded otherwise", applied(spec, plain, other)


def applied(spec: cases.Spec, x: np.ndarray, tables: list[np.ndarray]) -> np.ndarray:
    want = oracle.summed(spec, x, tables)[0]
    return oracle.to_memory_order(spec, storage.rounded(want, oracle.dtype_of(spec)))


def in_float(spec: cases.Spec, x: np.ndarray) -> np.ndarray:
    """Rounded once at the end instead of after each axis, with weights that were not rounded."""
    y = functional.interpolate(torch.from_numpy(np.ascontiguousarray(x)).float(),
                               **oracle.keywords(spec))
    return y.round().clamp(0, 255).to(torch.uint8).numpy()


def spoiled(spec: cases.Spec, table: np.ndarray) -> np.ndarray:
    """The largest weight of the middle output wrong by little more than the arithmetic may be."""
    dtype = oracle.dtype_of(spec)
    unit = 2.0**-dtype.significand if dtype.significand is not None else 32 * dtype.unit
    wrong = table.copy()
    row = len(table) // 2
    wrong[row, np.abs(table[row]).argmax()] *= 1 + 4 * unit
    return wrong


def other_rounding(spec: cases.Spec) -> list[np.ndarray] | None:
    """Weights rounded to a narrow dtype where PyTorch keeps float32, or the other way round."""
    of_axes = axes.axes_of(spec)
    if not oracle.dtype_of(spec).narrow or of_axes[0].mode == "area":
        return None
    ours = oracle.tables(spec, cases.interleaved(spec))
    exact = [axes.weights(axes.in_float32(axis)) for axis in of_axes]
    if any(not np.array_equal(a, b) for a, b in zip(ours, exact)):
        return exact
    return [axes.rounded_weights(axis) for axis in of_axes]


INTERPOLATE = Subject("interpolate", cases.valid, wrong_verdicts, Tally())
