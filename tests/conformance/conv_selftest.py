# SPDX-License-Identifier: MIT
"""The harness of conv and conv_transpose tested without kernels, as selftest.py says.

Faults of rules are what wrong index maps, groups, epilogues and types of sums would give; what is
not finite is put where it does not belong, and taken from where it does.
"""

from __future__ import annotations

import functools
from typing import Iterator

import numpy as np

import conv
import conv_cases as cases
import conv_draw
import conv_oracle as oracle
import conv_post as post
import selftest
import storage
from report import Outcome
from upweave import Arrays, Spec


def subject(op: str) -> selftest.Subject:
    tally = selftest.Tally()
    return selftest.Subject(op, functools.partial(conv_draw.valid, op),
                            functools.partial(wrong_verdicts, tally), tally)


def wrong_verdicts(tally: selftest.Tally, seed: int, index: int, spec: Spec) -> Iterator[str]:
    arrays, dtype = cases.data(seed, index, spec), cases.dtype_of(spec)
    expected = oracle.expected(spec, arrays)
    good = storage.rounded(expected.want, dtype)

    def verdict(y: np.ndarray) -> str | None:
        problem = conv.judge(Outcome(), spec, y, expected)
        return problem[0] if problem else None

    problem = verdict(good)
    if problem:
        yield f"a right result is rejected: {problem}"
    if good.size == 0:
        return
    for name, bad in selftest.faults_of_elements(dtype, good, expected):
        if verdict(bad) is None:
            yield f"not seen: {name}"
    tensors = oracle.doubles(spec, arrays)
    for name, bad in faults_of_rules(spec, tensors):
        if storage.same_bits(bad, good):
            continue
        seen = verdict(bad) is not None
        tally.add(name, dtype.name, seen)
        if not seen and selftest.beyond(dtype, bad, expected):
            yield f"not seen: {name}"
    if arrays.other_x is not None:
        yield from wrong_reach(spec, arrays, good)


# --- faults of rules


def result(spec: Spec, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """What a kernel stores that computes this."""
    total = oracle.in_double(spec, tensors["x"], tensors["weight"], tensors.get("bias"))
    return behind(spec, tensors, total)


def behind(spec: Spec, tensors: dict[str, np.ndarray], total: np.ndarray) -> np.ndarray:
    nothing = np.zeros(total.shape)
    dtype = cases.dtype_of(spec)
    found = post.Sum(total.astype(np.longdouble), nothing, nothing)
    value = post.applied(spec, tensors, found, dtype.unit)[0]
    return oracle.to_memory_order(spec, storage.rounded(value, dtype))


def faults_of_rules(
    spec: Spec, tensors: dict[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    x, weight = tensors["x"], tensors["weight"]
    yield "a kernel read backwards", result(spec, {**tensors, "weight": np.flip(weight, -1).copy()})
    yield "a shifted input", result(spec, {**tensors, "x": np.roll(x, 1, -1)})
    spoiled = weight.copy()
    spoiled.reshape(-1)[np.abs(weight).argmax()] *= 1.125
    yield "a wrong weight", result(spec, {**tensors, "weight": spoiled})
    if "bias" in tensors:
        yield "no bias", result(spec, {key: array for key, array in tensors.items()
                                       if key != "bias"})
    groups = spec.get("groups", 1)
    if groups > 1:
        other = np.roll(x, x.shape[1] // groups, 1)
        yield "another group's channels", result(spec, {**tensors, "x": other})
    begin, end = cases.pads(spec)
    if begin != end:
        yield "sides of padding exchanged", result({**spec, "padding": [*end, *begin]}, tensors)
    if spec.get("post"):
        yield "an epilogue left out", result({**spec, "post": spec["post"][:-1]}, tensors)
    yield from faults_of_types(spec, tensors)


def faults_of_types(
    spec: Spec, tensors: dict[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    dtype = cases.dtype_of(spec)
    if dtype.name == "f64":
        single = {key: array.astype(np.float32).astype(np.float64)
                  for key, array in tensors.items()}
        yield "numbers rounded to float32", result(spec, single)
    if dtype.narrow and "bias" in tensors:
        total = oracle.in_double(spec, tensors["x"], tensors["weight"], None)
        total = storage.values(storage.rounded(total, dtype), dtype)
        bias = post.along_channels(tensors["bias"], total)
        yield "a sum rounded before its bias", behind(spec, tensors, total + bias)


# --- what is not finite


def wrong_reach(spec: Spec, arrays: Arrays, good: np.ndarray) -> Iterator[str]:
    assert arrays.other_x is not None
    dtype = cases.dtype_of(spec)
    with np.errstate(all="ignore"):
        odd = storage.rounded(oracle.with_odd_element(spec, arrays), dtype)
    used = oracle.users(spec, arrays.inputs["x"], arrays.other_x)
    after = np.where(used, odd, good)
    nan = storage.rounded(np.array([np.nan]), dtype)[0]

    def verdict(y: np.ndarray, winograd: bool) -> bool:
        return conv.misplaced(spec, arrays, (good, y), winograd) is not None

    if verdict(after, False) or verdict(after, True):
        yield "a right reach is rejected"
    lost = used & ~np.isfinite(storage.values(odd, dtype))
    if lost.any() and not (verdict(good, False) and verdict(good, True)):
        yield "not seen: what is not finite is lost"
    tile = oracle.in_tiles(spec, used)
    for name, where, wrong in (("beside a window", ~used, (True, False)),
                               ("beside a tile", ~tile, (True, True))):
        if where.any():
            spread = after.copy()
            spread[tuple(np.argwhere(where)[0])] = nan
            inside = bool((tile & where).any()) and tile[tuple(np.argwhere(where)[0])]
            expected = (wrong[0], wrong[1] or not inside)
            if (verdict(spread, False), verdict(spread, True)) != expected:
                yield f"misjudged: a NaN {name}"
