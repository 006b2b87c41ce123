-- COMPOSE
-- =======
-- Axis maps out of axis maps.  A plane, a row of pixels with interleaved channels, or several
-- small planes in a row are again one axis, so one lowering of an axis serves them all.

local axis = require "upweave.plan.axis"
local types = require "upweave.ir.types"

local M = {}

local function composed(name, input, taps, precision)
  return axis.new { name = name, input = input, output = #taps, taps = taps, precision = precision }
end

--- Two nested axes as one: output o = oo·inner.output + oi; weights are multiplied and rounded to
--- the arithmetic's element type.
---@param outer plan.Axis
---@param inner plan.Axis
---@param elem string
---@return plan.Axis
function M.product(outer, inner, elem)
  local taps = {}
  for _, t in ipairs(outer.taps) do
    for _, u in ipairs(inner.taps) do
      local at, weight = {}, {}
      for k, i in ipairs(t.index) do
        for l, j in ipairs(u.index) do
          at[#at + 1] = i * inner.input + j
          weight[#weight + 1] = types.round(elem, t.weight[k] * u.weight[l])
        end
      end
      taps[#taps + 1] = { index = at, weight = weight }
    end
  end
  return composed(outer.name .. inner.name, outer.input * inner.input, taps)
end

--- An axis whose elements are `channels` numbers each: element e = position·channels + channel.
---@param map plan.Axis
---@param channels integer
---@return plan.Axis
function M.interleaved(map, channels)
  if channels == 1 then return map end
  local taps = {}
  for _, t in ipairs(map.taps) do
    for channel = 0, channels - 1 do
      local at = {}
      for k, i in ipairs(t.index) do at[k] = i * channels + channel end
      taps[#taps + 1] = { index = at, weight = t.weight }
    end
  end
  return composed(map.name .. "c", map.input * channels, taps, map.precision)
end

--- `times` copies of an axis one after another.
---@param map plan.Axis
---@param times integer
---@return plan.Axis
function M.repeated(map, times)
  if times == 1 then return map end
  local taps = {}
  for copy = 0, times - 1 do
    for _, t in ipairs(map.taps) do
      local at = {}
      for k, i in ipairs(t.index) do at[k] = copy * map.input + i end
      taps[#taps + 1] = { index = at, weight = t.weight }
    end
  end
  return composed(map.name, map.input * times, taps, map.precision)
end

return M
