-- ROWS
-- ====
-- Loops over the outer axes of a convolution: over the rows of the output that a task makes, and
-- over the rows of the kernel that meet the input.

local M = {}

---@class lower.contract.Row   rows of y that are made together
---@field turns { of: lower.contract.Outer, at: ir.Index }[]   of the outer axes
---@field n integer        how many
---@field input integer    elements from the input of one to that of the next
---@field output integer   the same of their outputs

-- Strides of the rows that are read: of x or of its stage.
local function strides(k) return (k.stage or k.frame.from).axes end

-- The rows of a part: the outermost axis is cut.
local function nest(k, depth, part, turns, fn)
  if depth == k.plan.rank then return fn(turns) end
  for _, size in ipairs(k.outer[depth]) do
    local from, to = size.part(depth == 1 and part or 0)
    k.b:each("o" .. k.plan.axes[depth].name, from, to, function(turn)
      turns[depth] = { of = size, at = turn }
      nest(k, depth + 1, part, turns, fn)
    end)
  end
end

--- Every row of a part: fn(row).
function M.each(k, part, fn)
  local depth = k.plan.rank - 1
  local axis, from, to = k.plan.axes[depth], strides(k)[depth], k.frame.to.axes[depth]
  nest(k, 1, part, {}, function(turns)
    fn {
      turns = turns, n = axis and turns[depth].of.n or 1, input = axis and axis.step * from or 0,
      output = axis and axis.phases * to or 0,
    }
  end)
end

--- Where an output row begins in y, relative to its image.
function M.output(k, row)
  local at = 0
  for d, turn in ipairs(row.turns) do
    at = turn.of.output(turn.at) * k.frame.to.axes[d] + at
  end
  return at
end

--- Sums carried over the kernel's rows that meet the input: fn(input row, kernel row, sums) gives
--- the sums of a row of taps; the input row is an offset in elements.
function M.reduce(k, row, sums, fn)
  local b = k.b
  local function level(depth, at, kernel, carried)
    local turn = row.turns[depth]
    if not turn then return fn(at, kernel, carried) end
    local from, to = turn.of.taps(turn.at)
    return b:fold("k" .. k.plan.axes[depth].name, from, to, carried, function(tap, inner)
      return level(depth + 1, turn.of.input(tap) * strides(k)[depth] + at,
        kernel * k.frame.kernel[depth] + turn.of.kernel(tap), inner)
    end)
  end
  return level(1, 0, 0, sums)
end

return M
