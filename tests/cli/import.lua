-- SPDX-License-Identifier: MIT
-- The verb import: lists, specs and test cases of ONNX.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local onnx = dofile "tests/lib/onnx.lua"
local dkjson = require "dkjson"
local uv = require "luv"

local folder = command.folder()

local function mode(value) return { name = "mode", kind = "string", value = value } end

local function run(code, arguments, name)
  local result = command.run(arguments)
  if not tap.is(result.code, code, name .. ": exit " .. code) then tap.diag(result.stderr) end
  return result
end

-- A network: one node that is a kernel, one that is none, one whose shape is open.
local network = command.write(folder .. "/network.onnx", onnx.model {
  nodes = {
    { op = "LRN", name = "lrn", inputs = { "x", "w" }, outputs = { "a" } },
    { op = "Resize", name = "up.1", inputs = { "x", "", "s" }, outputs = { "b" },
      attributes = { mode "linear" } },
    { op = "Resize", name = "open", inputs = { "n", "", "s" }, outputs = { "c" } },
  },
  inputs = { { name = "x", dtype = "f32", shape = { 1, 2, 4, 5 } },
    { name = "n", dtype = "f32", shape = { "N", 2, 4, 5 } } },
  outputs = { { name = "c" } },
  initializers = { { name = "s", dtype = "f32", shape = { 4 }, values = { 1, 1, 2, 2 } } },
})

local listed = run(0, { "import", network }, "a list").stdout
for _, text in ipairs { "LRN", "no: operator LRN cannot be imported", "1x2x4x5 f32", "1x2x8x10",
  "up_1", "Nx2x4x5 f32", "size 0 of `n` is `N`" } do
  tap.like(listed, text, "the list says " .. text)
end
local data = dkjson.decode(run(0, { "import", network, "--json" }, "a list as JSON").stdout)
tap.is(data.opset, 19, "--json: the opset")
tap.is(data.nodes[2].kernel, "up_1", "--json: the kernel")
tap.same(data.nodes[2].output, { 1, 2, 8, 10 }, "--json: the output")
tap.is(data.nodes[3].importable, false, "--json: a node that is no kernel")
tap.is(data.nodes[3].faults[1].code, "E110", "--json: and why")
tap.is(data.nodes[2].inputs[3].constant, true, "--json: constants")
tap.is(#dkjson.decode(run(0, { "import", network, "--json", "--only", "u*" }, "--only").stdout)
  .nodes, 1, "--only keeps what matches")

local spec = folder .. "/out/spec.lua"
local written = run(0, { "import", network, "-o", spec }, "-o")
tap.is(written.stdout, spec .. "\n", "-o says the file")
tap.like(written.stderr, "left out: node 0, LRN: operator LRN", "-o says what is left out")
local json = folder .. "/out/spec.json"
run(0, { "import", network, "-o", json, "--dim", "N=3", "-q" }, "-o as JSON")
local function canonical(path, ...)
  return dkjson.decode(run(0, { "spec", "--json", path, ... }, "spec").stdout).kernels
end
tap.is(#canonical(spec), 1, "one kernel is left")
tap.is(canonical(json)[2].x.shape[1], 3, "--dim gives the open size")
tap.same(canonical(spec, "--only", "up_1"), canonical(json, "--only", "up_1"),
  "Lua and JSON say the same")

run(2, { "import" }, "no model")
run(2, { "import", network, network }, "two models")
run(2, { "import", folder .. "/none.onnx" }, "no such file")
run(2, { "import", folder }, "a folder")
run(2, { "import", network, "--dim", "N" }, "--dim without a size")
run(2, { "import", network, "--dim", "N=-1" }, "--dim with a negative size")
run(2, { "import", network, "--dim", "M=1" }, "--dim of no size of the model")
run(2, { "import", network, "--only", "z*" }, "--only that matches nothing")
run(2, { "import", network, "-o", folder .. "/spec.txt" }, "-o with another ending")
run(2, { "import", network, "-o", network .. "/spec.lua" }, "-o in a file")
run(4, { "import", network, "-o", folder .. "/no.lua", "--only", "lrn" }, "-o of no kernel")
tap.ok(not uv.fs_stat(folder .. "/no.lua"), "then nothing is written")
run(3, { "import", command.write(folder .. "/bad.onnx", "no model") }, "no model at all")
run(3, { "import", command.write(folder .. "/empty.onnx", "") }, "an empty file")
local huge = assert(io.open(folder .. "/huge.onnx", "wb"))
huge:seek("set", 1 << 28)
huge:write("x")
huge:close()
tap.like(run(10, { "import", folder .. "/huge.onnx" }, "a file too large").stderr, "E900",
  "it is a budget")

-- Test cases ------------------------------------------------------------------------------------

local function floats(name, shape, values)
  return onnx.tensor { name = name, dtype = "f32", shape = shape, values = values }
end

-- A case of one Resize by 2 from {1,1,1,2}; `wanted` is its output.
local function case(name, model, inputs, wanted)
  local path = folder .. "/" .. name
  assert(uv.fs_mkdir(path, 448))
  command.write(path .. "/model.onnx", model)
  for set, output in ipairs(wanted) do
    local below = ("%s/test_data_set_%d"):format(path, set - 1)
    assert(uv.fs_mkdir(below, 448))
    for index, input in ipairs(inputs) do
      command.write(("%s/input_%d.pb"):format(below, index - 1), input)
    end
    command.write(below .. "/output_0.pb", output)
  end
  return path
end

local NAN <const> = 0 / 0
local doubling = onnx.model {
  nodes = { { op = "Resize", inputs = { "x", "", "s" }, outputs = { "y" } } },
  inputs = { { name = "x", dtype = "f32", shape = { 1, 1, 1, 2 } },
    { name = "s", dtype = "f32", shape = { 4 } } }, outputs = { { name = "y" } } }
local x, s = floats("x", { 1, 1, 1, 2 }, { 1, NAN }), floats("s", { 4 }, { 1, 1, 1, 2 })
local function y(...) return floats("y", { 1, 1, 1, 4 }, { ... }) end

local right = case("right", doubling, { x, s }, { y(1, 1, NAN, NAN), y(1.0009, 1, NAN, NAN) })
local wrong = case("wrong", doubling, { x, s }, { y(1, 1, NAN, NAN), y(1, 1.002, NAN, NAN) })
local number = case("number", doubling, { x, s }, { y(1, 1, NAN, 2) })
local shape = case("shape", doubling, { x, s }, { floats("y", { 4 }, { 1, 1, NAN, NAN }) })
local bad = case("bad#1", "no model", { x, s }, { y(1, 1, NAN, NAN) })
local broken = case("broken", doubling, { "\11", s }, { y(1, 1, NAN, NAN) })
local other = case("other", onnx.model { nodes = { { op = "LRN", outputs = { "y" } } } }, {},
  { x })
local two = case("two", onnx.model { nodes = { { op = "Relu", outputs = { "y" } },
  { op = "Relu", outputs = { "z" } } } }, {}, { x })

local function test(code, ...)
  return run(code, { "import", "--test", ... }, "--test, " .. select("#", ...) .. " cases").stdout
end

tap.is(test(0, right .. "/"), "ok 1 - right\n1..1\n", "a case of two data sets")
local mixed = test(6, right, wrong, number, shape, bad, broken, other, two, folder .. "/none")
for _, line in ipairs { "ok 1 - right\n", "not ok 2 - wrong\n# element 1 of {1x1x1x4} is 1 and",
  "not ok 3 - number\n# element 3", "not ok 4 - shape\n", "not ok 5 - bad_1\n# error[E070]",
  "not ok 6 - broken\n# error[E070]",
  "ok 7 - other # SKIP operator LRN cannot be imported, because",
  "ok 8 - two # SKIP a model of 2 nodes", "not ok 9 - none\n# error[E073]", "\n1..9\n" } do
  tap.like(mixed, line, "--test says " .. line:match("^\n?([^\n]*)"))
end
tap.like(test(0, other), "# SKIP", "what cannot be run is no failure")
local results = dkjson.decode(run(6, { "import", "--test", wrong, other, "--json" },
  "--test --json").stdout)
tap.is(results.ok, false, "--test --json: not ok")
tap.is(results.results[2].skipped, true, "--test --json: skipped")

run(2, { "import", "--test" }, "--test without a case")
run(2, { "import", "--test", right, "-o", folder .. "/x.lua" }, "--test with -o")
run(2, { "import", "--test", right, "--target", "generic", "--target", "x86-64-v3" },
  "--test on two targets")

command.clean()
tap.done()
