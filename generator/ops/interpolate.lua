-- SPDX-License-Identifier: MIT
-- Operator: interpolate.
--
-- Purpose: resizing of the spatial axes with PyTorch's arguments, their rules and their meaning
-- (torch.nn.functional.interpolate of PyTorch 2.13). The modes themselves are data of resample/.
-- Invariants: a problem has `size`; it has `scale_factor` only where that enters the coordinates,
-- which align_corners and recompute_scale_factor exclude. A kernel that states `y` is in canonical
-- form: there every default is explicit, so the rules on which arguments may stand side by side
-- give way to the check that y is what the operator gives.

local json = require "upweave.util.json"
local list = require "upweave.util.list"
local modes = require "upweave.resample.modes"
local resample = require "upweave.resample"
local tensor = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {
  name = "interpolate",
  aliases = { interpolate1d = 1, interpolate2d = 2, interpolate3d = 3 },
  summary = "resizes the spatial axes (torch.nn.functional.interpolate)",
  inputs = { "x" },
  outputs = { "y" },
  dtypes = { "f32" },
  ranks = { 1, 2, 3 },
}

M.attributes = {
  {
    name = "mode",
    kind = "enum",
    values = list.column(modes.list, "name"),
    default = "nearest",
    doc = "linear needs rank 1, bilinear and bicubic 2, trilinear 3; area is the mean of the"
      .. " pixels that an output touches",
  },
  {
    name = "size",
    kind = "int_list",
    min = 1,
    doc = "output size; either this or scale_factor",
  },
  {
    name = "scale_factor",
    kind = "number_list",
    above = 0,
    doc = "output size is trunc(input * scale_factor), computed in double; without"
      .. " recompute_scale_factor the coordinates use 1 / scale_factor, not input / output",
  },
  {
    name = "align_corners",
    kind = "bool",
    doc = "the centres of the corner pixels coincide; for linear, bilinear, bicubic and trilinear"
      .. " only, there false if not given; scale_factor then decides the output size only",
  },
  {
    name = "recompute_scale_factor",
    kind = "bool",
    default = false,
    doc = "coordinates use input / output; needs scale_factor; area always does",
  },
  {
    name = "antialias",
    kind = "bool",
    default = false,
    doc = "the filter widens over the pixels that a smaller output skips; bilinear and bicubic of"
      .. " rank 2 only; bicubic then has Keys' a = -0.5 instead of -0.75",
  },
}

-- A mode for this rank, as like the given one as there is.
local function mode_for(rank, accepts)
  for _, mode in ipairs(modes.list) do
    if list.contains(mode.ranks, rank) and accepts(mode) then
      return ('mode = "%s"'):format(mode.name)
    end
  end
  return false
end

local function becomes(x, size)
  return ("    (y becomes %s)"):format(text.shape(tensor.resized(x, size).shape))
end

-- trunc(I * s) of the double product; a number beyond integers stays a number for the limits.
local function scaled(x, factors)
  local size = tensor.spatial(x)
  for i, n in ipairs(size) do
    local product = n * factors[i]
    size[i] = math.tointeger(product - math.fmod(product, 1)) or product
  end
  return size
end

local function check_rank(given, mode, report)
  local rank = tensor.rank(given.x)
  if list.contains(mode.ranks, rank) then
    return
  end
  report("E055", "mode", { "mode", "x.shape" }, {
    mode = mode.name,
    ranks = table.concat(mode.ranks, ", "),
    shape = text.shape(given.x.shape),
    got = rank,
    hint = mode_for(rank, function(other)
      return not mode.aligned == not other.aligned
    end),
  })
end

local function check_align_corners(given, mode, report)
  local implied = given.y and given.align_corners == false
  if given.align_corners ~= nil and not mode.aligned and not implied then
    report("E052", "align_corners", { "align_corners", "mode" }, { mode = mode.name })
  end
end

local function check_antialias(given, mode, report)
  local rank = tensor.rank(given.x)
  if not given.antialias or (mode.smooth and list.contains(mode.ranks, rank) and rank == 2) then
    return
  end
  report("E054", "antialias", { "antialias", "mode", "x.shape" }, {
    hint = rank == 2 and mode_for(rank, function(other)
      return other.smooth
    end) or "leave out antialias",
  })
end

-- Which of size and scale_factor holds.
local function check_source(given, report)
  if given.size and given.scale_factor and not given.y then
    report("E050", "size", { "size", "scale_factor" }, {
      hint = "leave out scale_factor" .. becomes(given.x, given.size),
    })
  elseif not given.size and not given.scale_factor then
    report("E051", "size", {}, {})
  elseif given.recompute_scale_factor and not given.scale_factor and not given.y then
    report("E053", "recompute_scale_factor", { "recompute_scale_factor", "size" }, {})
  end
end

local function check_not_empty(given, size, report)
  local input, possible, empty = tensor.spatial(given.x), {}, nil
  for i, n in ipairs(size) do
    possible[i] = math.max(n, 1)
    empty = empty or (n < 1 and i)
  end
  if empty then
    report("E056", "scale_factor", { "scale_factor", "x.shape" }, {
      input = input[empty],
      scale = json.number(given.scale_factor[empty]),
      hint = ("size = %s instead of scale_factor"):format(text.value(possible))
        .. becomes(given.x, possible),
    })
  end
  return not empty
end

-- The size of the output, or nil if it was reported as impossible.
local function infer(given, report)
  local size = given.size
  if given.scale_factor then
    size = scaled(given.x, given.scale_factor)
    if not check_not_empty(given, size, report) then
      return nil
    end
  end
  local key = given.scale_factor and "scale_factor" or "size"
  local code, fields = tensor.limit("y", tensor.resized(given.x, size))
  if code then
    report(code, key, { key, "x.shape" }, fields)
    return nil
  end
  return size
end

local function check_stated(given, y, report)
  local size = given.size
  if given.y and not tensor.equal(given.y, y) then
    report("E058", "y", { "y" }, { y = tensor.describe(y) })
  elseif given.y and size and text.shape(size) ~= text.shape(tensor.spatial(y)) then
    report("E058", "size", { "size", "scale_factor" }, { y = tensor.describe(y) })
  end
end

--- Checks typed fields against PyTorch's rules; `report(code, key, shown keys, fields)` takes each
--- mistake. The result is a problem only if nothing was reported.
---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem
function M.check(given, report)
  local mode = modes.find(given.mode)
  check_rank(given, mode, report)
  check_align_corners(given, mode, report)
  check_antialias(given, mode, report)
  check_source(given, report)
  local size = (given.size or given.scale_factor) and infer(given, report)
  if not size then
    return nil
  end
  local y = tensor.resized(given.x, size)
  check_stated(given, y, report)
  local aligned = given.align_corners or false
  -- Area has no coordinates: PyTorch recomputes its scale whatever was said.
  local recompute = given.recompute_scale_factor
    or (mode.coordinates == nil and given.scale_factor ~= nil)
  return {
    x = given.x,
    y = y,
    mode = given.mode,
    size = size,
    scale_factor = not (recompute or aligned) and given.scale_factor or nil,
    align_corners = aligned,
    recompute_scale_factor = recompute,
    antialias = given.antialias,
  }
end

--- The kernel's tensors in the order of its arguments.
---@param problem table
---@return table[]
function M.tensors(problem)
  return { tensor.record("x", "input", problem.x), tensor.record("y", "output", problem.y) }
end

--- The mathematics: a plan of the form resample.
---@param problem table
---@return table plan
function M.plan(problem)
  return resample.plan(problem)
end

local COORDINATES <const> = {
  asymmetric = "s = r*o",
  half_pixel = "s = r*(o + 1/2) - 1/2",
  align_corners = "s = o*(in - 1)/(out - 1)",
}

local function ratio_text(problem)
  return problem.scale_factor and "r = 1/scale_factor" or "r = in/out"
end

--- The definition in one line of text.
---@param problem table
---@return string
function M.formula(problem)
  local mode = modes.find(problem.mode)
  local filter = problem.antialias and mode.smooth or mode.sharp
  local all = { "d", "h", "w" }
  local rank = tensor.rank(problem.x)
  local weights, out, inp = {}, {}, {}
  for i, axis in ipairs(table.move(all, 4 - rank, 3, 1, {})) do
    weights[i] = ("W%s[%s,i%s]"):format(axis, axis, axis)
    out[i], inp[i] = axis, "i" .. axis
  end
  local line = ("y[n,c,%s] = sum %s * x[n,c,%s]; filter %s"):format(
    table.concat(out, ","),
    table.concat(weights, " * "),
    table.concat(inp, ","),
    filter.name
  )
  if problem.antialias then
    line = line .. " stretched by max(1, r)"
  end
  local coordinates = problem.align_corners and mode.aligned or mode.coordinates
  if not coordinates then
    return line .. " over [floor(o*in/out), ceil((o + 1)*in/out))"
  end
  local rule = problem.align_corners and "" or ", " .. ratio_text(problem)
  return line .. " at " .. COORDINATES[coordinates.name] .. rule
end

-- An initialiser of the three spatial places of the reference's parameters; unused ones are 0.
local function three(values)
  local texts = {}
  for i = 1, 3 do
    texts[i] = values and values[i] and json.number(values[i]) or "0"
  end
  return "{" .. table.concat(texts, ", ") .. "}"
end

local function flag(condition)
  return condition and "1" or "0"
end

--- The parameters of the C reference: field by field, in the order of its struct.
---@param problem table
---@return {func: string, type: string, fields: string[][]}
function M.reference(problem)
  local x = problem.x
  return {
    func = "upw_ref_interpolate",
    type = "struct upw_ref_interpolate",
    fields = {
      { "mode", "UPW_REF_" .. problem.mode:upper():gsub("%-", "_") },
      { "rank", tostring(tensor.rank(x)) },
      { "planar", flag(tensor.planar(x)) },
      { "align_corners", flag(problem.align_corners) },
      { "antialias", flag(problem.antialias) },
      { "exact", flag(problem.coord_math == "exact") },
      { "batch", tostring(x.shape[1]) },
      { "channels", tostring(tensor.channels(x)) },
      { "in", three(tensor.spatial(x)) },
      { "out", three(problem.size) },
      { "scale", three(problem.scale_factor) },
    },
  }
end

return M
