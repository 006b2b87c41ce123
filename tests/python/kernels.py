# SPDX-License-Identifier: MIT
"""Built kernels called from Python: by name, on buffers, numpy arrays and torch tensors."""

from __future__ import annotations

import array
import struct
import subprocess
import tempfile
import unittest
import warnings
from pathlib import Path

import upweave

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
    from torch._subclasses import FakeTensorMode
except ImportError:
    torch = None

ROOT = Path(__file__).resolve().parents[2]
SPEC = """
kernel "planar" { op = "interpolate", x = tensor { 2, 3, 4, 5 },
                  mode = "bilinear", scale_factor = 2 }
kernel "interleaved" { op = "interpolate", x = tensor { 2, 4, 5, 3, layout = "NHWC" },
                       mode = "bilinear", scale_factor = 2 }
kernel "sound" { op = "interpolate", x = tensor { 1, 6, 2, layout = "NWC" },
                 mode = "nearest", size = 9 }
kernel "wide" { op = "interpolate", x = tensor { 1, 1, 3, 3, dtype = "f64" },
                mode = "bilinear", size = 7 }
kernel "half" { op = "interpolate", x = tensor { 1, 1, 3, 3, dtype = "f16" },
                mode = "bilinear", size = 7 }
kernel "brain" { op = "interpolate", x = tensor { 1, 1, 3, 3, dtype = "bf16" },
                 mode = "bilinear", size = 7 }
kernel "bytes" { op = "interpolate", x = tensor { 1, 1, 3, 3, dtype = "u8" },
                 mode = "bilinear", size = 7 }
kernel "weighted" { op = "conv", x = tensor { 1, 5, 6, 3, layout = "NHWC" }, out_channels = 4,
                    kernel_size = 3, padding = 1, post = { "batch_norm", "add", "relu" } }
kernel "single" { op = "conv", x = tensor { 1, 1, 1, 2, dtype = "f64" }, out_channels = 1,
                  kernel_size = 1 }
kernel "baked" { op = "conv", x = tensor { 1, 1, 1, 2, dtype = "f64" }, out_channels = 1,
                 kernel_size = 1, weight = npy "weight.npy", bias = npy "bias.npy" }
kernel "woven" { op = "conv_transpose", x = tensor { 2, 4, 5, 6, layout = "NHWC", dtype = "f16" },
                 out_channels = 3, kernel_size = 4, stride = 2, padding = 1, bias = false }
"""
NAMES = ["baked", "brain", "bytes", "half", "interleaved", "planar", "single", "sound", "weighted",
         "wide", "woven"]


def write_npy(path: Path, shape: str, value: float) -> None:
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head
                     + struct.pack("<d", value))


def setUpModule() -> None:
    global folder, lib
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    spec = Path(folder.name) / "several.lua"
    spec.write_text(SPEC, encoding="utf-8")
    write_npy(spec.with_name("weight.npy"), "(1, 1, 1, 1)", 3)
    write_npy(spec.with_name("bias.npy"), "(1,)", 0.5)
    command = [ROOT / "bin" / "upweave", "build", spec, "-o", folder.name, "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr)
    lib = upweave.load(Path(folder.name) / "libseveral.so")


class Case(unittest.TestCase):
    def refused(self, kernel, text, *arguments, **options):
        with self.assertRaises(upweave.Error) as caught:
            kernel(*arguments, **options)
        self.assertEqual(str(caught.exception), f"{kernel.name}: {text}")


class Libraries(unittest.TestCase):
    def test_names(self):
        self.assertEqual(lib.kernels(), NAMES)
        self.assertTrue(set(NAMES) <= set(dir(lib)))
        self.assertIs(lib.planar, lib["planar"])
        self.assertFalse(hasattr(lib, "other"))
        with self.assertRaisesRegex(upweave.Error, "there is no kernel 'other'$"):
            lib["other"]

    def test_files_that_are_no_library(self):
        for name, data in (("no.so", None), ("text.so", b"text"), ("cut.so", b"\x7fELF\2\1" * 20)):
            path = Path(folder.name) / name
            if data:
                path.write_bytes(data)
            with self.subTest(name), self.assertRaisesRegex(upweave.Error, "cannot load"):
                upweave.load(path)

    def test_damaged_after_loading(self):
        for cut in (64, 70, 1000):
            path = Path(folder.name) / f"cut{cut}.so"
            whole = (Path(folder.name) / "libseveral.so").read_bytes()
            path.write_bytes(whole)
            copy = upweave.load(path)
            path.unlink()  # the loaded one stays
            path.write_bytes(whole[:cut])
            with self.subTest(cut), self.assertRaisesRegex(upweave.Error, "names cannot be listed"):
                copy.kernels()


class Buffers(Case):
    def test_bilinear(self):
        x = array.array("f", range(120))
        y = lib.planar(x)
        self.assertEqual((y.shape, y[0, 0, 0, 1], y[1, 2, 7, 9]), ((2, 3, 8, 10), 0.25, 119.0))
        self.assertEqual(lib.planar(x, threads=3), y)

    def test_element_types(self):
        codes = {"wide": "d", "half": "e", "bytes": "B"}
        for name, code in codes.items():
            with self.subTest(name):
                y = lib[name](struct.pack(f"9{code}", *range(0, 90, 10))).tobytes()
                values = struct.unpack(f"49{code}", y)
                self.assertEqual((values[0], values[24], values[48]), (0, 40, 80))


    def test_parameters(self):
        kernel = lib.single
        packed = kernel.pack(array.array("d", [3]), array.array("d", [0.5]))
        self.assertEqual(kernel.packed_bytes, len(packed))
        y = kernel(array.array("d", [1, -2]), packed=packed)
        self.assertEqual(y.tolist(), [[[[3.5, -5.5]]]])

    def test_parameters_that_are_baked(self):
        self.assertEqual(lib.baked.packed_bytes, 0)
        y = lib.baked(array.array("d", [1, -2]))
        self.assertEqual(y.tolist(), [[[[3.5, -5.5]]]])
        with self.assertRaises(upweave.Error):
            lib.baked.pack(array.array("d", [3]), array.array("d", [0.5]))

    def test_parameters_that_are_missing(self):
        x, one = array.array("d", [1, 2]), array.array("d", [3])
        self.refused(lib.single, "packed: missing: what pack() makes of the parameters", x)
        self.refused(lib.single, "packed: expected by name: packed=…", x, one)
        self.refused(lib.planar, "packed: the kernel has no parameters",
                     array.array("f", range(120)), packed=one)
        with self.assertRaisesRegex(upweave.Error, r"expected 2 \(weight, bias\), got 1$"):
            lib.single.pack(one)
        with self.assertRaisesRegex(upweave.Error, r"inputs: expected 2 \(x, residual\), got 1$"):
            lib.weighted(x, packed=one)


@unittest.skipIf(numpy is None, "numpy is not installed")
class Numpy(Case):
    def test_layouts(self):
        x = numpy.random.default_rng(1).random((2, 3, 4, 5), numpy.float32)
        y = lib.planar(x)
        self.assertIsInstance(y, numpy.ndarray)
        self.assertEqual((y.dtype, y.shape), (numpy.float32, (2, 3, 8, 10)))
        last = lib.interleaved(numpy.ascontiguousarray(x.transpose(0, 2, 3, 1)))
        self.assertEqual(last.shape, (2, 8, 10, 3))
        self.assertLess(abs(last.transpose(0, 3, 1, 2) - y).max(), 1e-6)

    def test_what_differs(self):
        x = numpy.zeros((2, 4, 5, 3), "f4")
        self.refused(lib.planar, "x: order in memory: expected contiguous, strides (60, 20, 5, 1), "
                     "got strides (60, 1, 15, 3)", x.transpose(0, 3, 1, 2))
        self.refused(lib.interleaved, "x: dtype: expected f32, got f32 of the other byte order",
                     x.astype(x.dtype.newbyteorder()))
        y = numpy.zeros((2, 8, 10, 3), "f4")
        y.flags.writeable = False
        self.refused(lib.interleaved, "y: read-only, but the kernel writes it", x, out=y)
        x.flags.writeable = False
        self.assertEqual(lib.interleaved(x).max(), 0)

    def test_unaligned(self):
        raw = numpy.zeros(4 * 120 + 1, "u1")[1:].view("f4").reshape(2, 3, 4, 5)
        with self.assertRaisesRegex(upweave.Error, "alignment: expected a multiple of 4"):
            lib.planar(raw)


@unittest.skipIf(torch is None, "torch is not installed")
class Torch(Case):
    def setUp(self):
        torch.manual_seed(1)
        self.x = torch.rand(2, 3, 4, 5)
        self.want = torch.nn.functional.interpolate(self.x, scale_factor=2, mode="bilinear")
        self.last = self.x.contiguous(memory_format=torch.channels_last)

    def test_planar(self):
        y = lib.planar(self.x)
        self.assertTrue(y.is_contiguous())
        torch.testing.assert_close(y, self.want)

    def test_channels_last(self):
        y = lib.interleaved(self.last)
        self.assertEqual(y.shape, self.want.shape)
        self.assertTrue(y.is_contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(y, self.want)
        out = torch.empty_like(y)
        self.assertIs(lib.interleaved(self.last, out=out, threads=2), out)
        self.assertTrue(torch.equal(out, y))
        picture = self.x.permute(0, 2, 3, 1).contiguous()
        self.assertTrue(torch.equal(lib.interleaved(picture.permute(0, 3, 1, 2)), y))

    def test_one_axis(self):
        x = torch.arange(12.0).reshape(1, 6, 2).permute(0, 2, 1)
        want = torch.nn.functional.interpolate(x, size=9, mode="nearest")
        self.assertTrue(torch.equal(lib.sound(x), want))

    def test_parameters(self):
        x, residual = torch.rand(1, 3, 5, 6), torch.rand(1, 4, 5, 6)
        conv, norm = torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4).eval()
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            torch.nn.init.uniform_(tensor.data, 0.5, 2)
        with torch.no_grad():
            want = torch.relu(norm(conv(x)) + residual)
            packed = lib.weighted.pack(conv.weight, conv.bias, norm.weight, norm.bias,
                                       norm.running_mean, norm.running_var)
            x, residual = (t.contiguous(memory_format=torch.channels_last) for t in (x, residual))
            torch.testing.assert_close(lib.weighted(x, residual, packed=packed), want)
            bound = lib.weighted.bind(x, residual, packed=packed, threads=2)
            torch.testing.assert_close(bound(), want)

    def test_parameters_of_16_bits(self):
        x, weight = torch.rand(2, 6, 4, 5).half(), torch.rand(6, 3, 4, 4).half()
        want = torch.nn.functional.conv_transpose2d(x.float(), weight.float(), None, 2, 1).half()
        y = lib.woven(x.contiguous(memory_format=torch.channels_last),
                      packed=lib.woven.pack(weight))
        torch.testing.assert_close(y, want)
        with self.assertRaisesRegex(upweave.Error, "weight: order in memory: expected contiguous"):
            lib.woven.pack(weight.contiguous(memory_format=torch.channels_last))

    def test_element_types(self):
        kinds = {"wide": torch.float64, "half": torch.float16, "brain": torch.bfloat16,
                 "bytes": torch.uint8}
        for name, dtype in kinds.items():
            with self.subTest(name):
                x = (torch.arange(9) * 25).reshape(1, 1, 3, 3).to(dtype)
                want = torch.nn.functional.interpolate(x, size=7, mode="bilinear")
                torch.testing.assert_close(lib[name](x), want)

    def test_what_differs(self):
        self.refused(lib.interleaved, "x: order in memory: expected channels-last, strides "
                     "(60, 1, 15, 3), got strides (60, 20, 5, 1)", self.x)
        self.refused(lib.interleaved, "x: shape: expected (2, 3, 4, 5), got (2, 4, 5, 3)",
                     torch.zeros(2, 4, 5, 3))
        self.refused(lib.planar, "x: dtype: expected f32, got complex64",
                     self.x.to(torch.complex64))
        self.refused(lib.planar, "x: expected a dense tensor on the CPU, got torch.strided on meta",
                     self.x.to("meta"))

    def test_gradients(self):
        self.x.requires_grad_()
        self.refused(lib.planar,
                     "x: requires a gradient, which kernels do not record: use .detach()", self.x)
        with torch.no_grad():
            torch.testing.assert_close(lib.planar(self.x), self.want)
        torch.testing.assert_close(lib.planar(self.x.detach()), self.want)

    def test_what_memory_does_not_hold(self):
        negated = torch._neg_view(self.x)
        self.refused(lib.planar, "x: negated or conjugated, but not yet in memory: "
                     "use .resolve_neg()", negated)
        torch.testing.assert_close(lib.planar(negated.resolve_neg()), -self.want)
        with FakeTensorMode() as mode, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.refused(lib.planar, "x: memory: there is none behind it",
                         mode.from_tensor(self.x))
