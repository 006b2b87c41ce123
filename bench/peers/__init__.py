# SPDX-License-Identifier: MIT
"""Comparison with other libraries; `make bench-peers`."""
