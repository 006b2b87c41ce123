# SPDX-License-Identifier: MIT
"""Names of the variables that a shared library exports; ctypes can look names up but not list them.

Invariant: the file is read, never changed; one that is cut short or of another kind is an Error.
"""

from __future__ import annotations

import mmap
import struct
import sys
from typing import Iterator

from .description import Error

DYNAMIC_SYMBOLS = 11  # kind of a section
VARIABLE = 1  # kind of a symbol
ORDER = b"\x01" if sys.byteorder == "little" else b"\x02"


def variables(path: str) -> list[str]:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as elf:
        if elf[:6] != b"\x7fELF\x02" + ORDER:
            raise Error(f"{path}: no 64-bit ELF file of this machine: names cannot be listed")
        try:
            return sorted(_dynamic(elf))
        except (struct.error, IndexError, UnicodeDecodeError):
            raise Error(f"{path}: the file is damaged: names cannot be listed") from None


def _dynamic(elf: mmap.mmap) -> Iterator[str]:
    table, = struct.unpack_from("=Q", elf, 40)
    size, count = struct.unpack_from("=HH", elf, 58)
    # Of a section: its kind, place, length, and the section with its texts.
    sections = [struct.unpack_from("=4xI16xQQI", elf, table + size * at) for at in range(count)]
    for kind, place, length, link in sections:
        if kind == DYNAMIC_SYMBOLS:
            texts = sections[link][1]
            for name, info, section in struct.iter_unpack("=IBxH16x", elf[place : place + length]):
                if section != 0 and info & 15 == VARIABLE:
                    yield elf[texts + name : elf.find(b"\0", texts + name)].decode()
