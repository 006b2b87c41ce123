-- SPDX-License-Identifier: MIT
-- Plans against the independent reference: tables bit for bit, values within the stated bound.

local tap = dofile "tests/lib/tap.lua"
local resample = require "upweave.resample"
local list = require "upweave.util.list"
local modes = require "upweave.resample.modes"
local reference = dofile "tests/lib/reference.lua"

local function float(x) return (string.unpack("<f", string.pack("<f", x))) end

-- The framework's taps of one output, merged as the plan merges them: index -> weight.
local function merged(case, o)
  local sums, count = {}, 0
  for _, t in ipairs(reference.taps(case, o)) do
    if not sums[t[1]] then count = count + 1 end
    sums[t[1]] = (sums[t[1]] or 0.0) + t[2]
  end
  return sums, count
end

-- In exact mode the reference rounds in double on its way; a float's last bit may differ.
local function agrees(case, o, taps, round)
  local sums, count = merged(case, o)
  for k, i in ipairs(taps.index) do
    local want = round(sums[i] or 0.0)
    local allowed = case.exact and 2.0 ^ -22 * math.abs(want) + 2.0 ^ -50 or 0.0
    if math.abs(taps.weight[k] - want) > allowed then return false end
  end
  return #taps.index == count or case.exact and #taps.index < count
end

local function problem(case)
  return { op = "interpolate", profile = case.profile or "torch", mode = case.mode,
    coord_math = case.exact and "exact" or "framework",
    align_corners = case.align, antialias = case.antialias,
    scale_factor = case.s and { 1.0, case.s },
    x = { shape = { 1, 1, 1, case.I }, layout = "NCHW", dtype = case.dtype or "f32" },
    size = { case.high and 200 or 1, case.O } }
end

local function same(x) return x end

local function faults_of(case)
  local p = problem(case)
  local plan, from = resample.plan(p), reference.case(p, 2)
  for o, taps in ipairs(plan.axes[2].taps) do
    if not agrees(from, o - 1, taps, plan.work == "f64" and same or float) then
      return ("%d -> %d %s: output %d"):format(case.I, case.O, tostring(case.s), o - 1)
    end
  end
end

local SCALES = { 2.2, 1.1, 0.7, 1 / 3, 2.0, 1.5, 0.25, 3.7 }
local SHORT_SCALES = { 2.0, 1.5, 0.25, 0.75 } -- few bits: what the exact reference takes
local INPUTS = { 1, 2, 3, 4, 5, 7, 8, 11, 16, 24 }
local OUTPUTS = { 1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 21, 32, 41 }

local function scaled_cases(mode, align, exact)
  local out = {}
  if not mode.coordinates or align then return out end
  for _, input in ipairs(INPUTS) do
    for _, s in ipairs(exact and SHORT_SCALES or SCALES) do
      local output = math.floor(input * s)
      if output >= 1 then out[#out + 1] = { I = input, O = output, s = s } end
    end
  end
  return out
end

local function sized_cases()
  local out = {}
  for _, input in ipairs(INPUTS) do
    for _, output in ipairs(OUTPUTS) do out[#out + 1] = { I = input, O = output } end
  end
  return out
end

-- A high plane takes long: each sweep meets every fourth of the cases, the next one the others.
local HIGH_STEP <const> = 4
local turn = 0

local function sweep(mode, fields)
  local faults, step = {}, fields.high and HIGH_STEP or 1
  turn = turn + 1
  for _, cases in ipairs { sized_cases(), scaled_cases(mode, fields.align, fields.exact) } do
    for at = turn % step + 1, #cases, step do
      local case = cases[at]
      case.mode = mode.name
      for key, value in pairs(fields) do case[key] = value end
      faults[#faults + 1] = faults_of(case)
    end
  end
  return table.concat(faults, "; ")
end

local function check_variant(mode, align, antialias)
  if align and not mode.aligned or antialias and not mode.smooth then return end
  local name = mode.name .. (align and " aligned" or "") .. (antialias and " antialias" or "")
  local function check(title, fields)
    fields.align, fields.antialias = align, antialias
    tap.is(sweep(mode, fields), "", name .. ": " .. title)
  end
  check("the framework's tables", {})
  check("exact tables", { exact = true })
  check("tables in double", { dtype = "f64" })
  if not antialias then
    check("f16 tables", { dtype = "f16" })
    check("f16 tables of the generic kernel", { dtype = "f16", high = true })
    check("bf16 tables of the generic kernel", { dtype = "bf16", high = true })
  end
end

-- A mode that this reference does not define has the C reference alone.
local function is_defined(mode)
  return pcall(reference.taps, { mode = mode.name, I = 1, O = 1 }, 0)
end

for _, mode in ipairs(modes.list) do
  for _, align in ipairs(is_defined(mode) and { false, true } or {}) do
    check_variant(mode, align, false)
    check_variant(mode, align, true)
  end
end

-- ---- pictures: integer weights, halved as far as all are even, and the precision that is left

-- One output's weights against the reference's, which are `unit` times as large.
local function fixed_output_fault(taps, framework, unit)
  local want = {}
  for _, t in ipairs(framework) do want[t[1]] = t[2] ~= 0 and t[2] or nil end
  for k, i in ipairs(taps.index) do
    if taps.weight[k] * unit ~= want[i] then return true end
    want[i] = nil
  end
  return next(want) ~= nil
end

local function has_odd_weight(axis)
  for _, taps in ipairs(axis.taps) do
    for _, w in ipairs(taps.weight) do
      if w % 2 == 1 then return true end
    end
  end
  return false
end

local function fixed_faults(case)
  local p = problem(case)
  local plan, from = resample.plan(p), reference.case(p, 2)
  if case.I == case.O then return not plan.copy and "equal sizes are no copy" or nil end
  from.taps = {}
  for o = 0, case.O - 1 do from.taps[o + 1] = reference.taps(from, o) end
  reference.quantise(from)
  local axis = plan.axes[2]
  for o, taps in ipairs(axis.taps) do
    if fixed_output_fault(taps, from.taps[o], 1 << (from.p - axis.precision)) then
      return "output " .. o - 1
    end
  end
  if axis.precision > 0 and not has_odd_weight(axis) then return "even weights" end
end

local function check_pictures(name, antialias, align)
  local faults, mode = {}, list.named(modes.list, name)
  for _, cases in ipairs { sized_cases(), scaled_cases(mode, align, false) } do
    for _, case in ipairs(cases) do
      case.mode, case.align, case.antialias, case.dtype = name, align, antialias, "u8"
      local fault = fixed_faults(case)
      faults[#faults + 1] = fault and ("%d -> %d %s: %s"):format(case.I, case.O,
        tostring(case.s), fault)
    end
  end
  tap.is(table.concat(faults, "; "), "", ("%s of pictures%s%s"):format(name,
    align and ", aligned" or "", antialias and ", antialias" or ""))
end

for _, name in ipairs { "bilinear", "bicubic" } do
  for _, align in ipairs { false, true } do
    check_pictures(name, false, align)
    check_pictures(name, true, align)
  end
end

-- ---- values of whole tensors, evaluated as a kernel does: float, axis by axis, W first

local function element(plan, x, at, o)
  -- Sum over axis k of the planes below it; the innermost axis reads x.
  local function value(k, offset)
    local axis, sum = plan.axes[k], nil
    for j, i in ipairs(axis.taps[o[k]].index) do
      local from = offset * axis.input + i
      local v = k == plan.rank and x[at(from)] or value(k + 1, from)
      local product = float(axis.taps[o[k]].weight[j] * v)
      sum = sum and float(sum + product) or product
    end
    return sum
  end
  return value(1, 0)
end

local function positions(axes)
  local out = { {} }
  for _, axis in ipairs(axes) do
    local longer = {}
    for _, head in ipairs(out) do
      for o = 1, axis.output do
        local o_all = table.move(head, 1, #head, 1, {})
        o_all[#o_all + 1] = o
        longer[#longer + 1] = o_all
      end
    end
    out = longer
  end
  return out
end

local function worst_share(p)
  local plan = resample.plan(p)
  local x, planes = {}, p.x.shape[1] * plan.channels
  local size = 1
  for _, axis in ipairs(plan.axes) do size = size * axis.input end
  for i = 1, size * planes do x[i] = float(((i * 7919) % 2003 - 1001) / 64) end
  local want, magnitude, terms = reference.interpolate(p, x)
  local outputs, worst = positions(plan.axes), 0.0
  for plane = 0, planes - 1 do
    local n, c = plane // plan.channels, plane % plan.channels
    for k, o in ipairs(outputs) do
      local function at(i)
        if plan.planar then return plane * size + i + 1 end
        return (n * size + i) * plan.channels + c + 1
      end
      local y = plan.planar and plane * #outputs + k
        or (n * #outputs + k - 1) * plan.channels + c + 1
      local err = math.abs(element(plan, x, at, o) - want[y])
      local bound = terms[y] == 0 and 0 or (terms[y] + 4) * 2.0 ^ -24 * magnitude[y]
      worst = math.max(worst, err == 0 and 0 or err / bound)
    end
  end
  return worst
end

for _, case in ipairs {
  { "nearest", "NCW", { 2, 3, 7 }, { 10 } }, { "nearest-exact", "NWC", { 2, 7, 3 }, { 4 } },
  { "linear", "NCW", { 2, 3, 7 }, { 10 } }, { "area", "NWC", { 2, 13, 3 }, { 5 } },
  { "nearest", "NHWC", { 2, 3, 5, 2 }, { 4, 11 } }, { "area", "NCHW", { 1, 2, 9, 7 }, { 4, 3 } },
  { "bilinear", "NCHW", { 1, 2, 5, 6 }, { 7, 13 } },
  { "bilinear", "NHWC", { 2, 5, 6, 3 }, { 3, 5 } },
  { "bicubic", "NCHW", { 1, 2, 5, 6 }, { 7, 13 } }, { "bicubic", "NHWC", { 1, 9, 8, 2 }, { 4, 5 } },
  { "trilinear", "NCDHW", { 1, 2, 3, 4, 5 }, { 5, 6, 7 } },
  { "trilinear", "NDHWC", { 1, 3, 4, 5, 2 }, { 2, 3, 9 } },
  { "area", "NCDHW", { 1, 1, 6, 7, 8 }, { 4, 3, 5 } },
  { "nearest", "NDHWC", { 1, 3, 4, 5, 2 }, { 2, 5, 9 } },
  { "bilinear", "NCHW", { 1, 1, 17, 23 }, { 5, 4 }, antialias = true },
  { "bicubic", "NHWC", { 1, 17, 23, 2 }, { 5, 30 }, antialias = true },
  { "bicubic", "NCHW", { 1, 2, 5, 6 }, { 7, 13 }, align_corners = true },
  { "bilinear", "NCHW", { 0, 2, 5, 6 }, { 7, 13 } },
} do
  local share = worst_share { op = "interpolate", profile = "torch", mode = case[1],
    coord_math = "framework", align_corners = case.align_corners or false,
    antialias = case.antialias or false,
    x = { layout = case[2], shape = case[3], dtype = "f32" }, size = case[4] }
  local name = ("%s %s %s: within the bound"):format(case[1], case[2], table.concat(case[4], "x"))
  if not tap.ok(share <= 1, name) then tap.diag(("%.3g of it"):format(share)) end
end

tap.done()
