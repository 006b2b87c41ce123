# SPDX-License-Identifier: MIT
"""What the module upweave takes and refuses, told by kernels that only copy their bytes.

The kernels are made here, of the structures that a library would hold: no compiler is needed, and
there are operators with parameters, several outputs and every element type.
"""

from __future__ import annotations

import array
import ctypes
import threading
import time
import unittest

import upweave
from _upweave import description

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
except ImportError:
    torch = None

CODES = {name: code for code, name in description.DTYPES.items()}


class Fake:
    """A kernel of `tasks` tasks that copies input 0 to each output, adding what was packed."""

    def __init__(self, inputs, outputs, parameters=(), tasks=4, workspace=0, status=0, ranges=True):
        self.status, self.seen, self.nbytes = status, [], outputs[0].nbytes
        listed = [(0, one) for one in inputs] + [(1, one) for one in outputs]
        listed += [(2, one) for one in parameters]
        self.tensors = (description.TensorStruct * len(listed))(*(
            description.TensorStruct(one.name.encode(), one.layout.encode(), *CODES[one.dtype],
                                     role, len(one.shape), one.shape, one.nbytes)
            for role, one in listed))
        self.tasks, self.count, self.packed = tasks, len(outputs), 16 if parameters else 0
        # Kept here: ctypes' callbacks live as long as somebody in Python holds them.
        self.callbacks = (
            description.Run(self.run),
            description.Range(self.range) if ranges else description.Range(),
            description.Pack(self.pack) if parameters else description.Pack(),
        )
        struct = description.KernelStruct(
            1, len(listed), b"fake", b'{"op": "copy"}', self.tensors, self.packed, 64, workspace,
            64, tasks, *self.callbacks)
        self.kernel = upweave.Kernel(struct, self)

    def run(self, inputs, packed, outputs, workspace):
        return self.range(inputs, packed, outputs, workspace, 0, self.tasks)

    def range(self, inputs, packed, outputs, workspace, begin, end):
        self.seen.append((begin, end, workspace, threading.get_ident()))
        share = self.nbytes // max(self.tasks, 1)
        first, last = begin * share, self.nbytes if end == self.tasks else end * share
        more = ctypes.c_uint8.from_address(packed).value if packed else 0
        source = ctypes.cast(inputs, ctypes.POINTER(ctypes.c_void_p))[0]
        for at in range(self.count):
            target = ctypes.cast(outputs, ctypes.POINTER(ctypes.c_void_p))[at]
            for place in range(first, last):
                value = ctypes.c_uint8.from_address(source + place).value
                ctypes.c_uint8.from_address(target + place).value = value + more
        time.sleep(0.001)
        return self.status

    def pack(self, parameters, packed):
        weight = ctypes.cast(parameters, ctypes.POINTER(ctypes.c_void_p))[0]
        ctypes.memmove(packed, weight, 4)
        return self.status


def tensor(name, shape, layout="NCHW", dtype="f32"):
    count = 1
    for extent in shape:
        count *= extent
    return upweave.Tensor(name, dtype, shape, layout, count * CODES[dtype][1] // 8)


def copy(shape=(1, 2, 3, 4), layout="NCHW", dtype="f32", **options):
    return Fake([tensor("x", shape, layout, dtype)], [tensor("y", shape, layout, dtype)], **options)


class Case(unittest.TestCase):
    def refused(self, text, function, *arguments, **options):
        with self.assertRaises(upweave.Error) as caught:
            function(*arguments, **options)
        self.assertEqual(str(caught.exception), text)


class Buffers(Case):
    floats = array.array("f", range(24))

    def test_array(self):
        y = copy().kernel(self.floats)
        self.assertEqual((y.format, y.shape), ("f", (1, 2, 3, 4)))
        self.assertEqual(y.tobytes(), self.floats.tobytes())
        self.assertEqual(y[0, 1, 2, 3], 23)

    def test_bytes_stand_for_any_element_type(self):
        for dtype in CODES:
            with self.subTest(dtype):
                fake = copy(dtype=dtype)
                data = bytes(range(24 * CODES[dtype][1] // 8))
                self.assertEqual(fake.kernel(data).tobytes(), data)
                out = bytearray(len(data))
                self.assertIs(fake.kernel(bytearray(data), out=out), out)
                self.assertEqual(bytes(out), data)
                shaped = memoryview(fake.kernel(data))
                self.assertEqual(fake.kernel(shaped).tobytes(), data)

    def test_shape_of_a_memoryview(self):
        view = memoryview(self.floats).cast("B").cast("f", (1, 2, 4, 3))
        self.refused("fake: x: shape: expected (1, 2, 3, 4), got (1, 2, 4, 3)",
                     copy().kernel, view)

    def test_what_differs(self):
        kernel = copy().kernel
        self.refused("fake: x: dtype: expected f32, got f64; shape: expected (1, 2, 3, 4), "
                     "got (5,)", kernel, array.array("d", range(5)))
        self.refused("fake: x: dtype: expected f32, got i32; shape: expected (1, 2, 3, 4), got "
                     "(24,)", kernel, array.array("i", range(24)))
        self.refused("fake: x: expected contiguous memory, got strides of (8,) bytes", kernel,
                     memoryview(self.floats)[::2])
        self.refused("fake: x: expected a torch tensor, a numpy array or a buffer, got list",
                     kernel, [1.0])
        self.refused("fake: inputs: expected 1 (x), got 0", kernel)
        self.refused("fake: packed: the kernel has no parameters", kernel, self.floats, packed=b"1")

    def test_output_memory(self):
        kernel = copy().kernel
        self.refused("fake: y: read-only, but the kernel writes it", kernel, self.floats,
                     out=bytes(96))
        memory = bytearray(192)
        view = memoryview(memory)
        self.refused("fake: y: overlaps x in memory", kernel, view[:96], out=view[92:188])
        kernel(view[:96], out=view[96:])
        odd = upweave.aligned(128)[1:97]
        with self.assertRaisesRegex(upweave.Error, "^fake: y: alignment: expected a multiple of 4"):
            kernel(self.floats, out=odd)

    def test_memory_is_released(self):
        memory = bytearray(96)
        copy().kernel(memory, out=bytearray(96))
        memory.append(1)  # a BufferError if a view were left

    def test_empty_batch(self):
        kernel = copy(shape=(0, 2, 3, 4), tasks=0).kernel
        self.assertEqual(kernel(b"").nbytes, 0)
        self.assertEqual(kernel(b"", threads=3).nbytes, 0)


class Calls(Case):
    x = bytes(range(96))

    def test_description(self):
        kernel = copy().kernel
        self.assertEqual(repr(kernel),
                         "<upweave kernel fake: x 1x2x3x4 NCHW f32 -> y 1x2x3x4 NCHW f32>")
        self.assertEqual(kernel.spec, {"op": "copy"})
        self.assertEqual((kernel.tasks, kernel.workspace_bytes, kernel.packed_bytes), (4, 0, 0))
        self.assertEqual(kernel.inputs[0].itemsize, 4)

    def test_another_abi(self):
        struct = description.KernelStruct(2)
        self.refused("made for ABI 2; this module knows 1", upweave.Kernel, struct)

    def test_status(self):
        self.refused("fake: out of memory", copy(status=4).kernel, self.x)
        self.refused("fake: status 77", copy(status=77).kernel, self.x, threads=2)

    def test_threads_share_the_tasks(self):
        for threads in (1, 2, 3, 4, 9):
            with self.subTest(threads):
                fake = copy(workspace=100)
                self.assertEqual(fake.kernel(self.x, threads=threads).tobytes(), self.x)
                ranges = sorted(one[:2] for one in fake.seen)
                self.assertEqual(len(ranges), min(threads, 4))
                self.assertEqual([0, *(end for _, end in ranges)],
                                 [*(begin for begin, _ in ranges), 4])
                spaces = {one[2] for one in fake.seen}
                self.assertEqual(len(spaces), len(ranges))
                self.assertTrue(all(space % 64 == 0 for space in spaces))
        for wrong in (0, -1, 1.5, "2"):
            self.refused(f"fake: threads: expected a number from 1 on, got {wrong!r}",
                         copy().kernel, self.x, threads=wrong)

    def test_without_ranges_there_is_one_thread(self):
        fake = copy(ranges=False)
        self.assertEqual(fake.kernel(self.x, threads=3).tobytes(), self.x)
        self.assertEqual(len(fake.seen), 1)

    def test_calls_at_the_same_time_have_workspaces_of_their_own(self):
        fake = copy(workspace=100)
        start = threading.Barrier(4)

        def call():
            start.wait()
            for _ in range(5):
                self.assertEqual(fake.kernel(self.x).tobytes(), self.x)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for one in callers:
            one.start()
        for one in callers:
            one.join()
        self.assertEqual(len(fake.seen), 20)
        self.assertLessEqual(len({one[2] for one in fake.seen}), 4)

    def test_bound(self):
        x, y = bytearray(self.x), bytearray(96)
        call = copy().kernel.bind(x, out=y)
        x[0] = 200
        self.assertIs(call(), y)
        self.assertIs(call.result, y)
        self.assertEqual(y, x)

    def test_several_outputs(self):
        outputs = [tensor("y", (2, 12), ""), tensor("indices", (2, 12), "", "i32")]
        kernel = Fake([tensor("x", (2, 12), "")], outputs).kernel
        first, second = kernel(self.x)
        self.assertEqual((first.format, second.format), ("f", "i"))
        self.assertEqual(second.tobytes(), self.x)
        out = bytearray(96), bytearray(96)
        self.assertEqual(kernel(self.x, out=out), out)
        self.refused("fake: outputs: expected 2 (y, indices), got 1", kernel, self.x, out=out[:1])
        self.refused("fake: out: expected a sequence of 2", kernel, self.x, out=out[0])
        self.refused("fake: indices: overlaps y in memory", kernel, self.x, out=(out[0], out[0]))


class ElementTypes(Case):
    """Of other libraries; those of buffers are above."""

    def copied(self, names, array_of):
        for dtype, name in names.items():
            with self.subTest(name):
                x = array_of(name)
                y = copy(dtype=dtype).kernel(x)
                self.assertEqual((type(y), y.dtype, y.shape), (type(x), x.dtype, x.shape))
                self.assertTrue((y == x).all())

    @unittest.skipIf(numpy is None, "numpy is not installed")
    def test_numpy(self):
        names = {"f32": "f4", "f64": "f8", "f16": "f2", "bf16": "u2", "u8": "u1", "i8": "i1",
                 "i32": "i4", "i64": "i8"}
        self.copied(names, lambda name: numpy.arange(24).astype(name).reshape(1, 2, 3, 4))
        self.refused("fake: x: dtype: expected f16, got u16", copy(dtype="f16").kernel,
                     numpy.zeros((1, 2, 3, 4), "u2"))

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_torch(self):
        names = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16",
                 "u8": "uint8", "i8": "int8", "i32": "int32", "i64": "int64"}
        self.copied(names, lambda name: torch.arange(24).to(getattr(torch, name))
                    .reshape(1, 2, 3, 4))
        self.refused("fake: x: dtype: expected f16, got bf16", copy(dtype="f16").kernel,
                     torch.zeros(1, 2, 3, 4, dtype=torch.bfloat16))


class Parameters(Case):
    x = bytes(96)

    def kernel(self, **options):
        weight = tensor("weight", (1,), "")
        return Fake([tensor("x", (24,), "")], [tensor("y", (24,), "")], [weight], **options).kernel

    def test_pack(self):
        kernel = self.kernel()
        packed = kernel.pack(b"\5\0\0\0")
        self.assertEqual(len(packed), 16)
        self.assertEqual(kernel(self.x, packed=packed).tobytes(), b"\5" * 96)
        loaded = upweave.aligned(16)
        loaded[:] = bytes(packed)
        self.assertEqual(kernel(self.x, packed=loaded).tobytes(), b"\5" * 96)

    def test_what_differs(self):
        kernel = self.kernel()
        self.refused("fake: weight: shape: expected (1,), got (2,)", kernel.pack,
                     array.array("f", (1, 2)))
        self.refused("fake: parameters: expected 1 (weight), got 2", kernel.pack, b"1234", b"1234")
        self.refused("fake: packed: missing: what pack() makes of the parameters", kernel, self.x)
        self.refused("fake: packed: shape: expected (16,), got (3,)", kernel, self.x, packed=b"123")
        with self.assertRaisesRegex(upweave.Error, "alignment: expected a multiple of 64, got"):
            kernel(self.x, packed=upweave.aligned(32)[1:17])
        self.refused("fake: pack: out of memory", self.kernel(status=4).pack, b"1234")
        self.refused("fake: takes no parameters", copy().kernel.pack)
