# SPDX-License-Identifier: MIT
"""The suites of conv and conv_transpose: kernels of chosen and of random schedules against live
PyTorch, the reach of what is not finite, the run verb, and what is rejected.

A kernel's metadata says if it is one of Winograd's algorithms: then it has a bound of its own, and
may spread what is not finite over a tile.
"""

from __future__ import annotations

import functools
import json
import random
import re
from pathlib import Path
from typing import Any, Callable

import numpy as np

import conv_arguments
import conv_cases as cases
import conv_draw
import conv_oracle as oracle
import storage
import suite
import upweave
from report import Batch, Outcome
from suite import Options, Problem
from upweave import Spec

GIVEN_SHARE = 0.4  # of specs that get a schedule
OTHER_SHARE = 0.5  # of those, with another strategy than the heuristic's
# How often each strategy is tried first, and with which knobs where its defaults are not legal.
RARITY = {"contract-channels": 1, "contract-planar": 2, "contract-depthwise": 4, "winograd": 4}
STARTS = {"winograd": ["", ":axes=last"],
          "contract-depthwise": ["", ":order=line", ":read=expanded", ":read=expanded,order=line"]}
REFUSED = re.compile(r"exit [34]: error\[E2\d\d\]")

Facts = dict[str, Any]  # of `explain` about a kernel, or its "fault"
Ask = Callable[[Spec], Facts]

# The most that the factor of an algorithm may be, by class, and for one that a schedule names.
FACTORS = {"strict": 0, "default": 2, "fast": 5}
NAMED = 16


def factor_of(about: dict[str, Any]) -> int | None:
    """Of a kernel of Winograd's; None of others."""
    found = re.search(r"Winograd.*<= (\d+) \* \(n \+ 4\)", about["numerics"])
    return int(found[1]) if found else None


# --- given schedules


def with_schedules(
    options: Options, folder: Path, outcome: Outcome, specs: dict[int, Spec]
) -> None:
    """Gives some specs a schedule: values that `explain` calls legal, one knob at a time. What they
    are not together is refused with a code of schedules; then they are drawn one behind another."""
    for index, spec in specs.items():
        rng = cases.generator(spec["op"], options.seed, index, "schedule")
        if rng.random() >= GIVEN_SHARE:
            continue
        ask = functools.partial(explained, options, folder)
        facts = ask(spec)
        if "knobs" in facts and rng.random() < OTHER_SHARE:
            facts = other_strategy(rng, ask, spec, facts)
        fault = facts.get("fault") or draw_knobs(rng, ask, spec, facts)
        if fault and REFUSED.match(fault):
            outcome.notes["given schedules refused with a code"] += 1
            spec["schedule"], fault = drawn_in_turn(rng, ask, spec, facts), None
        if fault:
            outcome.fail(f"{index}: explain fails: {fault}", [f"spec: {json.dumps(spec)}"])
            spec.pop("schedule", None)
            continue
        outcome.notes["given schedules taken"] += 1


def other_strategy(rng: random.Random, ask: Ask, spec: Spec, facts: Facts) -> Facts:
    """What `explain` says with another strategy than the heuristic's, the rare ones preferred."""
    names = [one["name"] for one in facts["others"]]
    while names:
        name = rng.choices(names, [RARITY[name] for name in names])[0]
        names.remove(name)
        for knobs in STARTS.get(name, [""]):
            found = ask({**spec, "schedule": name + knobs})
            if not REFUSED.match(found.get("fault", "")):
                return found
    return facts


def draw_knobs(rng: random.Random, ask: Ask, spec: Spec, facts: Facts) -> str | None:
    """Sets a schedule whose knobs have any legal values; gives why that is none."""
    values = {knob["name"]: rng.choice(knob["legal"] or [knob["value"]])
              for knob in facts["knobs"]}
    spec["schedule"] = schedule_text(facts["strategy"], values)
    return ask(spec).get("fault")


def drawn_in_turn(rng: random.Random, ask: Ask, spec: Spec, facts: Facts) -> str:
    """A schedule whose knobs are drawn in a random order, each legal beside those before."""
    values = {knob["name"]: knob["value"] for knob in facts["knobs"]}
    for name in rng.sample(list(values), len(values)):
        found = ask({**spec, "schedule": schedule_text(facts["strategy"], values)})
        legal = {knob["name"]: knob["legal"] for knob in found.get("knobs", [])}
        values[name] = rng.choice(legal.get(name) or [values[name]])
    return schedule_text(facts["strategy"], values)


def schedule_text(strategy: str, values: dict[str, Any]) -> str:
    knobs = [f"{name}={word(value)}" for name, value in values.items()]
    return strategy + (":" + ",".join(knobs) if knobs else "")


def word(value: Any) -> str:
    """As schedules have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def explained(options: Options, folder: Path, spec: Spec) -> Facts:
    """What `explain` says about a kernel, or its `fault`."""
    path = folder / "explain.json"
    upweave.write_spec(path, [spec])
    done = upweave.run(["explain", path, "--json", "--target", options.target], timeout=60)
    if done.returncode != 0:
        return {"fault": f"exit {done.returncode}: {done.stderr.strip()}"}
    return json.loads(done.stdout)["kernels"][0]


# --- answers


def compare(
    outcome: Outcome, spec: Spec, arrays: upweave.Arrays, answer: upweave.Answer,
    about: dict[str, Any],
) -> Problem | None:
    for group, ours in (("inputs", arrays.inputs), ("parameters", arrays.parameters)):
        theirs = {tensor["name"]: tuple(tensor["shape"]) for tensor in about[group]}
        if list(theirs.items()) != [(name, array.shape) for name, array in ours.items()]:
            return f"the kernel's {group} are {theirs}", []
    factor = factor_of(about)
    numerics = spec.get("numerics", "default")
    if factor and factor > (NAMED if "schedule" in spec else FACTORS[numerics]):
        return f"an algorithm of factor {factor} in class {numerics}", [about["schedule"]]
    outcome.notes[f"{spec['op']}: {about['schedule'].partition(':')[0]}"] += 1
    assert answer.y is not None
    problem = judge(outcome, spec, answer.y, oracle.expected(spec, arrays, factor))
    if problem is None and arrays.other_x is not None:
        assert answer.other_y is not None
        problem = misplaced(spec, arrays, (answer.y, answer.other_y), factor is not None)
        outcome.notes["an odd element reaches only what uses it"] += problem is None
    if problem:
        problem[1].append(f"schedule: {about['schedule']}")
    return problem


def judge(
    outcome: Outcome, spec: Spec, y: np.ndarray, expected: oracle.Expected
) -> Problem | None:
    dtype = cases.dtype_of(spec)
    problem = suite.other_storage(y, expected.want, dtype)
    if problem:
        return problem
    outcome.notes[f"compared: {dtype.name} {spec.get('numerics', 'default')}"] += 1
    return suite.beyond_bound(storage.values(y, dtype), expected.want, expected.bound)


def misplaced(
    spec: Spec, arrays: upweave.Arrays, ys: tuple[np.ndarray, np.ndarray], winograd: bool
) -> Problem | None:
    """Whether a NaN or an infinity changes an output that does not use it, or not one that does."""
    assert arrays.other_x is not None
    before, after = ys
    used = oracle.users(spec, arrays.inputs["x"], arrays.other_x)
    spared = ~(oracle.in_tiles(spec, used) if winograd else used)
    changed = storage.bits(before) != storage.bits(after)
    if (changed & spared).any():
        place = tuple(int(at) for at in np.argwhere(changed & spared)[0])
        return "what is not finite reaches an output that does not use it", [
            f"first y{list(place)}: {before[place]!r}, then {after[place]!r}"]
    got = storage.values(after, cases.dtype_of(spec))
    with np.errstate(all="ignore"):
        want = oracle.with_odd_element(spec, arrays)
    if winograd:  # infinities may cancel in a tile
        wrong = used & ~np.isfinite(want) & np.isfinite(got)
    else:
        wrong = used & ~np.isfinite(want) & ~((got == want) | (np.isnan(got) & np.isnan(want)))
    if wrong.any():
        place = tuple(int(at) for at in np.argwhere(wrong)[0])
        return "what is not finite is lost", [
            f"first y{list(place)}: got {got[place]!r}, want {want[place]!r}"]
    return None


def batches(op: str, options: Options) -> list[Batch]:
    operator = suite.Operator(
        op, functools.partial(conv_draw.valid, op), functools.partial(conv_arguments.arguments, op),
        cases.data, compare, oracle.refusal, with_schedules)
    return suite.batches(operator, options)
