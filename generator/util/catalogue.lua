-- SPDX-License-Identifier: MIT
-- Catalogue of diagnostics.
--
-- Purpose: every error that a user can see, in one place: its stable code, exit status and text;
-- those of the operators' rules stand in catalogue/operators.lua.
-- Layers name a code and give the fields that its templates mention; they never write such text
-- themselves.
-- Invariants: codes are never reused. The hundreds are a layer: 0 command line, files and spec,
-- 1 valid but not supported, 2 schedule, 3 toolchain, 5 verification, 6 measurement, 7 cache and
-- database, 8 target, 9 budget and faults of Upweave itself. `{field}` is replaced; a `because` or
-- `try` whose field is false is left out. Each code has a test of its exact text in tests/errors/.

local operators = require "upweave.util.catalogue.operators"

local USAGE <const>, SPEC <const>, UNSUPPORTED <const>, TOOLCHAIN <const> = 2, 3, 4, 5

local catalogue = {
  -- Command line.
  { code = "E001", exit = USAGE, message = "there is no verb `{verb}`", try = "{hint}" },
  {
    code = "E002", exit = USAGE,
    message = "there is no option `{option}`",
    because = "{reason}",
    try = "{hint}",
  },
  { code = "E003", exit = USAGE, message = "option `{option}` needs a value", try = "{hint}" },
  {
    code = "E004", exit = USAGE,
    message = "option `{option}` cannot be `{value}`",
    because = "it must be {expected}",
    try = "{hint}",
  },
  {
    code = "E005", exit = USAGE,
    message = "there is no target `{target}`",
    because = "the targets are {targets}",
    try = "{hint}",
  },
  { code = "E006", exit = USAGE, message = "`{verb}` needs {what}", try = "{hint}" },
  {
    code = "E007", exit = USAGE,
    message = "{first} and {second} exclude each other",
    try = "{hint}",
  },
  {
    code = "E008", exit = USAGE,
    message = "--only: no kernel's name matches {patterns}",
    because = "the spec has {names}",
    try = "{hint}",
  },
  {
    code = "E009", exit = USAGE,
    message = "targets {first} and {second} are of different machines",
    because = "one library, or one run, is for one machine: {arch} or {other_arch}",
    try = "a command for each",
  },

  -- Files.
  { code = "E010", exit = USAGE, message = "cannot read the file", because = "{reason}" },
  {
    code = "E011", exit = USAGE,
    message = "cannot write the output",
    because = "{reason}",
    try = "a folder that exists or can be made, with room on its disk",
  },
  {
    code = "E012", exit = USAGE,
    message = "{tensor}: the data file is missing",
    because = "`run --data DIR` reads DIR/<kernel>.<tensor>.npy: {reason}",
    try = "numpy.save(\"{file}\", array of shape {shape}, dtype {dtype})",
  },
  {
    code = "E013", exit = USAGE,
    message = "{tensor}: the data file does not fit the kernel",
    because = "{reason}",
    try = "an array of shape {shape}, dtype {dtype}, in C order",
  },
  {
    code = "E014", exit = USAGE,
    message = "a SPEC ends in .lua or .json",
    because = "its ending says how it is read",
  },

  -- Spec: reading.
  { code = "E020", exit = SPEC, message = "the Lua spec cannot be run", because = "{reason}" },
  {
    code = "E021", exit = SPEC,
    message = "the Lua spec exceeds a limit",
    because = "{reason}",
    try = "a spec that only lists kernels: loops over a few thousand are fine",
  },
  { code = "E022", exit = SPEC, message = "not JSON", because = "{reason}" },
  {
    code = "E023", exit = SPEC,
    message = "the spec is too large",
    because = "{reason}",
    try = "several smaller specs",
  },
  {
    code = "E024", exit = SPEC,
    message = "not an Upweave spec",
    because = "{reason}",
    try = '{"upweave": 1, "kernels": [{"name": …, "op": …, …}]}',
  },
  {
    code = "E025", exit = SPEC,
    message = "the spec has no kernel",
    try = 'kernel "up2x" { op = "interpolate", x = tensor { 1, 64, 112, 112 }, scale_factor = 2 }',
  },
  {
    code = "E026", exit = SPEC,
    message = "the name is already taken",
    because = "{first} takes it: functions, files and macros (in capitals) bear the kernel's name",
    try = 'name = "{free}"',
  },
  {
    code = "E027", exit = SPEC,
    message = "cannot be the name of a kernel",
    because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E028", exit = SPEC,
    message = "there is no operator {op}",
    because = "the operators are {ops}",
    try = "{hint}",
  },
  {
    code = "E029", exit = SPEC,
    message = "no such key",
    because = "{owner} has the keys {keys}",
    try = "{hint}",
  },
  { code = "E030", exit = SPEC, message = "is missing", because = "{reason}", try = "{hint}" },
  {
    code = "E031", exit = SPEC,
    message = "must be {expected}",
    because = "it is {got}",
    try = "{hint}",
  },
  { code = "E032", exit = SPEC, message = "must be one of {values}", try = "{hint}" },
  {
    code = "E033", exit = SPEC,
    message = "has {got} numbers and needs {expected}",
    because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E034", exit = SPEC,
    message = "must be {expected}",
    because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E035", exit = SPEC,
    message = "layout {layout} needs {expected} dimensions",
    because = "the shape has {got}, in the memory order of its layout",
    try = "{hint}",
  },
  {
    code = "E037", exit = SPEC,
    message = "tensor {tensor} is too large",
    because = "{shape} {dtype} is more than 2^40 bytes",
    try = "a smaller shape, or several kernels",
  },
  {
    code = "E038", exit = SPEC,
    message = "a plane of tensor {tensor} is too large",
    because = "{shape} is more than 2^31-1 elements, and positions in a plane are 32 bits wide",
    try = "a smaller shape, or several kernels",
  },
  { code = "E039", exit = SPEC, message = "the key stands there twice", because = "{reason}" },
  { code = "E040", exit = SPEC, message = "is not a text that can be kept", because = "{reason}" },

  {
    code = "E049", exit = SPEC,
    message = "the spec has more mistakes",
    because = "only the first {count} are shown",
  },

  -- Import of ONNX.
  { code = "E070", exit = SPEC, message = "not an ONNX {what}", because = "{reason}" },
  { code = "E071", exit = SPEC, message = "the ONNX model is not valid", because = "{reason}" },
  {
    code = "E072", exit = SPEC,
    message = "the external data of a tensor cannot be read",
    because = "{reason}",
  },
  {
    code = "E073", exit = USAGE,
    message = "not a test case of ONNX",
    because = "{reason}",
    try = "a folder with model.onnx and test_data_set_0/input_0.pb, output_0.pb, …",
  },

  -- Valid, but not supported.
  {
    code = "E100", exit = UNSUPPORTED,
    message = "{what} is not supported by this version",
    because = "it is part of Upweave's spec language, but only {supported} can be built",
  },
  {
    code = "E110", exit = UNSUPPORTED,
    message = "{what} cannot be imported",
    because = "{reason}",
    try = "{hint}",
  },

  -- Schedule.
  {
    code = "E200", exit = SPEC,
    message = "the schedule cannot be read",
    because = "{reason}",
    try = "strategy:knob=value,knob=value",
  },
  {
    code = "E201", exit = SPEC,
    message = "there is no strategy `{strategy}` for this kernel",
    because = "the strategies are {strategies}",
    try = "{hint}",
  },
  {
    code = "E202", exit = SPEC,
    message = "strategy {strategy} has no knob `{knob}`",
    because = "its knobs are {knobs}",
    try = "{hint}",
  },
  {
    code = "E203", exit = SPEC,
    message = "knob {knob} cannot be `{value}`",
    because = "its legal values here are {values}",
    try = "{hint}",
  },
  {
    code = "E204", exit = SPEC,
    message = "the schedule `{schedule}` is not legal here",
    because = "{reason}",
    try = "{hint}",
  },

  -- Toolchain.
  {
    code = "E300", exit = TOOLCHAIN,
    message = "{program} not found",
    because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E301", exit = TOOLCHAIN,
    message = "{program} failed with {status}",
    because = "the command was: {command}",
    try = "{hint}",
  },
  {
    code = "E302", exit = TOOLCHAIN,
    message = "{program} took longer than {seconds} s and was stopped",
    because = "the command was: {command}",
    try = "{hint}",
  },
  {
    code = "E303", exit = TOOLCHAIN,
    message = "{program} is too old",
    because = "it is {version}; the emitted C needs Clang 14 or newer",
    try = "{hint}",
  },

  -- Verification.
  {
    code = "E500", exit = 6,
    message = "the kernel does not give what the reference gives",
    because = "y{index} is {got} and should be {want} ({ulp} ULP; {case}, seed {seed})",
    try = "{command}",
  },
  {
    code = "E501", exit = 6,
    message = "the verification did not finish",
    because = "{reason}",
    try = "{command}",
  },

  -- Measurement.
  {
    code = "E600", exit = 7,
    message = "the measurement failed",
    because = "{reason}",
    try = "{hint}",
  },

  -- Cache and database.
  {
    code = "E700", exit = 8,
    message = "the {store} is locked",
    because = "process {owner} holds {lock} and did not release it within {seconds} s",
    try = "{hint}",
  },
  {
    code = "E701", exit = 8,
    message = "the {store} is corrupt",
    because = "{reason}",
    try = "{hint}",
  },

  -- Target.
  {
    code = "E800", exit = 9,
    message = "target {target} cannot run here",
    because = "{reason}",
    try = "{hint}",
  },

  -- Budget, and faults of Upweave itself.
  {
    code = "E900", exit = 10,
    message = "the budget is exceeded",
    because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E990", exit = 1,
    message = "internal fault: {fault}",
    because = "this is a bug of Upweave, not of your spec",
    try = "report it together with the folder {folder}",
  },
}

table.move(operators, 1, #operators, #catalogue + 1, catalogue)
table.sort(catalogue, function(a, b) return a.code < b.code end)

return catalogue
