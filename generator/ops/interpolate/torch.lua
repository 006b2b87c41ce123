-- SPDX-License-Identifier: MIT
-- Rules of interpolate's arguments: torch.nn.functional.interpolate of PyTorch 2.13.
--
-- Invariant: a problem has `scale_factor` only where that enters the coordinates, which
-- align_corners and recompute_scale_factor exclude.

local common = require "upweave.ops.interpolate.common"
local list = require "upweave.util.list"
local modes = require "upweave.resample.modes"
local tensor = require "upweave.ops.tensor"

local M = {}

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
    hint = rank == 2 and common.mode_for(modes.list, rank, function(other)
      return other.smooth
    end) or "leave out antialias",
  })
end

-- Where no size changes PyTorch copies before it looks for a filter of the type.
local function check_dtype(given, mode, size, report)
  local space = tensor.spatial(given.x)
  local changes = not size or table.concat(size, "x") ~= table.concat(space, "x")
  local smooth = given.antialias and mode.smooth ~= nil and changes
  local dtypes = modes.dtypes(mode, smooth)
  if list.contains(dtypes, given.x.dtype) then return end
  report("E059", { "x", "dtype" }, { "x.dtype", "mode", smooth and "antialias" or nil }, {
    what = mode.name .. (smooth and " with antialias" or ""),
    dtype = given.x.dtype,
    dtypes = table.concat(dtypes, ", "),
    hint = dtypes[1],
  })
end

local function check_recompute(given, report)
  if given.size and given.recompute_scale_factor and not given.scale_factor and not given.y then
    report("E053", "recompute_scale_factor", { "recompute_scale_factor", "size" }, {})
  end
end

---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem   what is the operator's own in it
function M.check(given, report)
  local mode = list.named(modes.list, given.mode)
  common.check_rank(given, modes.list, mode, function(other)
    return not mode.aligned == not other.aligned
  end, report)
  check_align_corners(given, mode, report)
  check_antialias(given, mode, report)
  common.check_source(given, report)
  check_recompute(given, report)
  local size, y = common.infer(given, common.scaled, report)
  check_dtype(given, mode, size, report)
  if not size then return nil end
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

return M
