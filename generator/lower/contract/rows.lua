-- ROWS
-- ====
-- Loops over the outer axes of a convolution: over the rows of the output that a task makes, and
-- over the rows of the kernel that meet the input.

local M = {}

-- fn(turns of the outer axes): the rows of a part; the outermost axis is cut.
local function nest(k, depth, part, turns, fn)
  local axis = k.outer[depth]
  if not axis then return fn(turns) end
  local from, to = axis.part(depth == 1 and part or 0)
  k.b:each("o" .. k.plan.axes[depth].name, from, to, function(turn)
    turns[depth] = turn
    nest(k, depth + 1, part, turns, fn)
  end)
end

--- Every row of a part: fn(row), where row.turns are the turns of the outer axes.
function M.each(k, part, fn)
  nest(k, 1, part, {}, function(turns) fn { turns = turns } end)
end

--- Where an output row begins in y, relative to its image.
function M.output(k, row)
  local at = 0
  for d, turn in ipairs(row.turns) do
    at = k.outer[d].output(turn) * k.frame.to.axes[d] + at
  end
  return at
end

--- Sums carried over the kernel's rows that meet the input: fn(input row, kernel row, sums) gives
--- the sums of a row of taps; the input row is an offset in elements.
function M.reduce(k, row, sums, fn)
  local b = k.b
  local function level(depth, at, kernel, carried)
    local axis = k.outer[depth]
    if not axis then return fn(at, kernel, carried) end
    local from, to = axis.taps(row.turns[depth])
    return b:fold("k" .. k.plan.axes[depth].name, from, to, carried, function(tap, inner)
      return level(depth + 1, axis.input(tap) * k.frame.from.axes[depth] + at,
        kernel * k.frame.kernel[depth] + axis.kernel(tap), inner)
    end)
  end
  return level(1, 0, 0, sums)
end

return M
