-- TILES
-- =====
-- Loops over the tiles of a block, class by class.

local M = {}

--- fn(row, its first tile, its number there) for the rows of tiles of a block: k.rows, or those
--- that it reads, k.input_rows.
function M.each_row(k, rows, block, fn)
  local from, to = rows.range(block)
  local place = rows.place
  k.b:each("row", from, to, function(i) fn(place.number(i), place.tile(i), place.row(i)) end)
end

--- fn(like, at, kept) for the class of a row of tiles, which has one thing for it or none.
function M.each_class(k, classes, row, fn)
  for _, class in ipairs(classes) do
    local from, to = class.range(row)
    local place = class.place
    k.b:each("edge", from, to, function(i)
      fn(class.like, place.at(i), place.kept and place.kept(i))
    end)
  end
end

--- fn(like, at, tile) for the tiles of a part of a row of tiles that begins at `tile`: all for
--- inputs, those of a phase for outputs.  A line has one, which is like `line`.
function M.each_column(k, classes, part, tile, line, fn)
  if k.plan.rank == 1 then return fn(line, 0, tile) end
  for _, class in ipairs(classes) do
    local from, to = class.range(part)
    k.b:each("t", from, to, function(t)
      fn(class.like, class.place.at(t), tile + class.place.tile(t))
    end)
  end
end

return M
