-- SPDX-License-Identifier: MIT
-- Problems for tests: a kernel's fields as a user writes them to a canonical problem, and lists of
-- small shapes that reach every edge a lowering has.

local spec = require "upweave.spec"

local M = {}

--- The canonical problem of a kernel's fields; errors where they are invalid.
---@param fields table
---@return table
function M.make(fields)
  fields.op = fields.op or "interpolate"
  local document, faults = spec.validate {
    { name = fields.name or "k", fields = fields, where = function() return "test" end },
  }
  if not document then
    error(require("upweave.util.diagnostics").format(faults), 2)
  end
  return document.kernels[1]
end

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

--- Small problems of every mode, rank and layout: odd sizes, one pixel, batches, channel counts
--- that no vector divides, periods and none.
---@return { name: string, fields: table }[]
function M.small()
  local list = {}
  local function add(name, fields) list[#list + 1] = { name = name, fields = fields } end
  for _, mode in ipairs { "nearest", "nearest-exact", "linear", "area" } do
    add(mode .. " NCW up", { x = tensor("NCW", 2, 3, 7), mode = mode, size = { 19 } })
    add(mode .. " NWC down", { x = tensor("NWC", 1, 23, 5), mode = mode, size = { 9 } })
  end
  for _, mode in ipairs { "nearest", "bilinear", "bicubic", "area" } do
    add(mode .. " NCHW 2x", {
      x = tensor("NCHW", 1, 2, 5, 18), mode = mode, scale_factor = { 2, 2 }
    })
    add(mode .. " NCHW odd", { x = tensor("NCHW", 2, 1, 7, 13), mode = mode, size = { 11, 17 } })
    add(mode .. " NCHW down", { x = tensor("NCHW", 1, 1, 13, 37), mode = mode, size = { 5, 11 } })
    add(mode .. " NHWC 3 channels", {
      x = tensor("NHWC", 1, 4, 9, 3), mode = mode, scale_factor = { 3, 2 }
    })
    add(mode .. " NHWC 21", { x = tensor("NHWC", 1, 3, 4, 21), mode = mode, size = { 5, 7 } })
    add(mode .. " one pixel", { x = tensor("NCHW", 1, 3, 1, 1), mode = mode, size = { 3, 5 } })
    add(mode .. " to one pixel", { x = tensor("NHWC", 1, 5, 6, 2), mode = mode, size = { 1, 1 } })
  end
  for _, mode in ipairs { "bilinear", "bicubic" } do
    add(mode .. " corners", {
      x = tensor("NCHW", 1, 1, 9, 9), mode = mode, size = { 33, 17 }, align_corners = true,
    })
    add(mode .. " antialias", {
      x = tensor("NCHW", 1, 1, 21, 50), mode = mode, size = { 8, 19 }, antialias = true,
    })
    add(mode .. " exact", {
      x = tensor("NCHW", 1, 1, 6, 20), mode = mode, scale_factor = { 1.5, 2.25 },
      coord_math = "exact",
    })
  end
  for _, mode in ipairs { "nearest", "trilinear", "area" } do
    add(mode .. " NCDHW", { x = tensor("NCDHW", 1, 2, 3, 4, 5), mode = mode, size = { 5, 7, 9 } })
    add(mode .. " NDHWC", {
      x = tensor("NDHWC", 2, 2, 3, 4, 5), mode = mode, scale_factor = { 2, 2, 1 }
    })
  end
  add("many taps NCHW", { x = tensor("NCHW", 1, 2, 40, 50), mode = "area", size = { 3, 2 } })
  add("many taps NHWC", {
    x = tensor("NHWC", 1, 37, 13, 16), mode = "bilinear", size = { 2, 13 }, antialias = true,
  })
  add("mean of 21 channels", { x = tensor("NHWC", 2, 12, 13, 21), mode = "area", size = { 1, 1 } })
  add("wide, no period", { x = tensor("NCHW", 1, 1, 2, 83), mode = "bicubic", size = { 3, 997 } })
  add("tall", { x = tensor("NCHW", 1, 1, 40, 5), mode = "bilinear", scale_factor = { 2, 2 } })
  add("empty batch", { x = tensor("NCHW", 0, 3, 4, 4), mode = "bilinear", size = { 8, 8 } })
  return list
end

return M
