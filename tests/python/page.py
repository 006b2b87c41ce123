# SPDX-License-Identifier: MIT
"""The commands and programs of docs/python.md, and the program of README.md, work as they stand.

The shell's lines run without a shell, in an empty folder beside links to the checkout; the blocks
of Python run there in order, in one namespace. What a line prints is the comment behind it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str, languages: str) -> list[tuple[str, str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```({languages})\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def said(block: str) -> list[str]:
    """The comments behind a block's calls of print."""
    return re.findall(r"print\(.*\)\s+# (.*)$", block, re.MULTILINE)


class Page(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        for name in ("bin", "examples"):
            os.symlink(ROOT / name, name)

    def test_page(self) -> None:
        names, skipped = {}, []
        for language, block in blocks("docs/python.md", r"\w+") + blocks("README.md", "python"):
            if language == "sh":
                for line in block.splitlines():
                    subprocess.run(shlex.split(line), check=True, capture_output=True, timeout=300)
            elif "torch" in block and importlib.util.find_spec("torch") is None:
                skipped.append(block)
            else:
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    exec(block, names)
                self.assertEqual(printed.getvalue().splitlines(), said(block))
        if skipped:
            self.skipTest(f"{len(skipped)} of the examples: torch is not installed")
