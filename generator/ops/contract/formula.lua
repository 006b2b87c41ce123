-- SPDX-License-Identifier: MIT
-- The definition of a conv or conv_transpose problem in one line of text.

local tensor = require "upweave.ops.tensor"

local NAMES <const> = { "d", "h", "w" }

local function plus(number)
  if number == 0 then return "" end
  return (number > 0 and " + %d" or " - %d"):format(math.abs(number))
end

local function times(factor, name)
  return factor == 1 and name or ("%d*%s"):format(factor, name)
end

-- The input that tap k of output `name` reads.
local function position(problem, i, name)
  local stride, pad = problem.stride[i], problem.padding[i]
  local tap = times(problem.dilation[i], "k" .. name)
  if problem.op == "conv" then
    return ("%s + %s%s"):format(times(stride, name), tap, plus(-pad))
  end
  local reach = ("%s - %s%s"):format(name, tap, plus(pad))
  return stride == 1 and reach or ("(%s)/%d"):format(reach, stride)
end

-- The channels of x and of the weights.
local function channels(problem)
  local ci = tensor.channels(problem.x) // problem.groups
  local co = problem.out_channels // problem.groups
  local x, o = "i", "o"
  if problem.groups > 1 then
    x = ci == 1 and ("o/%d"):format(co) or ("o/%d*%d + i"):format(co, ci)
    if co == 1 then x = ci == 1 and "o" or ("o*%d + i"):format(ci) end
    o = ("o%%%d"):format(co)
  end
  if problem.op == "conv" then return x, "o,i" end
  return x, ("%s,%s"):format(x, o)
end

---@param problem table
---@return string
return function(problem)
  local rank = tensor.rank(problem.x)
  local out, taps, inputs, divided = {}, {}, {}, false
  for i, name in ipairs(table.move(NAMES, 4 - rank, 3, 1, {})) do
    out[i], taps[i], inputs[i] = name, "k" .. name, position(problem, i, name)
    divided = divided or problem.op ~= "conv" and problem.stride[i] > 1
  end
  local x, weight = channels(problem)
  local line = ("y[n,o,%s] = %ssum weight[%s,%s] * x[n,%s,%s]"):format(table.concat(out, ","),
    problem.bias and "bias[o] + " or "", weight, table.concat(taps, ","), x,
    table.concat(inputs, ","))
  if divided then line = line .. " over whole quotients" end
  if #problem.post > 0 then line = line .. "; " .. table.concat(problem.post, ", ") end
  return line
end
