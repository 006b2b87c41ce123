-- SPDX-License-Identifier: MIT
-- What the heuristic chooses for the bench's kernels and a few others, with the pressure and the
-- totals of the kernel that comes out.  A change here is a change of speed: measure it.
-- UPDATE_GOLDEN=1 writes the table anew.

local tap = dofile "tests/lib/tap.lua"
local golden = dofile("tests/lib/golden.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local json = require "upweave.read.json"
local count = require "upweave.ir.count"
local driver = require "upweave.driver"
local schedules = require "upweave.schedule"

local function bench()
  local file = assert(io.open("bench/workloads.json", "rb"))
  local document = json.decode(file:read("a"))
  file:close()
  local list = {}
  for _, fields in ipairs(document.kernels) do
    local name = fields.name
    fields.name = nil
    if not fields.post then list[#list + 1] = { name = name, fields = fields } end
  end
  return list
end

local lines = {}
local function row(case, target)
  local problem = problems.make(case.fields)
  local r = assert(driver.compile(problem, { target = target, stop_after = "ir" }))
  local t = count.count(r.ir)
  lines[#lines + 1] = ("%-20s %-10s %s\n  %s; %d registers, %d tasks; %d loads, %d stores, "
    .. "%d arithmetic, %d shuffles"):format(case.name, target, schedules.text(r.schedule),
    r.schedule.why, r.pressure, r.ir.task_count, t.loads, t.stores, t.arithmetic, t.shuffles)
end

-- Single precision on both targets, other types on one of them by turns.
for number, case in ipairs(bench()) do
  local single = (case.fields.x.dtype or "f32") == "f32"
  if single or number % 2 == 0 then row(case, "icelake") end
  if single or number % 2 == 1 then row(case, "x86-64-v3") end
end
for number, case in ipairs(problems.small()) do
  if number % 2 == 1 then row(case, "x86-64-v3") end
end

golden.is(table.concat(lines, "\n") .. "\n", "schedules.txt")

tap.done()
