# SPDX-License-Identifier: MIT
"""Conformance with live PyTorch: random specs, built by bin/upweave, compared element by element.

Started by tests/conformance/run in a Python that has torch and numpy. TAP on stdout, a last plain
line `N passed, N failed`; progress on stderr. Exit 0 only if nothing failed.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Iterable

import numpy as np
import torch

import conv
import conv_selftest
import interpolate
import interpolate_axes
import selftest
import suite
import upweave
from report import Batch, Report
from storage import DTYPES

SUITES = {
    "interpolate": interpolate.batches,
    "conv": functools.partial(conv.batches, "conv"),
    "conv_transpose": functools.partial(conv.batches, "conv_transpose"),
}
SUBJECTS = {
    "interpolate": selftest.INTERPOLATE,
    "conv": conv_selftest.subject("conv"),
    "conv_transpose": conv_selftest.subject("conv_transpose"),
}
SPECS = 3000
SEED = 1
SELF_TEST = 100  # specs by which every run first tests the harness


def environment(name: str, default: str) -> str:
    """An empty variable is an absent one: make passes those on."""
    return os.environ.get(name) or default


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/conformance/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", default=environment("OPS", ",".join(SUITES)),
                        help="operators, separated by commas or spaces (default: all)")
    parser.add_argument("-n", "--count", type=int, default=int(environment("N", str(SPECS))),
                        help=f"specs of each operator (default {SPECS})")
    parser.add_argument("--seed", type=int, default=int(environment("SEED", str(SEED))),
                        help=f"decides all random choices (default {SEED})")
    parser.add_argument("--dtypes", default=environment("DTYPES", ",".join(DTYPES)),
                        help="element types, separated by commas (default: all)")
    parser.add_argument("--case", type=int, help="only the spec of this index")
    parser.add_argument("--target", default=environment("TARGET", "native"))
    parser.add_argument("--work", type=Path, default=upweave.ROOT / "build" / "conformance",
                        help="folder for specs and libraries (default build/conformance)")
    parser.add_argument("--keep", action="store_true", help="keep what was built even if it passed")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--optional", action="store_true",
                        help="where there is nothing to compare with, say SKIP and pass")
    parser.add_argument("--self-test", action="store_true",
                        help="only test this harness, on stand-ins for kernels; builds nothing")
    return parser.parse_args()


def words(text: str, known: Iterable[str], what: str) -> list[str]:
    """The names of a list, all of them known."""
    names = text.replace(",", " ").split()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        sys.exit(f"error: no such {what}: {', '.join(unknown)}; there are: {', '.join(known)}")
    return names


def collect(given: argparse.Namespace) -> list[Batch]:
    dtypes = words(given.dtypes, DTYPES, "dtype")
    options = suite.Options(given.count, given.seed, tuple(dtypes), given.case, given.target,
                                  given.work, given.keep)
    if given.self_test:
        return self_tests(list(SUITES), options)
    names = words(given.ops, SUITES, "operator")
    found = [batch for name in names for batch in SUITES[name](options)]
    if given.case is not None:
        return found
    return [*self_tests(names, replace(options, count=min(options.count, SELF_TEST))), *found]


def self_tests(names: list[str], options: suite.Options) -> list[Batch]:
    return [batch for name in names for batch in selftest.batches(SUBJECTS[name], options)]


def check_arithmetic(given: argparse.Namespace) -> None:
    """Upweave follows PyTorch as it computes with FMA; without, its weights are others.

    f64 sums are compared with extended precision, which is numpy's longdouble on x86 and Linux.
    """
    if not interpolate_axes.fused():
        reason = ("PyTorch computes without FMA here, "
                  "so its weights are not those that Upweave follows")
    elif np.finfo(np.longdouble).nmant < 63:
        reason = "numpy has no extended precision here to compare f64 with"
    else:
        return
    if given.optional:
        print(f"SKIP conformance: {reason}")
        sys.exit(0)
    sys.exit(f"error: conformance cannot run: {reason}")


def main() -> None:
    given = arguments()
    torch.set_num_threads(max(2, torch.get_num_threads()))  # one takes other paths for RGB
    check_arithmetic(given)
    print(f"# PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, "
          f"seed {given.seed}, target {given.target}")
    report = Report(collect(given), given.quiet)
    sys.exit(0 if report.run() else 1)


if __name__ == "__main__":
    main()
