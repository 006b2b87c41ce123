# SPDX-License-Identifier: MIT
"""Conformance with live PyTorch: random specs, built by bin/upweave, compared element by element.

Started by tests/conformance/run in a Python that has torch and numpy. TAP on stdout, a last plain
line `N passed, N failed`; progress on stderr. Exit 0 only if nothing failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

import interpolate
import interpolate_oracle
import selftest
import upweave
from report import Batch, Report

SUITES = {"interpolate": interpolate.batches}
SPECS = 2000
SEED = 1


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
    parser.add_argument("--case", type=int, help="only the spec of this index")
    parser.add_argument("--target", default=environment("TARGET", "native"))
    parser.add_argument("--work", type=Path, default=upweave.ROOT / "build" / "conformance",
                        help="folder for specs and libraries (default build/conformance)")
    parser.add_argument("--keep", action="store_true", help="keep what was built even if it passed")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--optional", action="store_true",
                        help="where there is nothing to compare with, say SKIP and pass")
    parser.add_argument("--self-test", action="store_true",
                        help="test this harness on stand-ins for kernels; builds nothing")
    return parser.parse_args()


def collect(given: argparse.Namespace) -> list[Batch]:
    options = interpolate.Options(given.count, given.seed, given.case, given.target, given.work,
                                  given.keep)
    if given.self_test:
        return selftest.batches(options)
    names = given.ops.replace(",", " ").split()
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        sys.exit(f"error: no such operator: {', '.join(unknown)}; there are: {', '.join(SUITES)}")
    return [batch for name in names for batch in SUITES[name](options)]


def check_arithmetic(given: argparse.Namespace) -> None:
    """Upweave follows PyTorch as it computes with FMA; without, its weights are others."""
    if interpolate_oracle.fused():
        return
    reason = "PyTorch computes without FMA here, so its weights are not those that Upweave follows"
    if given.optional:
        print(f"SKIP conformance: {reason}")
        sys.exit(0)
    sys.exit(f"error: conformance cannot run: {reason}")


def main() -> None:
    given = arguments()
    check_arithmetic(given)
    print(f"# PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, "
          f"seed {given.seed}, target {given.target}")
    report = Report(collect(given), given.quiet)
    sys.exit(0 if report.run() else 1)


if __name__ == "__main__":
    main()
