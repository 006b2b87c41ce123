-- TRANSPOSE
-- =========
-- Registers as the rows of a matrix, turned into its columns, by the shuffles that machines have:
-- neighbours within 16 bytes first, then blocks of 16 bytes.

local types = require "upweave.ir.types"

local M = {}

-- Rows x and y interleaved in every 16 bytes by units of `unit` lanes, their lower or upper halves.
local function interleave(b, x, y, unit, block, upper)
  local lanes, n = {}, x.ty.lanes
  for base = 0, n - 1, block do
    for at = 0, block // 2 - 1, unit do
      for side = 0, 1 do
        for k = 0, unit - 1 do
          lanes[#lanes + 1] = base + at + k + (upper and block // 2 or 0) + side * n
        end
      end
    end
  end
  return b:shuffle(x, y, lanes)
end

-- Groups of `block` rows transposed within every 16 bytes: result[g][k] has column k of each block.
local function within_blocks(b, rows, block)
  local groups = {}
  for g = 0, #rows // block - 1 do
    local group = table.move(rows, g * block + 1, (g + 1) * block, 1, {})
    local unit = 1
    while unit < block do
      local out = {}
      for i = 1, block, 2 * unit do
        for k = 0, unit - 1 do
          local x, y = group[i + k], group[i + k + unit]
          out[i + 2 * k] = interleave(b, x, y, unit, block, false)
          out[i + 2 * k + 1] = interleave(b, x, y, unit, block, true)
        end
      end
      group, unit = out, 2 * unit
    end
    groups[g + 1] = group
  end
  return groups
end

-- Every second block of x, then of y, beginning with block `first`.
local function every_second(b, x, y, block, first)
  local lanes = {}
  for side = 0, 1 do
    for at = first * block, x.ty.lanes - 1, 2 * block do
      for k = 0, block - 1 do lanes[#lanes + 1] = at + k + side * x.ty.lanes end
    end
  end
  return b:shuffle(x, y, lanes)
end

-- The vectors of column i of a square matrix of blocks: list[i + 1] = block i of every row.
local function block_columns(b, rows, block)
  if #rows == 1 then return rows end
  local even, odd = {}, {}
  for i = 1, #rows, 2 do
    even[#even + 1] = every_second(b, rows[i], rows[i + 1], block, 0)
    odd[#odd + 1] = every_second(b, rows[i], rows[i + 1], block, 1)
  end
  local out = {}
  for i, v in ipairs(block_columns(b, even, block)) do out[2 * i - 1] = v end
  for i, v in ipairs(block_columns(b, odd, block)) do out[2 * i] = v end
  return out
end

-- n rows of n lanes: take(column, vector) for each column, those that share registers one after the
-- other.
local function square(b, rows, take)
  local block = math.min(#rows, 16 // types.element_bytes[rows[1].ty.elem])
  local groups = within_blocks(b, rows, block)
  for k = 1, block do
    local column = {}
    for g, group in ipairs(groups) do column[g] = group[k] end
    for i, v in ipairs(block_columns(b, column, block)) do take((i - 1) * block + k - 1, v) end
  end
end

--- take(column, vector) for each column of a matrix whose rows are vectors; both numbers are powers
--- of two, rows not more than columns.  Columns come in an order that needs few registers.
---@param b ir.Builder
---@param rows table[]
---@param take fun(column: integer, v: table)
function M.columns(b, rows, take)
  local n = #rows
  if n == 1 then
    for l = 0, rows[1].ty.lanes - 1 do take(l, b:shuffle(rows[1], nil, { l })) end
    return
  end
  for first = 0, rows[1].ty.lanes - 1, n do
    local part = {}
    for i, row in ipairs(rows) do
      local lanes = {}
      for k = 0, n - 1 do lanes[k + 1] = first + k end
      part[i] = b:shuffle(row, nil, lanes)
    end
    square(b, part, function(column, v) take(first + column, v) end)
  end
end

return M
