-- SPDX-License-Identifier: MIT
-- Hostile ONNX files: 5,000 seeded mutations of valid models and tensors, half of their bytes, half
-- of what these say (numbers, names, whole messages). Each must give a kernel that passes
-- validation or diagnostics with a code: no crash, no hang, under 512 MB.
--
-- usage: lua5.4 tests/long/onnx_mutations.lua              all, in child processes under limits
--        lua5.4 tests/long/onnx_mutations.lua FIRST LAST   these seeds, in this process
-- ONNX_NODE=DIR adds the node tests of ONNX in DIR to what is mutated.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local onnx = dofile "tests/lib/onnx.lua"
local diagnostics = require "upweave.util.diagnostics"
local import = require "upweave.import"
local ops = require "upweave.ops"
local process = require "upweave.toolchain.process"
local uv = require "luv"
local wire = dofile "tests/lib/wire.lua"
local write = require "upweave.import.write"

local COUNT <const>, BATCH <const> = 5000, 250
local SECONDS_EACH <const>, SECONDS_BATCH <const> = 5, 240
local MEMORY <const> = 512 << 20
local LARGEST_PLAN <const> = 4096 -- outputs along an axis for which the plan is made, too
local EXITS <const> = { [2] = true, [3] = true, [4] = true, [10] = true }

-- What is mutated -------------------------------------------------------------------------------

local function text(name, value) return { name = name, kind = "string", value = value } end

local CROP <const> = text("coordinate_transformation_mode", "tf_crop_and_resize")
local MODELS <const> = {
  onnx.resize { shape = { 1, 2, 4, 5 }, scales = { 1, 1, 2, 1.5 }, name = "up" },
  onnx.resize { opset = 11, shape = { 1, 2, 4, 5 }, sizes = { 1, 2, 3, 7 }, typed = true,
    packed = true, attributes = { text("mode", "linear"),
      text("coordinate_transformation_mode", "align_corners") } },
  onnx.resize { opset = 18, shape = { 2, 4, 5 }, sizes = { 7, 9 }, typed = true, attributes = {
    text("mode", "cubic"), { name = "axes", kind = "ints", value = { -1, 1 } },
    { name = "cubic_coeff_a", kind = "float", value = -0.5 },
    { name = "antialias", kind = "int", value = 1 },
    text("keep_aspect_ratio_policy", "not_smaller") } },
  onnx.resize { shape = { 1, 1, 4, 4 }, sizes = { 1, 1, 3, 3 }, attributes = { CROP },
    roi = { 0, 0, 0.5, 0.25, 1, 1, 0.75, 1.5 } },
  onnx.resize { opset = 10, shape = { 1, 3, 8 }, scales = { 1, 1, 0.5 } },
  onnx.resize { op = "Upsample", opset = 9, dtype = "f16", shape = { 3, 4 }, scales = { 2, 3 } },
  onnx.resize { op = "Upsample", opset = 7, shape = { 1, 1, 2, 2 },
    attributes = { { name = "scales", kind = "floats", value = { 1, 1, 2, 2 }, packed = true } } },
  onnx.model {
    nodes = {
      { op = "Constant", outputs = { "s" }, attributes = { { name = "value", kind = "tensor",
        value = { dtype = "f32", shape = { 4 }, values = { 1, 1, 2, 2 } } } } },
      { op = "Resize", name = "a", inputs = { "x", "", "s" }, outputs = { "y" } },
      { op = "Resize", name = "b", inputs = { "y", "", "e" }, outputs = { "z" } },
      { op = "Conv", name = "c", inputs = { "z", "w" }, outputs = { "o" } },
    },
    inputs = { { name = "x", dtype = "u8", shape = { "N", 3, 4, 4 } } },
    values = { { name = "y", dtype = "f32", shape = { 1, 3, 8, 8 } } },
    initializers = { { name = "w", dtype = "f32", shape = { 2 }, values = { 1, 2 }, typed = true },
      { name = "e", dtype = "f32", shape = { 4 }, external = { { "location", "../data" },
        { "offset", "8" }, { "length", "16" } } } },
    functions = { { name = "F", domain = "own" } },
  },
}
local TENSORS <const> = {
  onnx.tensor { name = "x", dtype = "f32", shape = { 2, 3 }, values = { 1, 2, 3, 4, 5, 6 } },
  onnx.tensor { name = "x", dtype = "i64", shape = { 3 }, values = { 1, -2, 3 }, typed = true },
  onnx.tensor { dtype = "f16", shape = { 2 }, values = { 1, 2 }, typed = true, packed = true },
  onnx.tensor { dtype = "bf16", shape = { 1 }, external = { { "location", "x" } } },
}

MODELS.own, TENSORS.own = #MODELS, #TENSORS

-- The node tests, in the order of their names; their scales are inputs, so few become kernels.
local function add_node_tests(folder)
  local names = command.list(folder)
  for _, name in ipairs(names) do
    local model = command.read(("%s/%s/model.onnx"):format(folder, name))
    local tensor = command.read(("%s/%s/test_data_set_0/input_0.pb"):format(folder, name))
    MODELS[#MODELS + 1], TENSORS[#TENSORS + 1] = model, tensor
  end
  return #names
end

-- Mutations -------------------------------------------------------------------------------------

local random = math.random

local function cut(bytes, at, length, middle)
  return bytes:sub(1, at - 1) .. middle .. bytes:sub(at + length)
end

local function segment(bytes)
  local at = random(#bytes)
  return at, bytes:sub(at, at + random(0, 40))
end

local HUGE <const> = { 0, 1, 127, 128, 255, 1 << 14, 1 << 24, (1 << 31) - 1, 1 << 31, 1 << 32,
  1 << 53, math.maxinteger, -1, math.mininteger }

local MUTATIONS <const> = {
  function(bytes) -- bits
    for _ = 1, random(8) do
      local at = random(#bytes)
      bytes = cut(bytes, at, 1, string.char(bytes:byte(at) ~ 1 << random(0, 7)))
    end
    return bytes
  end,
  function(bytes) return bytes:sub(1, random(0, #bytes)) end,
  function(bytes) -- a byte, perhaps a length, becomes a number
    return cut(bytes, random(#bytes), 1, onnx.varint(HUGE[random(#HUGE)]))
  end,
  function(bytes, other) -- a piece of another file
    local _, piece = segment(other)
    return cut(bytes, random(#bytes), random(0, 20), piece)
  end,
  function(bytes) -- a piece again, or many times
    local at, piece = segment(bytes)
    return cut(bytes, at, 0, piece:rep(random(3) == 1 and random(20000) or random(3)))
  end,
  function(bytes) return cut(bytes, random(#bytes), random(30), "") end,
  function(bytes) -- messages within messages
    local inner, ids = bytes, { 1, 5, 7, 2, 11, 14 }
    for _ = 1, random(300) do inner = onnx.bytes(ids[random(#ids)], inner) end
    return random(2) == 1 and inner or cut(bytes, random(#bytes), 0, inner)
  end,
  function(bytes) -- fields of many numbers
    local ids, count = { 1, 4, 5, 7, 8, 10 }, random(200000)
    local many = onnx.bytes(ids[random(#ids)], ("\1"):rep(count))
    for _ = 1, random(0, 3) do many = onnx.bytes(({ 1, 5, 7 })[random(3)], many) end
    return cut(bytes, random(#bytes), 0, many)
  end,
  function(bytes) -- noise
    local noise = {}
    for index = 1, random(30) do noise[index] = string.char(random(0, 255)) end
    return cut(bytes, random(#bytes), #noise, table.concat(noise))
  end,
}

-- Texts that decide something.
local WORDS <const> = { "", "X", "s", "linear", "cubic", "nearest", "floor", "align_corners",
  "tf_crop_and_resize", "tf_half_pixel_for_nn", "half_pixel_symmetric", "not_larger", "Resize",
  "Upsample", "Constant", "axes", "roi", "\xff\0\n", ("long"):rep(200) }
local FLOATS <const> = { 0.0, -1.0, 1e-30, 3e38, 1 / 0, 0 / 0, 0.5, 1.0, 2.0 }

-- The value of one field becomes another one.
local function change(field)
  if field.wire == 0 then
    field.value = random(3) == 1 and HUGE[random(#HUGE)] or random(-2, 30)
  elseif field.wire == 2 and type(field.value) == "string" and random(2) == 1 then
    field.value = WORDS[random(#WORDS)]
  elseif field.wire == 2 and type(field.value) == "string" then
    field.value = string.pack("<ff", FLOATS[random(#FLOATS)], FLOATS[random(#FLOATS)]):rep(2)
  elseif field.wire == 5 then
    field.value = string.pack("<f", FLOATS[random(#FLOATS)])
  else
    field.id = random(25)
  end
end

-- A change of what a file says: a field, chosen evenly among all, is changed, left out, put there
-- again, moved elsewhere, or replaced by one of another file.
local function retell(bytes, other)
  local tree, donor = assert(wire.parse(bytes)), wire.all(assert(wire.parse(other)))
  for _ = 1, random(3) do
    local all = wire.all(tree)
    local one, two, foreign = all[random(#all)], all[random(#all)], donor[random(#donor)]
    local how = random(8)
    if how == 1 then
      table.remove(one.list, one.index)
    elseif how == 2 then
      table.insert(one.list, random(one.index), wire.parse(wire.write { one.list[one.index] })[1])
    elseif how == 3 then
      one.list[one.index], two.list[two.index] = two.list[two.index], one.list[one.index]
    elseif how == 4 then
      one.list[one.index] = foreign.list[foreign.index]
    else
      change(one.list[one.index])
    end
    bytes = wire.write(tree) -- and read again: bytes may be a message now, or none any more
    tree = wire.parse(bytes)
    if not tree then break end
  end
  return bytes
end

local function mutant(seed)
  math.randomseed(seed)
  local list = random(5) == 1 and TENSORS or MODELS
  local bytes = list[random(random(3) == 1 and #list or list.own)]
  local other = MODELS[random(#MODELS)]
  if random(2) == 1 then return retell(bytes, other), list == TENSORS end
  for _ = 1, random(2) do
    if #bytes > 0 then bytes = MUTATIONS[random(#MUTATIONS)](bytes, other) end
  end
  return bytes, list == TENSORS
end

-- One mutation ----------------------------------------------------------------------------------

local function check_faults(faults)
  assert(#faults > 0, "nothing came, and no diagnostic")
  for _, fault in ipairs(faults) do
    assert(EXITS[fault.exit], "exit status " .. tostring(fault.exit))
  end
  assert(utf8.len(diagnostics.format(faults)), "the text is not UTF-8")
end

local function check_kernel(graph, item)
  write.lua { item }
  write.json { item }
  assert(#import.output_shape(graph, item) == #graph.values[item.node.inputs[1]].shape)
  for _, size in ipairs(item.problem.size) do
    if size > LARGEST_PLAN then return end
  end
  ops.find(item.problem.op).plan(item.problem)
end

local function check_model(bytes)
  local graph, faults = import.graph("a.onnx", bytes)
  if not graph then return check_faults(faults) end
  for _, item in ipairs(import.nodes(graph)) do
    if item.problem then
      check_kernel(graph, item)
    else
      check_faults(item.faults)
    end
  end
end

local function check_tensor(bytes)
  local tensor, faults = import.tensor("a.pb", bytes)
  if not tensor then return check_faults(faults) end
  local count = 1
  for _, n in ipairs(tensor.shape) do count = count * n end
  assert(count == 0 and tensor.bytes == "" or #tensor.bytes % count == 0, "bytes and shape differ")
end

-- The lines `seed ok` or `seed reason` of some seeds.
local function run_here(first, last)
  for seed = first, last do
    local bytes, is_tensor = mutant(seed)
    io.stdout:write(seed, " ")
    io.stdout:flush()
    local began = os.clock()
    local ok, reason = xpcall(is_tensor and check_tensor or check_model, debug.traceback, bytes)
    local slow = os.clock() - began > SECONDS_EACH
    io.stdout:write(slow and "slow" or ok and "ok" or reason:gsub("\n.*", ""), "\n")
  end
end

local tests = os.getenv "ONNX_NODE"
local added = tests and tests ~= "" and add_node_tests(tests)

if arg[1] then
  run_here(math.tointeger(arg[1]), math.tointeger(arg[2]))
  os.exit(true)
end

-- All of them -----------------------------------------------------------------------------------

local function run_batch(first, last)
  local result = process.run({ "prlimit", "--as=" .. MEMORY, "--core=0", "--", uv.exepath(),
    arg[0], tostring(first), tostring(last) }, { seconds = SECONDS_BATCH })
  local good, bad = 0, {}
  for line in result.stdout:gmatch("[^\n]+") do
    if line:find("^%d+ ok$") then
      good = good + 1
    else
      bad[#bad + 1] = line
    end
  end
  if not tap.ok(good == last - first + 1, ("mutations %d to %d"):format(first, last)) then
    tap.diag(process.describe(result) .. " " .. result.stderr)
    for _, line in ipairs(bad) do tap.diag(line) end
  end
end

if not added then tap.skip("mutations of ONNX's node tests", "ONNX_NODE=DIR is not given") end
for first = 1, COUNT, BATCH do run_batch(first, first + BATCH - 1) end

-- The command itself, on files: never an internal fault.
local folder = command.folder()
for seed = 1, COUNT, COUNT // 20 do
  local path = command.write(("%s/%d.onnx"):format(folder, seed), (mutant(seed)))
  local result = command.run { "import", path }
  tap.ok(result.code == 0 or EXITS[result.code], ("upweave import of mutation %d"):format(seed))
end

-- Cases whose model, input or output is mutated: a failure or a success, no end of the program.
local words = { "import", "--test" }
local x = onnx.tensor { dtype = "f32", shape = { 1, 1, 1, 2 }, values = { 1, 2 } }
local s = onnx.tensor { dtype = "f32", shape = { 4 }, values = { 1, 1, 1, 2 } }
local y = onnx.tensor { dtype = "f32", shape = { 1, 1, 1, 4 }, values = { 1, 1, 2, 2 } }
local model = onnx.model {
  nodes = { { op = "Resize", inputs = { "x", "", "s" }, outputs = { "y" } } },
  inputs = { { name = "x", dtype = "f32", shape = { 1, 1, 1, 2 } },
    { name = "s", dtype = "f32", shape = { 4 } } }, outputs = { { name = "y" } } }
for seed = 1, 40 do
  math.randomseed(seed)
  local case = ("%s/case_%d"):format(folder, seed)
  assert(uv.fs_mkdir(case, 448) and uv.fs_mkdir(case .. "/test_data_set_0", 448))
  local contents = { model, x, s, y }
  local one = random(#contents)
  contents[one] = MUTATIONS[random(#MUTATIONS)](contents[one], model)
  command.write(case .. "/model.onnx", contents[1])
  command.write(case .. "/test_data_set_0/input_0.pb", contents[2])
  command.write(case .. "/test_data_set_0/input_1.pb", contents[3])
  command.write(case .. "/test_data_set_0/output_0.pb", contents[4])
  words[#words + 1] = case
end
local tested = command.run(words, { seconds = 600 })
if not tap.ok(tested.code == 0 or tested.code == 6, "upweave import --test of mutated cases") then
  tap.diag(tested.stderr)
end
tap.like(tested.stdout, "\n1..40\n", "all of them are told")

command.clean()
tap.done()
