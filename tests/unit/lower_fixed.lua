-- SPDX-License-Identifier: MIT
-- Fixed point: kernels of 8-bit pictures against the rule, pass after pass in plain integers, for
-- every schedule of every target: bit for bit.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local driver = require "upweave.driver"
local dots = require "upweave.lower.resample.dots"
local eval = require "upweave.ir.eval"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local targets = require "upweave.target"

local random = ir.random(11)

-- What one pass makes of a line of bytes (1-based), by the rule.
local function pass(map, line)
  local out, half = {}, map.precision > 0 and 1 << (map.precision - 1) or 0
  for o, t in ipairs(map.taps) do
    local sum = half
    for k, i in ipairs(t.index) do sum = sum + math.tointeger(t.weight[k]) * line[i + 1] end
    out[o] = math.max(0, math.min(255, sum // (1 << map.precision)))
  end
  return out
end

-- Rows, then columns, of one plane given as rows.
local function plane(plan, rows)
  local across, along, middle, out = plan.axes[1], plan.axes[2], {}, {}
  for i, row in ipairs(rows) do middle[i] = pass(along, row) end
  for o = 1, across.output do out[o] = {} end
  for j = 1, along.output do
    local column = {}
    for i, row in ipairs(middle) do column[i] = row[j] end
    for o, v in ipairs(pass(across, column)) do out[o][j] = v end
  end
  return out
end

-- fn(image, channel, place(row, column)) for every plane of a tensor.
local function each_plane(plan, height, width, fn)
  local channels = plan.channels
  for n = 0, plan.batch - 1 do
    for c = 0, channels - 1 do
      fn(function(i, j)
        if plan.planar then return ((n * channels + c) * height + i) * width + j end
        return ((n * height + i) * width + j) * channels + c
      end)
    end
  end
end

local function oracle(plan, x)
  local across, along, y = plan.axes[1], plan.axes[2], {}
  local results = {}
  each_plane(plan, across.input, along.input, function(place)
    local rows = {}
    for i = 1, across.input do
      rows[i] = {}
      for j = 1, along.input do rows[i][j] = x[place(i - 1, j - 1)] end
    end
    results[#results + 1] = plane(plan, rows)
  end)
  local number = 0
  each_plane(plan, across.output, along.output, function(place)
    number = number + 1
    for i, row in ipairs(results[number]) do
      for j, v in ipairs(row) do y[place(i - 1, j - 1)] = v end
    end
  end)
  return y
end

-- Bytes with edges between black and white: sums beyond 0 and 255 before they are clamped.
local function picture(n)
  local x = {}
  for i = 0, n - 1 do x[i] = random(3) == 0 and random(256) or random(2) * 255 end
  return x
end

local function difference(y, want)
  for i = 0, #want do
    if y[i] ~= want[i] then return ("y[%d] is %s, not %s"):format(i, y[i], want[i]) end
  end
end

-- Two of the arguments at a time.
local function pairs_of(...)
  local list, at = { ... }, -1
  return function()
    at = at + 2
    return list[at], list[at + 1]
  end
end

-- The schedules that a case is tried with.
local function texts(plan, target)
  local list = {}
  for _, strategy in ipairs(plan.fixed and lower.list(plan) or {}) do
    for rows, strips in pairs_of(1, 1, 2, 2, 4, 1) do
      local knobs = { rows = rows, strips = strips, stores = "cached" }
      if strategy.legal(plan, knobs, target) then
        list[#list + 1] = ("%s:rows=%d,strips=%d,stores=cached"):format(strategy.name, rows, strips)
      end
    end
  end
  return list
end

local function byte_problem(fields)
  local problem = problems.make(fields)
  problem.x.dtype, problem.y.dtype = "u8", "u8"
  return problem
end

local used = {}
local function check(name, fields, names)
  local problem = byte_problem(fields)
  local plan = ops.find(problem.op).plan(problem)
  local n = 1
  for _, d in ipairs(problem.x.shape) do n = n * d end
  local x = picture(n)
  local want = oracle(plan, x)
  for _, name_of_target in ipairs(names or { "generic", "x86-64-v3", "icelake" }) do
    local target = targets.find(name_of_target)
    local wrong
    problem.schedule = nil
    local chosen = driver.compile(problem, { target = target.name, stop_after = "schedule" })
    used[chosen.schedule.strategy] = true
    for _, text in ipairs(texts(plan, target)) do
      problem.schedule = text
      local r = assert(driver.compile(problem, { target = target.name, stop_after = "ir" }))
      local memory = { x = x, y = {} }
      local ok, fault = pcall(eval.eval, r.ir, memory)
      fault = not ok and tostring(fault) or difference(memory.y, want)
      wrong = wrong or fault and text .. ": " .. fault
    end
    tap.ok(not wrong, ("%s on %s"):format(name, name_of_target))
    if wrong then tap.diag(wrong) end
  end
end

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function both(name, n, c, h, w, fields)
  for _, layout in ipairs { "NCHW", "NHWC" } do
    local own = { mode = fields.mode, size = fields.size, scale_factor = fields.scale_factor,
      antialias = fields.antialias, align_corners = fields.align_corners }
    own.x = layout == "NCHW" and tensor(layout, n, c, h, w) or tensor(layout, n, h, w, c)
    check(name .. " " .. layout, own)
  end
end

both("2x", 2, 3, 5, 7, { mode = "bilinear", scale_factor = 2 })
both("4x", 1, 3, 3, 7, { mode = "bilinear", scale_factor = 4 })
both("8x", 1, 1, 3, 9, { mode = "bilinear", scale_factor = 8 })
both("corners", 1, 3, 7, 9, { mode = "bilinear", size = { 5, 17 }, align_corners = true })
both("rows alone", 1, 3, 6, 13, { mode = "bilinear", scale_factor = { 2, 1 } })
both("columns alone", 1, 3, 6, 13, { mode = "bilinear", scale_factor = { 1, 2 } })
both("many channels", 1, 33, 4, 5, { mode = "bilinear", size = { 7, 3 } })
both("bicubic 4x", 1, 3, 5, 7, { mode = "bicubic", scale_factor = 4 })
both("bicubic down", 1, 3, 8, 15, { mode = "bicubic", size = { 5, 11 } })
both("one pixel", 1, 3, 1, 1, { mode = "bicubic", size = { 3, 4 } })
both("to one pixel", 1, 1, 5, 6, { mode = "bilinear", size = { 1, 1 }, antialias = true })
both("antialias", 1, 3, 14, 24, { mode = "bilinear", size = { 5, 9 }, antialias = true })
both("antialias bicubic", 1, 4, 13, 17, { mode = "bicubic", size = { 6, 7 }, antialias = true })
both("many taps", 1, 1, 40, 30, { mode = "bilinear", size = { 2, 7 }, antialias = true })
check("aperiodic", { x = tensor("NCHW", 1, 1, 1, 401), mode = "bicubic", size = { 1, 571 } },
  { "x86-64-v3" })
tap.ok(used.averages and used.products, "both strategies are chosen")

-- dots: weights in parts ------------------------------------------------------------------------

local vnni, plain = targets.find "icelake", targets.find "x86-64-v3"
local function map_of(...) return { precision = 3, taps = { { index = {}, weight = { ... } } } } end
tap.is(dots.new(map_of(-128, 127), vnni).parts, 1, "weights of a byte are one part")
tap.is(dots.new(map_of(-129), vnni).parts, 2, "longer ones are two: below")
tap.is(dots.new(map_of(128), vnni).parts, 2, "and above")
tap.is(dots.new(map_of(32639), vnni).bytes, true, "the largest weight of two bytes")
tap.is(dots.new(map_of(32640), vnni).bytes, false, "the next one takes words")
tap.is(dots.new(map_of(1), plain).bytes, false, "without products of bytes: words")
local two = dots.new(map_of(300), vnni)
for _, w in ipairs { 0, 1, 127, 128, 255, 300, -1, -128, -129, 32639, -32768 } do
  local low, high = table.unpack(dots.split(two, { w, 0, 0, 0 }))
  local fit = low[1] >= -128 and low[1] <= 127 and high[1] >= -128 and high[1] <= 127
  tap.ok(fit and 256 * high[1] + low[1] == w, ("%d in two bytes"):format(w))
end
tap.same(dots.split(dots.new(map_of(1), plain), { 1, 2, 3, 4 }), { { 1, 3 }, { 2, 4 } },
  "words of even and odd taps")

tap.done()
