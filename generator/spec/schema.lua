-- SPDX-License-Identifier: MIT
-- Schema of what all kernels share.
--
-- Purpose: the fields of a kernel beside its operator's attributes, in the form of attributes, so
-- that validation, flags and documentation have one source.
-- Invariant: ordered lists only. `reserved` keys belong to the spec language, but this
-- version cannot build them.

local M = {}

--- The operator is found before anything else is read.
M.op = {
  name = "op",
  kind = "text",
  doc = "the operator; interpolate1d, … check the rank of x",
}

--- The framework is known before its rules are applied.
M.profile = {
  name = "profile",
  kind = "enum",
  values = { "torch", "onnx", "tflite", "paddle" },
  default = "torch",
  doc = "the framework whose rules and defaults hold; torch is PyTorch 2.13 on the CPU, onnx the"
    .. " reference evaluator of onnx 1.22.0",
}

--- Fields of every kernel.
M.common = {
  { name = "note", kind = "text", doc = "free text, kept in the head of the output" },
  M.profile,
  {
    name = "coord_math",
    kind = "enum",
    values = { "framework", "exact" },
    default = "framework",
    doc = "coordinates in the framework's arithmetic or in rational numbers; torch: float32, double"
      .. " for f64 and u8; onnx: double; tflite, paddle: float32",
  },
  {
    name = "numerics",
    kind = "enum",
    values = { "strict", "default", "fast" },
    default = "default",
    doc = "which algorithms may be chosen, by their error",
  },
  { name = "schedule", kind = "text", doc = "strategy:knob=value,…; otherwise chosen for you" },
}

--- The keys of a tensor.
M.tensor = { "shape", "layout", "dtype" }

--- Keys of kernels in general that no operator of this version takes.
M.reserved_keys = { "post" }

--- A layout that leaves the choice to the tuner; the shape stands in the order of the first one.
M.open_layout = "any"

--- The fields whose value may be given for all kernels beside a spec.
M.overridable = { "numerics", "profile", "layout", "schedule" }

return M
