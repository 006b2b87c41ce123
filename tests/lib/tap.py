# SPDX-License-Identifier: MIT
"""TAP producer for tests in Python: tap.py FILE runs the unittest cases of FILE under prove.

Invariants: one line a test on stdout, diagnostics as comments, the plan last; exit 1 if a test
failed. Run from the root of the checkout; nothing is written there, not even compiled modules.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class TapResult(unittest.TestResult):
    lines = 0  # of our own: what skips or fails a whole class is no test to unittest

    def _line(self, outcome: str, test: unittest.TestCase, note: str = "") -> None:
        self.lines += 1
        name = test.id().split(".", 1)[-1].replace("#", " ")
        print(f"{outcome} {self.lines} - {name}{note}", flush=True)

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.failed_part = False

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._line("ok", test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._line("ok", test, f" # SKIP {reason}")

    def _failed(self, test: unittest.TestCase, error: tuple) -> None:
        self._line("not ok", test)
        print("# " + self._exc_info_to_string(error, test).rstrip().replace("\n", "\n# "))

    def addFailure(self, test: unittest.TestCase, err: tuple) -> None:
        super().addFailure(test, err)
        self._failed(test, err)

    def addError(self, test: unittest.TestCase, err: tuple) -> None:
        super().addError(test, err)
        self._failed(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: tuple) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None and not self.failed_part:
            self.failed_part = True
            self._failed(test, err)


def main() -> None:
    path = Path(sys.argv[1])
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(ROOT / "runtime" / "python"), str(ROOT / "tests" / "lib")]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    result = TapResult()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    print(f"1..{result.lines}")
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
