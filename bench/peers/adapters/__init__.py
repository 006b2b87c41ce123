# SPDX-License-Identifier: MIT
"""The peers: one module each, in the order in which tables list them.

A module has NAME, version(), and PREPARE, which has for each operator a function from a row to a
list of `Variant`s; it raises `Unfit` with the reason where the peer cannot do what the row asks.
To add a peer: a module here, a line below, its package in requirements.txt. To add an operator: a
function in the modules that have it.

Invariants: one thread each; memory of inputs, and of outputs where the peer's interface allows, is
made once; a Variant's call does nothing but the operator.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, NamedTuple

MODULES = ("pytorch", "onednn", "onnxruntime", "openvino", "opencv", "pillow", "ncnn")


class Unfit(Exception):
    """The peer has no such operator, layout or element type; the text says which."""


@dataclass
class Variant:
    """A way in which a peer can be called, and its result in the order of the row's memory.

    `result` holds on to the memory that `call` uses.
    """

    layout: str  # planar, interleaved, or what the peer calls its own
    call: Callable[[], Any]
    result: Callable[[], Any]


class Peers(NamedTuple):
    present: list[ModuleType]
    missing: dict[str, str]  # by name: why


def load(wanted: list[str]) -> Peers:
    peers = Peers([], {})
    for name in MODULES:
        if wanted and name not in wanted:
            continue
        try:
            peers.present.append(importlib.import_module(f".{name}", __package__))
        except (ImportError, OSError) as error:
            peers.missing[name] = str(error).splitlines()[0]
    return peers


def prepare(peer: ModuleType, row: Any) -> list[Variant]:
    """The peer's variants of a row; Unfit, or whatever the peer itself raises."""
    return peer.PREPARE[row.problem["op"]](row)
