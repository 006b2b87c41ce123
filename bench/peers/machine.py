# SPDX-License-Identifier: MIT
"""What was measured on: the processor, its limits by `upweave bench`, and our compiler.

Invariant: no name of a machine, path or date.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from .rows import ROOT

# Two rows whose memory lies in different caches.
PROBES = (("u11_planar", "in the second-level cache"), ("u2_planar", "beyond it"))


def _model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "unknown processor"
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1].strip() if found else "unknown processor"


def _limit(name: str) -> dict | None:
    command = [ROOT / "bin/upweave", "bench", ROOT / "bench/workloads.json", "--only", name,
               "--seconds", "1", "--json", "-q", "--db", "/dev/null"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return json.loads(done.stdout)["results"][0] if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError, LookupError):
        return None


def describe(metadata: dict) -> list[str]:
    """Sentences; `metadata` is the .json beside one of the kernels."""
    clang = re.search(r"version (\S+)", metadata.get("compiler") or "")
    lines = [f"Processor: {_model()}; kernels for target {metadata['target']}, compiled by clang "
             f"{clang[1] if clang else '(unknown version)'}."]
    peak = None
    for name, place in PROBES:
        limit = _limit(name)
        if limit:
            peak = limit.get("fma_gflops") or peak
            size = (limit["in_bytes"] + limit["out_bytes"]) / 1024
            lines.append(f"One thread's limits over {size:,.0f} KB, {place}: reads "
                         f"{limit['read_gbs']:.0f} GB/s, writes {limit['write_gbs']:.0f} GB/s.")
    if peak:
        lines.append(f"Peak of fused multiply-adds: {peak:.0f} GFLOP/s.")
    return lines
