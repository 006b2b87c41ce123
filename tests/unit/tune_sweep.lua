-- SPDX-License-Identifier: MIT
-- Sweeps: which configurations a product has, what those say that cannot be, and how they are
-- measured.

local tap = dofile "tests/lib/tap.lua"
local driver = require "upweave.driver"
local list = require "upweave.util.list"
local spec = require "upweave.spec"
local sweep = require "upweave.tune.sweep"
local sweeps = require "upweave.spec.sweep"
local targets = require "upweave.target"

local function axes_of(fields) return assert(sweeps.read { fields = fields, where = "here" }) end

local function kernel(name, more)
  local fields = { op = "interpolate", x = { shape = { 1, 2, 4, 6 }, layout = "NCHW" },
    mode = "bilinear", scale_factor = 2 }
  for key, value in pairs(more or {}) do fields[key] = value end
  return { name = name, fields = fields, where = function() return "here" end }
end

local function target_of(name)
  local target = targets.find(name or "generic")
  if target then return target end
  return nil, "there is no " .. name
end

local function configurations(kernels, fields, overrides)
  return sweep.configurations(kernels, axes_of(fields), overrides or {}, target_of)
end

-- configurations --------------------------------------------------------------------------------

local all = configurations({ kernel "a", kernel "b" }, {
  target = { "x86-64-v3", "none" }, shape = { { 1, 2, 4, 6 }, { 1, 2, 5, 6 } },
  layout = { "NCHW", "NHWC" }, schedule = { "rolling:rows=2", { rows = { 1, 2 } } },
})
tap.is(#all, 48, "a product of two kernels and four axes")
tap.is(all[25].kernel, "b", "kernels are outermost")
local first = all[1]
tap.is(first.status, "open", "one that can be is open")
tap.is(first.schedule:match("rows=%d"), "rows=2", "with the schedule's text")
tap.is(first.target.name, "x86-64-v3", "and its target")
tap.same(first.problem.x.shape, { 1, 2, 4, 6 }, "in the first shape")
tap.same(all[7].problem.x.shape, { 1, 2, 5, 6 }, "then in the second")
tap.is(all[4].problem.x.layout, "NHWC", "layouts change faster than shapes")
tap.is(all[4].identity, spec.identity(all[4].problem), "each knows who it is")
tap.is(first.candidate.flops, first.candidate.problem and driver.compile(first.problem,
  { target = target_of(), stop_after = "plan" }).plan.flops, "and how much it calculates")
tap.is(#first.candidate.c_sha256, 64, "and its C")
local fastest = list.column({ all[1], all[2], all[3] }, "schedule")
tap.ok(fastest[2]:find("rows=1", 1, true) and fastest[3]:find("rows=2", 1, true),
  "lists of knobs are expanded")
tap.is(fastest[2]:match("^[%w-]+"), driver.compile(first.problem, { target = first.target,
  stop_after = "schedule" }).schedule.strategy, "knobs change what the heuristic chose")

local unknown = all[13]
tap.is(unknown.status .. ": " .. unknown.reason, "cannot run: there is no none",
  "a target that is not there says so")
tap.is(unknown.target .. " " .. unknown.layout .. " " .. unknown.schedule,
  "none NCHW rolling:rows=2", "and what was asked for")

local illegal = configurations({ kernel "a" },
  { schedule = { { rows = 999 }, "rolling:rows=999" } })
tap.is(illegal[1].status, "illegal", "a value that is none is kept")
tap.like(illegal[1].reason, "knobs", "with its reason")
tap.like(illegal[1].schedule, "rows=999", "and its text")
tap.ok(illegal[1].candidate == nil and illegal[2].candidate == nil, "but is no candidate")
tap.is(illegal[2].schedule, "rolling:rows=999", "a text stays as it was written")

local mistaken = configurations({ kernel("a", { mode = "cubical" }) }, { layout = { "NCHW" } })
tap.is(mistaken[1].status, "illegal", "a kernel that is none is kept")
tap.like(mistaken[1].reason, "must be one of nearest", "with its reason")
tap.is(mistaken[1].layout, "NCHW", "and its layout")

local named = configurations({ kernel("a", { schedule = "rolling:rows=2" }) },
  { schedule = { { strategy = "blended" }, { strategy = "rolling", rows = 1 } } })
tap.is(named[1].schedule:match("^[%w-]+"), "blended", "a table may name a strategy")
tap.like(named[2].schedule, "rows=1", "and its knobs")
local plain = configurations({ kernel("a", { schedule = "rolling:rows=2" }) }, {},
  { layout = "NHWC" })
tap.is(#plain, 1, "without any axis a kernel is one configuration")
tap.like(plain[1].schedule or "", "rolling:rows=2", "of its own schedule")
tap.is(plain[1].problem.x.layout, "NHWC", "and the layout of the command line")
tap.is(plain[1].target.name, "generic", "on the target that is asked for")
local laid = configurations({ kernel "a" }, { layout = { "NCHW" } }, { layout = "NHWC" })
tap.is(laid[1].problem.x.layout, "NCHW", "the sweep's layout goes before it")

-- measuring -------------------------------------------------------------------------------------

-- Measures configurations that are marks only; batches are told as text.
local function run(count, changes)
  local marks, batches, kept, watched = {}, {}, {}, {}
  for i = 1, count do
    local identity = i > 10 and "b" or "a"
    marks[i] = { name = tostring(i), target = "t", identity = identity, status = "open" }
  end
  for i, status in pairs(changes.status or {}) do marks[i].status = status end
  local ok, faults = sweep.run(marks, {
    known = function(one) return one.name == changes.known and { status = "ok", median_ns = 7 } end,
    measure = function(batch, rounds)
      if changes.fails == #batches + 1 then return nil, { "no program" } end
      batches[#batches + 1] = table.concat(list.column(batch, "name"), " ") .. " x" .. rounds
      local results = {}
      for i, one in ipairs(batch) do
        results[i] = one.name == "3" and { status = "wrong", reason = "7 elements" }
          or { status = "ok", median_ns = tonumber(one.name) }
      end
      return results
    end,
    keep = function(one, result)
      if changes.full == one.name then return nil, { "full" } end
      kept[#kept + 1] = one.name .. "=" .. result.status
      return true
    end,
    watch = function(done, total) watched[#watched + 1] = done .. "/" .. total end,
  })
  return marks, { ok = ok, faults = faults, batches = batches, kept = kept, watched = watched }
end

local marks, seen = run(12, { known = "2", status = { [5] = "illegal" } })
tap.is(seen.ok, true, "what is open is measured")
tap.same(seen.batches, { "1 3 4 6 7 8 9 10 x15", "11 12 x15" },
  "in batches of one kernel, of 8 at most, without what is known or cannot be")
tap.same(seen.watched, { "10/12", "12/12" }, "the number of those that are done is told")
tap.is(#seen.kept, 10, "what is new is kept")
tap.is(marks[2].result.median_ns, 7, "what is known has its times")
tap.is(marks[4].result.median_ns, 4, "and so has what was measured")
tap.is(marks[3].status .. ": " .. marks[3].reason, "wrong: 7 elements", "a wrong one says why")
tap.is(marks[5].status, "illegal", "what cannot be stays as it was")
seen = select(2, run(9, {}))
tap.same(seen.batches, { "1 2 3 4 5 6 7 8 x15", "9 x15" }, "nine are two batches")
marks, seen = run(12, { fails = 2 })
tap.ok(not seen.ok and seen.faults[1] == "no program", "a program that fails ends the sweep")
tap.is(#seen.kept .. " " .. marks[12].status, "8 open", "after what was measured before is kept")
seen = select(2, run(3, { full = "2" }))
tap.ok(not seen.ok and seen.faults[1] == "full", "a full disk ends it, too")
tap.same(seen.kept, { "1=ok" }, "at once")

tap.done()
