# SPDX-License-Identifier: MIT
"""The parts of the module upweave: descriptions, memory, calls, symbols of a library."""
