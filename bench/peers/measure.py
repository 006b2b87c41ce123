# SPDX-License-Identifier: MIT
"""Times calls that take turns.

Invariants: everything timed together runs in one process on one CPU; a pair's two times of a round
are taken one right after the other, so that a machine that slows down slows both; before each timed
batch the call runs once untimed, so that its memory is warm.
"""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass, field
from typing import Callable

Call = Callable[[], object]

BATCH_NS = 300_000  # calls shorter than this are timed several at once
COLD_NS = 20_000_000  # calls longer than this fill the cache themselves
ROUNDS = (5, 201)  # at least, at most


@dataclass
class Timed:
    """A call and its times, in nanoseconds a call."""

    call: Call
    batch: int = 1
    times: list[float] = field(default_factory=list)

    def calibrate(self) -> float:
        """Chooses the batch; nanoseconds that a turn takes."""
        self.call()
        begin = time.perf_counter_ns()
        self.call()
        once = max(1, time.perf_counter_ns() - begin)
        self.batch = max(1, BATCH_NS // once)
        return once * (self.batch + 1)

    def turn(self) -> float:
        call, batch = self.call, range(self.batch)
        if not self.times or self.times[-1] < COLD_NS:
            call()
        begin = time.perf_counter_ns()
        for _ in batch:
            call()
        taken = (time.perf_counter_ns() - begin) / self.batch
        self.times.append(taken)
        return taken


@dataclass
class Figure:
    """A median and its spread: half the distance of the quartiles, as a share of the median."""

    median: float
    spread: float


def figure(samples: list[float]) -> Figure:
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Figure(median, (high - low) / 2 / median)


@dataclass
class Pair:
    """One of our calls and another's, with the ratios of their times: theirs over ours."""

    ours: Timed
    theirs: Timed
    ratios: list[float] = field(default_factory=list)

    def turn(self) -> None:
        ours = self.ours.turn()
        self.ratios.append(self.theirs.turn() / ours)


@dataclass
class Clock:
    """How long was measured, and how much of it this process really ran."""

    wall: float = 0.0
    ran: float = 0.0

    @property
    def taken(self) -> float:
        """The share of the time that other programs took. It does not hit all calls alike: one
        longer than a turn of the scheduler waits, a short one seldom does."""
        return max(0.0, 1 - self.ran / self.wall) if self.wall else 0.0


def run(pairs: list[Pair], seconds: float, clock: Clock) -> None:
    """Rounds over all pairs, for `seconds` a pair as far as the least number of rounds allows."""
    cost = sum(pair.ours.calibrate() + pair.theirs.calibrate() for pair in pairs)
    fitting = int(seconds * len(pairs) * 1e9 / cost) if pairs else 0
    rounds = max(ROUNDS[0], min(ROUNDS[1], fitting))
    gc.disable()
    wall, ran = time.perf_counter(), time.process_time()
    for at in range(rounds):
        turned = at % len(pairs) if pairs else 0
        for pair in pairs[turned:] + pairs[:turned]:
            pair.turn()
    clock.wall += time.perf_counter() - wall
    clock.ran += time.process_time() - ran
    gc.enable()
