-- SPDX-License-Identifier: MIT
-- Schedules: their text, every legal one read back, every way to be wrong, legality at its exact
-- borders, and where the heuristic changes its mind.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local diagnostics = require "upweave.util.diagnostics"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local schedules = require "upweave.schedule"
local targets = require "upweave.target"
local text = require "upweave.schedule.text"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function problem_of(mode, x, size)
  return problems.make { x = x, mode = mode, size = size }
end
local function plan_of(problem) return ops.find(problem.op).plan(problem) end

-- text -------------------------------------------------------------------------------------------

local strategy, settings = text.parse "rolling:rows=4,stores=cached"
tap.is(strategy, "rolling", "the strategy")
tap.same(settings, { { name = "rows", value = "4" }, { name = "stores", value = "cached" } },
  "and its knobs, in order")
tap.is(#select(2, text.parse "plane"), 0, "a strategy alone")
tap.is((text.parse "plane:"), "plane", "with a colon")
for given, reason in pairs {
  [""] = "does not start with the name", [":rows=1"] = "does not start with the name",
  ["a b"] = "` b` is not of the form", ["rolling:rows"] = "`rows` is not of the form knob=value",
  ["rolling:rows=1,"] = "`` is not of the form", ["rolling:=1"] = "`=1` is not of the form",
  ["rolling:rows="] = "`rows=` is not of the form",
  ["rolling:rows=1;strips=2"] = "`rows=1;strips=2` is not of the form",
  ["rolling:rows=1 "] = "not of the form", ["rolling,rows=1"] = "`` is not of the form",
} do
  local name, why = text.parse(given)
  tap.is(name, nil, ("`%s` cannot be read"):format(given))
  tap.like(why, reason, ("`%s`: because"):format(given))
end
local two = { strategy = "s", knobs = { a = 1, b = "x" }, order = { "b", "a" } }
tap.is(text.print(two), "s:b=x,a=1", "knobs are printed in the strategy's order")
tap.is(text.print { strategy = "s", knobs = {}, order = {} }, "s", "no knobs")

-- every legal combination is what its text says ---------------------------------------------

local function combinations(knobs)
  local list = { {} }
  for _, knob in ipairs(knobs) do
    local longer = {}
    for _, start in ipairs(list) do
      for _, value in ipairs(knob.values) do
        local copy = {}
        for _, other in ipairs(knobs) do copy[other.name] = start[other.name] end
        copy[knob.name] = value
        longer[#longer + 1] = copy
      end
    end
    list = longer
  end
  return list
end

local function round_trip(problem, target)
  local plan, count, fault = plan_of(problem), 0, nil
  for _, s in ipairs(lower.list(plan)) do
    local order, knobs = {}, s.knobs(plan, target)
    for i, knob in ipairs(knobs) do order[i] = knob.name end
    for _, values in ipairs(combinations(knobs)) do
      local wanted = text.print { strategy = s.name, knobs = values, order = order }
      local got, diagnostic = schedules.resolve(problem, plan, target, wanted)
      local legal = s.legal(plan, values, target)
      if legal and not (got and schedules.text(got) == wanted and got.chosen_by == "given") then
        fault = wanted .. " does not come back"
      elseif not legal and (got or diagnostic.code ~= "E204") then
        fault = wanted .. " is not refused"
      end
      count = count + 1
    end
  end
  return fault, count
end
for _, fields in ipairs {
  { "bilinear", tensor("NCHW", 1, 4, 6, 8), { 12, 16 } },
  { "bicubic", tensor("NHWC", 1, 6, 5, 16), { 7, 8 } },
  { "trilinear", tensor("NCDHW", 1, 2, 3, 4, 8), { 6, 8, 16 } },
  { "linear", tensor("NWC", 1, 30, 8), { 60 } },
} do
  for _, name in ipairs { "generic", "x86-64-v3", "icelake" } do
    local fault, count = round_trip(problem_of(table.unpack(fields)), targets.find(name))
    tap.ok(not fault, ("%s %s on %s: %d schedules"):format(fields[1], fields[2].layout, name,
      count))
    if fault then tap.diag(fault) end
  end
end

-- a knob that is not named has its default
local small = problem_of("bilinear", tensor("NCHW", 1, 4, 6, 8), { 12, 16 })
local v3 = targets.find "x86-64-v3"
local partial = schedules.resolve(small, plan_of(small), v3, "rolling:strips=2")
tap.is(schedules.text(partial), "rolling:rows=1,strips=2,stores=cached", "defaults are filled in")
tap.is(partial.why, "the spec or a flag says so", "and who chose is said")
local later = schedules.resolve(small, plan_of(small), v3, "rolling:strips=2,strips=4")
tap.is(later.knobs.strips, 4, "the last of two values holds")
for _, s in ipairs(lower.list { form = "resample" }) do
  local schedule = schedules.resolve(small, plan_of(small), v3, s.name)
  for _, knob in ipairs(schedule and s.knobs(plan_of(small), v3) or {}) do
    tap.is(schedule.knobs[knob.name], knob.default, ("default of %s %s"):format(s.name, knob.name))
    tap.ok(knob.doc ~= "" and #knob.values >= 1, ("%s %s is explained"):format(s.name, knob.name))
  end
end
tap.is(lower.find "no such", nil, "an unknown strategy is none")
tap.is(#lower.list { form = "no such" }, 0, "no strategy of another form")

-- every way to be wrong ---------------------------------------------

local function refused(wanted, code, part, problem)
  problem = problem or small
  local schedule, fault = schedules.resolve(problem, plan_of(problem), v3, wanted)
  tap.is(schedule, nil, wanted .. " is refused")
  tap.is(fault and fault.code, code, wanted .. ": " .. code)
  tap.like(diagnostics.format { fault }, part, wanted .. ": says why")
  tap.like(diagnostics.format { fault }, ('schedule = "%s"'):format(wanted), wanted .. ": where")
end
refused("rolling:rows", "E200", "`rows` is not of the form knob=value")
refused("roling", "E201", "there is no strategy `roling`")
refused("roling", "E201", "= try: rolling")
refused("roling", "E201", "the strategies are rolling, blended, channels, registers, plane")
refused("fused", "E201", "there is no strategy `fused`")
refused("rolling:row=1", "E202", "strategy rolling has no knob `row`")
refused("rolling:row=1", "E202", "= try: rows")
refused("rolling:row=1", "E202", "its knobs are rows, strips, stores")
refused("rolling:rows=5", "E203", "knob rows cannot be `5`")
refused("rolling:rows=5", "E203", "its legal values here are 1, 2, 3, 4, 8")
refused("rolling:stores=fast", "E203", "= try: stores=cached")
refused("channels", "E204", "channels needs an interleaved tensor")
refused("rolling", "E204", "rolling needs rows",
  problem_of("linear", tensor("NCW", 1, 1, 9), { 18 }))
local volume = problem_of("trilinear", tensor("NCDHW", 1, 1, 3, 40, 5), { 6, 80, 10 })
refused("rolling:strips=2", "E204", "strips of a plane are for two spatial axes", volume)
refused("blended:strips=2", "E204", "strips cut the rows of two spatial axes, the tensor has 3",
  volume)

-- legality at its borders ---------------------------------------------

-- the fewest registers with which a schedule is legal
local function registers_needed(name, problem, knobs, lanes)
  local plan = plan_of(problem)
  for registers = 1, 400 do
    local machine = { name = "made-up", registers = registers, vector_bytes = lanes * 4 }
    if lower.find(name).legal(plan, knobs, machine) then return registers end
  end
end
local cubic = problem_of("bicubic", tensor("NCHW", 1, 1, 9, 40), { 18, 80 })
for rows, want in pairs { [1] = 1, [2] = 13, [3] = 17, [4] = 21, [8] = 37 } do
  tap.is(registers_needed("rolling", cubic, { rows = rows, strips = 1 }, 8), want,
    ("rolling, 4 taps, rows=%d"):format(rows))
end
tap.is(registers_needed("rolling", small, { rows = 4, strips = 1 }, 8), 11,
  "rolling, 2 taps, rows=4")
tap.is(registers_needed("registers", small, {}, 8), 2 * 2 + 3, "registers: 2 rows of 2 vectors")
tap.is(registers_needed("registers", small, {}, 4), 2 * 4 + 3, "registers: 2 rows of 4 vectors")
tap.is(registers_needed("registers", problem_of("bicubic", tensor("NCHW", 1, 1, 9, 8), { 18, 17 }),
  {}, 8), 4 * 3 + 3, "registers: 4 rows of 3 vectors")

-- straight-line code has a limit: 2 vectors · (rows·2·2 taps + 2·rows·(2 taps + 1)) operations
local function most_rows(limit)
  local legal
  for rows = 1, 200 do
    local plan = plan_of(problem_of("bilinear", tensor("NCHW", 1, 1, rows, 8), { 2 * rows, 16 }))
    if lower.find("registers").legal(plan, {}, v3) then legal = rows end
  end
  return legal, limit // 20
end
local got, want = most_rows(1536)
tap.is(got, want, "registers: 1536 operations at most")

tap.done()
