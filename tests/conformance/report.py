# SPDX-License-Identifier: MIT
"""What the suites hand to main.py, and its TAP: one line a batch, failures with their repetition.

TAP goes to stdout, progress to stderr. A batch is one test; what it counts are its specs.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Iterable

SHOWN_FAILURES = 12  # in full; further ones are counted


class HarnessError(Exception):
    """The expectation itself is wrong: the harness is at fault, not the kernel."""


@dataclass
class Failure:
    """One mismatch: its title and the lines that let somebody repeat it."""

    title: str
    details: list[str]


@dataclass
class Outcome:
    """What a batch found: specs that passed, failures, and notes counted over the whole run."""

    passed: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def fail(self, title: str, details: Iterable[str]) -> None:
        self.failures.append(Failure(title, list(details)))


@dataclass
class Batch:
    """A unit of work: how many specs it tests, and the function that does it."""

    title: str
    specs: int
    run: Callable[[], Outcome]


def duration(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Report:
    """Runs batches, prints TAP, keeps the totals."""

    def __init__(self, batches: list[Batch], quiet: bool) -> None:
        self.batches = batches
        self.quiet = quiet
        self.passed = 0
        self.failed = 0
        self.notes: Counter[str] = Counter()
        self.started = time.monotonic()

    def run(self) -> bool:
        """True if everything passed."""
        print(f"1..{len(self.batches)}", flush=True)
        total = sum(batch.specs for batch in self.batches)
        done = 0
        for number, batch in enumerate(self.batches, 1):
            self._batch(number, batch)
            done += batch.specs
            self._progress(done, total)
        for note, count in sorted(self.notes.items()):
            print(f"# {count} × {note}")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return self.failed == 0

    def _batch(self, number: int, batch: Batch) -> None:
        outcome = batch.run()
        failed = len(outcome.failures)
        verdict = "not ok" if failed else "ok"
        print(f"{verdict} {number} - {batch.title}: {outcome.passed} passed, {failed} failed")
        for failure in outcome.failures:
            self._failure(failure)
        self.passed += outcome.passed
        self.notes.update(outcome.notes)
        sys.stdout.flush()

    def _failure(self, failure: Failure) -> None:
        self.failed += 1
        if self.failed > SHOWN_FAILURES:
            print(f"# {failure.title}")
            return
        print(f"# --- {failure.title}")
        for line in "\n".join(failure.details).splitlines():
            print(f"#     {line}")

    def _progress(self, done: int, total: int) -> None:
        if self.quiet or done == 0:
            return
        spent = time.monotonic() - self.started
        left = spent / done * (total - done)
        print(
            f"conformance: {done}/{total} specs, {self.failed} failed, "
            f"{duration(spent)} gone, about {duration(left)} left",
            file=sys.stderr,
            flush=True,
        )
