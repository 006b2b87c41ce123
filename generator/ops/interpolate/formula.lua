-- SPDX-License-Identifier: MIT
-- The definition of an interpolate problem in one line of text.
--
-- Purpose: filter, stretch and coordinates of the profile, by the words that these have for
-- themselves. Invariant: a function of the problem; plans are not needed.

local axis_of = require "upweave.ops.interpolate.axis"
local tensor = require "upweave.ops.tensor"

local NAMES <const> = { "d", "h", "w" }

-- What r and scale stand for in the rule.
local function meaning(problem, of)
  local given = problem.scale_factor ~= nil
  if of == "r" then return ", r = " .. (given and "1/scale_factor" or "in/out") end
  return of and ", scale = " .. (given and "scale_factor" or "out/in") or ""
end

local function sum(rank)
  local weights, out, inp = {}, {}, {}
  for i, axis in ipairs(table.move(NAMES, 4 - rank, 3, 1, {})) do
    weights[i] = ("W%s[%s,i%s]"):format(axis, axis, axis)
    out[i], inp[i] = axis, "i" .. axis
  end
  return ("y[n,c,%s] = sum %s * x[n,c,%s]"):format(table.concat(out, ","),
    table.concat(weights, " * "), table.concat(inp, ","))
end

---@param problem table
---@return string
return function(problem)
  local axis = axis_of(problem)
  local line = sum(tensor.rank(problem.x)) .. "; filter " .. axis.filter.name
  if axis.filter.kernel then line = line .. " stretched by " .. axis.stretch.text end
  local rule = axis.coordinates
  if not rule then return line .. " over " .. axis.filter.text end
  local of = rule.of or axis.filter.kernel and axis.stretch.of
  return ("%s at s = %s%s"):format(line, rule.text, meaning(problem, of))
end
