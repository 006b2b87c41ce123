-- SPDX-License-Identifier: MIT
-- What packing writes: every element of `packed`, so that the same parameters are the same bytes,
-- also where channels, phases or blocks leave some of it unused.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local make = dofile("tests/lib/problems.lua").make
local ops = require "upweave.ops"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

-- The interpreter says which element of an output is never written.
local function check(target, schedule, fields)
  local problem = make(fields)
  local given = { packed = {} }
  for seed, each in ipairs(ops.find(problem.op).tensors(problem)) do
    if each.role == "parameter" then
      local values = ir.noise(each.elems, seed)
      for i, v in ipairs(values) do values[i] = math.abs(v) end
      given[each.name] = ir.array(values)
    end
  end
  problem.schedule = schedule
  local r = assert(driver.compile(problem, { target = target, stop_after = "ir" }))
  local ok, why = pcall(eval.eval, r.ir.pack, given)
  tap.ok(ok, ("%s on %s: %s"):format(schedule, target, table.concat(problem.y.shape, "x")))
  if not ok then tap.diag(why) end
end

local five = { op = "conv", x = tensor("NHWC", 1, 3, 4, 5), out_channels = 5, groups = 5,
  kernel_size = { 2, 3 }, post = { "add", "prelu" } }
check("x86-64-v3", "contract-depthwise:read=expanded", five)
check("x86-64-v3", "contract-depthwise:read=expanded", { op = "conv",
  x = tensor("NHWC", 1, 3, 4, 9), out_channels = 9, groups = 9, kernel_size = { 1, 3 } })
check("icelake", "contract-depthwise:read=direct", five)
check("generic", "contract-channels:vectors=2", five)
local phases = { op = "conv_transpose", x = tensor("NCHW", 1, 6, 3, 5), out_channels = 6,
  groups = 3, kernel_size = { 2, 3 }, stride = { 3, 2 }, padding = { 0, 1 },
  post = { "relu", "batch_norm" } }
check("x86-64-v3", "contract-channels:vectors=1", phases)
check("x86-64-v3", "contract-planar:channels=4", phases)
check("generic", "contract-depthwise:read=expanded", { op = "conv_transpose",
  x = tensor("NCHW", 1, 3, 3, 5), out_channels = 3, groups = 3, kernel_size = 3, stride = 2 })
for _, axes in ipairs { "all", "last" } do
  check("x86-64-v3", "winograd:algorithm=2x3,axes=" .. axes, { op = "conv",
    x = tensor("NHWC", 1, 6, 7, 10), out_channels = 14, groups = 2, kernel_size = 3 })
end

tap.done()
