-- STORE
-- =====
-- Where sums begin and where they go: bias first, then the tile's stores, or a line of tiles that
-- is transposed to planes.

local blocks = require "upweave.lower.contract.blocks"
local parts = require "upweave.lower.contract.parts"
local rows = require "upweave.lower.contract.rows"
local transpose = require "upweave.lower.contract.transpose"
local vector = require "upweave.lower.vector"

local M = {}

--- Scratch for the line of a planar output.
function M.declare(k)
  if not k.plan.planar then return end
  local longest, lengths = 0, {}
  for p = 1, #k.cuts - 1 do
    local n = k.cuts[p + 1] - k.cuts[p]
    longest, lengths[p] = math.max(longest, n), { { key = n, n = n, at = k.cuts[p] } }
  end
  local widest = 0
  for _, kind in ipairs(k.kinds) do widest = math.max(widest, kind.vectors * kind.lanes) end
  k.pitch, k.lengths = longest * widest, parts.new(k.b, "length", lengths, { "at" })
  k.line, k.columns = k.b:scratch("line", k.plan.work, k.rows * k.pitch), {}
end

--- Sums of so many pixels before the first product: the bias, or 0.
function M.start(k, block, pixels)
  local b, f, start, acc = k.b, k.frame, {}, {}
  for v = 1, block.vectors do
    start[v] = f.bias
      and b:load(f.packed, k.channel + (v - 1) * block.lanes + f.bias, block.lanes, "acc")
      or b:const(k.plan.work, block.lanes, 0)
  end
  for _ = 1, pixels do
    for v = 1, block.vectors do acc[#acc + 1] = start[v] end
  end
  return acc
end

--- The first `used` lanes of a vector, to memory.
function M.lanes(b, out, at, v, used, streaming)
  for _, piece in ipairs(vector.pieces(math.min(used, v.ty.lanes))) do
    local lanes = {}
    for i = 1, piece.lanes do lanes[i] = piece.at + i - 1 end
    b:store(out, at + piece.at, b:shuffle(v, nil, lanes), streaming)
  end
end

-- The first `used` lanes of a vector in memory; the others are open.
local function load_lanes(b, base, at, lanes, used)
  local out
  for _, piece in ipairs(vector.pieces(used)) do
    local part, picks = b:load(base, at + piece.at, piece.lanes, "r"), {}
    for i = 0, lanes - 1 do picks[i + 1] = i < piece.lanes and i or -1 end
    part = b:shuffle(part, nil, picks)
    if out then
      local joined = {}
      for i = 0, lanes - 1 do
        joined[i + 1] = i < piece.at and i or i < piece.at + piece.lanes and lanes + i - piece.at
          or -1
      end
      part = b:shuffle(out, part, joined)
    end
    out = part
  end
  return out
end

--- k with pointers to element `at` of y and of each residual in their place, so that the C says
--- once where a tile is.
function M.at(k, at)
  local b, f = k.b, k.frame
  local own = { y = b:view("out", f.y, at), residuals = {} }
  for i, residual in ipairs(f.residuals) do own.residuals[i] = b:view("added", residual, at) end
  return setmetatable({ frame = setmetatable(own, { __index = f }) }, { __index = k })
end

--- A vector of finished sums through the epilogue and to memory: `at` is its place in y, `used` its
--- lanes that are stored; parameter(first) is the packed vector of the channels, from element
--- `first` of a vector of all channels.
function M.finish(k, at, v, used, parameter)
  local b, f = k.b, k.frame
  v = f.epilogue:apply(b, v, {
    channel = function(i) return parameter(f.vectors[i]) end,
    residual = function(i) return load_lanes(b, f.residuals[i], at, v.ty.lanes, used) end,
  })
  M.lanes(b, f.y, at, v, used, k.streaming)
end

--- A tile of an interleaved output.
function M.direct(k, block, tile, row, acc)
  local b, f, last = k.b, k.frame, k.plan.rank
  local pixel = f.to.axes[last]
  local own = M.at(k, k.image + rows.output(k, row) + tile.output * pixel)
  for j = 0, row.n * tile.pixels - 1 do
    local within = j % tile.pixels * k.plan.axes[last].phases * pixel
    for v = 1, block.vectors do
      local channel, used = blocks.vector(block, v)
      local at = j // tile.pixels * row.output + within + channel
      M.finish(own, at, acc[j * block.vectors + v], used, function(first)
        return b:load(f.packed, k.channel + (v - 1) * block.lanes + first, block.lanes)
      end)
    end
  end
end

--- A tile of a planar output, kept as [row][pixel][channel].
function M.keep(k, block, tile, row, acc)
  local b, width = k.b, block.vectors * block.lanes
  local out = b:view("kept", k.line, tile.within * width)
  local step = k.plan.axes[k.plan.rank].phases * width
  for j = 0, row.n * tile.pixels - 1 do
    local at = j // tile.pixels * k.pitch + j % tile.pixels * step
    for v = 1, block.vectors do
      b:store(out, at + (v - 1) * block.lanes, acc[j * block.vectors + v])
    end
  end
end

--- Pixels [at, at + lanes) of vector v of a block of channels, kept as [pixel][channel] in `line`,
--- to their planes, where the line begins at y[out].
function M.turn(k, out, line, block, v, at, lanes)
  local b, f, width, list = k.b, k.frame, block.vectors * block.lanes, {}
  for p = 0, lanes - 1 do
    list[p + 1] = b:load(line, (at + p) * width + (v - 1) * block.lanes, block.lanes)
  end
  local _, used = blocks.vector(block, v)
  transpose.columns(b, list, function(c, column)
    if c >= used then return end
    local channel = (v - 1) * block.lanes + c
    M.finish(k, out + at + channel * f.to.c, column, lanes, function(first)
      return b:splat(b:load(f.packed, k.channel + channel + first, 1), lanes)
    end)
  end)
end

-- Vectors that cover n pixels of a kept line: take(at, lanes).  One loop even where the last laps
-- over: in code after a loop Clang takes sums of the last tile from registers, which it spills.
local function sweep(k, n, lanes, take)
  if n < lanes or n % lanes == 0 then return vector.sweep_row(k.b, "ox", n, lanes, 1, take) end
  local name = ("columns%d_%d"):format(n, lanes)
  if not k.columns[name] then
    local first = {}
    for i = 0, n // lanes do first[i + 1] = math.min(i * lanes, n - lanes) end
    k.columns[name] = k.b:table(name, "i32", first)
  end
  k.b:each("ox", 0, n // lanes + 1, function(i) take(k.b:fetch(k.columns[name], i), lanes) end)
end

--- The kept lines of a piece, transposed to the planes of the output.
function M.transposed(k, block, piece, row)
  local b = k.b
  local row_at = k.image + rows.output(k, row)
  k.lengths:each("whole", piece, function(length)
    b:each("row", 0, row.n, function(j)
      local own = M.at(k, row_at + length.at + j * row.output)
      local line = b:view("kept", k.line, j * k.pitch)
      for v = 1, block.vectors do
        sweep(k, length.n, block.lanes, function(at, lanes)
          M.turn(own, 0, line, block, v, at, lanes)
        end)
      end
    end)
  end)
end

return M
