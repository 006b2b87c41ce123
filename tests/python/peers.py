# SPDX-License-Identifier: MIT
"""What bench/peers makes of its times: ratios, who is slower, means, tables. No peer is needed."""

from __future__ import annotations

import math
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.peers import measure, report, results  # noqa: E402
from bench.peers.convolution import convolution  # noqa: E402
from bench.peers.measure import Figure  # noqa: E402
from bench.peers.results import Result  # noqa: E402


def result(row, peer, ours, theirs, spread=0.01, peer_layout=None, dtype="f32",
           kind="interpolate"):
    workload, layout = row.rsplit("_", 1)
    return Result(row, kind, workload, layout, dtype, "nearest ×2", peer, peer_layout or layout,
                  Figure(ours, spread), Figure(theirs, spread), Figure(theirs / ours, spread), 0.0)


class Measure(unittest.TestCase):
    def test_figure(self):
        self.assertEqual(measure.figure([4, 1, 3, 2, 5]), Figure(3, 1 / 3))

    def test_calls_take_turns(self):
        order = []
        pairs = [measure.Pair(measure.Timed(lambda: order.append("us")),
                              measure.Timed(lambda at=at: order.append(at))) for at in range(2)]
        measure.BATCH_NS, keep = 0, measure.BATCH_NS
        self.addCleanup(setattr, measure, "BATCH_NS", keep)
        clock = measure.Clock()
        measure.run(pairs, 0, clock)
        self.assertGreater(clock.wall, 0)
        self.assertEqual([len(pair.ratios) for pair in pairs], [5, 5])
        timed = order[8:]  # two untimed calls of each came first
        rounds = [timed[at : at + 8] for at in range(0, len(timed), 8)]
        first, second = ["us", "us", 0, 0], ["us", "us", 1, 1]
        self.assertEqual(rounds, [first + second, second + first] * 2 + [first + second])


    def test_time_that_others_took(self):
        self.assertAlmostEqual(measure.Clock(10, 9).taken, 0.1)
        self.assertEqual((measure.Clock(10, 11).taken, measure.Clock().taken), (0, 0))


class Convolutions(unittest.TestCase):
    def test_what_a_row_asks(self):
        asked = convolution({
            "op": "conv_transpose", "x": {"shape": [1, 5, 6, 8], "layout": "NHWC"}, "groups": 2,
            "out_channels": 4, "kernel_size": [3, 4], "stride": [2, 2], "dilation": [1, 1],
            "padding": [0, 1, 0, 2], "output_padding": [1, 0], "numerics": "strict"})
        self.assertEqual((asked.channels, asked.begins, asked.ends), (8, [0, 1], [0, 2]))
        self.assertEqual((asked.to_planar, asked.from_planar), ([0, 3, 1, 2], [0, 2, 3, 1]))
        self.assertEqual(
            asked.title, "transposed convolution 3×4, 8 → 4 channels, stride 2, padding 0×1, "
            "output_padding 1×0, groups 2, strict")

    def test_planar_is_as_it_is(self):
        asked = convolution({
            "op": "conv", "x": {"shape": [1, 3, 9], "layout": "NCW"}, "out_channels": 4,
            "kernel_size": [5], "stride": [1], "dilation": [1], "padding": [2, 2], "groups": 1,
            "numerics": "default"})
        self.assertEqual((asked.to_planar, asked.from_planar), ([0, 1, 2], [0, 1, 2]))
        self.assertEqual(asked.title, "convolution 5, 3 → 4 channels, padding 2, default")


class Results(unittest.TestCase):
    def test_slower_is_beyond_allowance_and_spread(self):
        for ours, theirs, spread, slower in (
                (100, 99, 0, False), (100, 96, 0, False), (100, 95, 0, True),
                (100, 90, 0.05, True), (100, 92, 0.05, False), (100, 200, 0, False)):
            with self.subTest(theirs):
                self.assertEqual(result("u_planar", "P", ours, theirs, spread).slower, slower)

    def test_best_of_all_layouts(self):
        some = [result("u1_planar", "A", 10, 40), result("u1_planar", "B", 11, 30),
                result("u1_interleaved", "A", 20, 9), result("u2_planar", "A", 1, 2)]
        first, second = results.best(some)
        self.assertEqual((first.ours_layout, first.peer, first.peer_layout, first.slower),
                         ("planar", "A", "interleaved", True))
        self.assertEqual((second.workload, second.ratio, second.slower), ("u2", 2, False))

    def test_means_count_one_kind_layout_and_element_type(self):
        some = [result("u1_planar", "A", 1, 2), result("u2_planar", "A", 1, 8),
                result("u3_planar", "A", 1, 100, peer_layout="blocks of 16"),
                result("u4_planar", "A", 1, 100, dtype="f16"),
                result("u1_interleaved", "A", 1, 100),
                result("c1_planar", "A", 1, 9, kind="conv default"),
                result("c1_strict_planar", "A", 1, 5, kind="conv strict"),
                result("c2_strict_planar", "A", 1, 5, kind="conv strict")]
        mean, count = results.geometric_mean(some[:4:3], "A", "planar")
        self.assertAlmostEqual(mean, math.sqrt(200))
        self.assertEqual(count, 2)
        self.assertEqual(report.means(some), ["interpolate, f32, planar: 4.00× A (2)",
                                              "conv strict, f32, planar: 5.00× A (2)"])

    def test_families(self):
        some = [result("c1_planar", "A", 1, 9, kind="conv default"),
                result("t1_planar", "A", 1, 5, kind="conv_transpose strict"),
                result("u1_planar", "A", 1, 2)]
        resampling, convolutions = results.FAMILIES
        self.assertEqual(resampling.of(some), some[2:])
        self.assertEqual(convolutions.of(some), some[:2])
        page = report.page(some, [], [], [])
        self.assertLess(page.index("(peers.svg)"), page.index("| u1_planar"))
        self.assertLess(page.index("| u1_planar"), page.index("(peers-conv.svg)"))
        self.assertLess(page.index("(peers-conv.svg)"), page.index("| c1_planar"))

    def test_page(self):
        row = ("u1_planar", "interpolate", "u1", "planar", "f32", "nearest ×2")
        other = Result(*row, "C", difference=0.5)
        lacks = Result(*row, "D", reason="has none")
        some = [result("u1_planar", "A", 10, 5), other, lacks]
        page = report.page(some, ["Upweave 1"], ["A machine."], ["u9: no"])
        for line in ("| u1_planar | 10 ±1 % | 5 (0.50× ±1 %) **slower** | different | – |",
                     "- u1_planar: A, 0.50× ±1 %", "- C: largest difference 0.5 (u1_planar)",
                     "- D: has none (u1_planar)", "- u9: no", "- u1: nearest ×2"):
            self.assertIn(line + "\n", page)
        self.assertEqual(results.as_record(lacks)["reason"], "has none")
        self.assertEqual(results.as_record(some[0])["slower"], "yes")
