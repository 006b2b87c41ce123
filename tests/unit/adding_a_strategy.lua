-- SPDX-License-Identifier: MIT
-- The strategy of docs/adding-a-strategy.md works as it stands there.
--
-- It is put into the list of strategies as the page says; schedule texts reach it, its kernels are
-- interpreted and compared with the reference.  No C compiler.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile "tests/lib/ir.lua"(tap)
local problems = dofile "tests/lib/problems.lua"
local reference = dofile "tests/lib/reference.lua"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local lower = require "upweave.lower"

local page = assert(io.open("docs/adding-a-strategy.md")):read("a")
local source = assert(page:match("\n```lua\n(.-)\n```"))
local strategy = assert(load(source, "=docs/adding-a-strategy.md"))()

-- The list that lower.list walks.
local function registered()
  for i = 1, 4 do
    local name, value = debug.getupvalue(lower.list, i)
    if name == "order" then return value end
  end
end

table.insert(assert(registered(), "lower.list walks another list"), strategy)

-- The worst of |y - want| in units of the bound; above 1 it is wrong.
local function worst(y, want, magnitude, terms)
  local most = 0.0
  for i, w in ipairs(want) do
    local bound = terms[i] == 0 and 0 or (terms[i] + 4) * 2.0 ^ -24 * magnitude[i]
    local off = math.abs(y[i - 1] - w)
    most = math.max(most, off <= bound and 0.0 or off / bound)
  end
  return most
end

local function check(case, text, target)
  local problem = problems.make(case.fields)
  problem.schedule = text
  local r = driver.compile(problem, { target = target })
  local label = ("%s: %s on %s"):format(case.name, text, target)
  if not r then
    tap.ok(#problem.x.shape == 3, label .. ": illegal for one spatial axis only")
    return
  end
  local size = 1
  for _, n in ipairs(problem.x.shape) do size = size * n end
  local x = ir.noise(size)
  local memory = { x = ir.array(x), y = {} }
  eval.eval(r.ir, memory)
  tap.ok(worst(memory.y, reference.interpolate(problem, x)) <= 1, label)
end

for number, case in ipairs(problems.small()) do
  check(case, number % 2 == 0 and "twopass:order=xy" or "twopass:order=yx",
    number % 3 == 0 and "generic" or "x86-64-v4")
end
tap.done()
