-- PRODUCTS
-- ========
-- V of a block of tiles times the transformed weights: for each product of a tile a matrix product,
-- M[product][tile][output channel] = Σ V[product][tile][input channel] · U[product][input channel][
-- output channel].  A register tile is a chunk of tiles x the vectors of a block of channels.  The
-- spans of the taps are summed like input channels, each with the tiles that it reads: along the
-- first axis those of later rows, along the second later ones of the row.
--
-- It is a routine: beside the constants of the transforms, Clang lets its sums turn through the
-- registers, 28 copies a step (C1: 534 → 417 us).

local M = {}

-- Sums of a register tile, with those over the input channels of a row of V and of its weights.
local function add_channels(k, kind, size, v, u, sums)
  local b, ci, lanes = k.b, k.plan.ci, kind.lanes
  local width = kind.vectors * lanes
  return b:fold("c", 0, ci, sums, function(c, sum)
    local w, out = {}, {}
    for i = 1, kind.vectors do
      local at = c * width + (i - 1) * lanes
      w[i] = b:load(u, at, lanes, "u" .. i - 1)
      if k.prefetch > 0 then b:prefetch(u, at + k.prefetch) end
    end
    for t = 0, size - 1 do
      local x = b:named("x" .. t, b:splat(b:load(v, c + t * k.v_tile, 1), lanes))
      for i = 1, kind.vectors do out[#out + 1] = b:fma(w[i], x, sum[t * kind.vectors + i]) end
    end
    return out
  end)
end

-- The sums of a register tile over all spans, so many down and across.
local function sums_of(k, kind, size, down, across, v, u)
  local b, zeros = k.b, {}
  local weights = k.plan.ci * kind.vectors * kind.lanes
  for s = 1, size * kind.vectors do zeros[s] = b:const(k.plan.work, kind.lanes, 0) end
  return b:fold("row", 0, down, zeros, function(row, above)
    return b:fold("span", 0, across, above, function(span, sums)
      local tiles = b:view("tiles", v, row * (k.columns * k.v_tile) + span * k.v_tile)
      return add_channels(k, kind, size, tiles,
        b:view("weights", u, row * (across * weights) + span * weights), sums)
    end)
  end)
end

-- The routine of a register tile.
local function multiply(k, kind, size, down, across)
  local width, spans = kind.vectors * kind.lanes, down * across
  local name = ("multiply_%dx%d"):format(size, kind.vectors)
  if spans > 1 then name = ("%s_%dx%d"):format(name, down, across) end
  if not k.routines[name] then
    local last = size - 1 + (down - 1) * k.columns + across - 1
    k.routines[name] = k.b:routine(name, {
      { name = "v", like = k.v, size = last * k.v_tile + k.plan.ci },
      { name = "u", like = k.frame.packed, size = spans * k.plan.ci * width },
      { name = "m", like = k.m, size = size * width, written = true },
    }, function(v, u, m)
      for s, sum in ipairs(sums_of(k, kind, size, down, across, v, u)) do
        k.b:store(m, (s - 1) * kind.lanes, sum)
      end
    end)
  end
  return k.routines[name]
end

-- fn(product, its number) for the products of a piece, which are neighbours unless columns are
-- missing.
local function each_product(k, piece, fn)
  local b, rows, columns = k.b, piece.rows, piece.columns
  local across = k.products // k.ws[1].n
  if columns.count == across then
    return b:each("product", 0, rows.count * across, function(i)
      fn(i + rows.first * across, i)
    end)
  end
  b:each("i", 0, rows.count, function(i)
    b:each("j", 0, columns.count, function(j)
      fn((i + rows.first) * across + j + columns.first, i * columns.count + j)
    end)
  end)
end

--- M of a phase, a block of tiles and a block of output channels, whose weights begin at `weights`.
function M.multiply(k, phase, block, kind, weights)
  local width = kind.vectors * kind.lanes
  for _, piece in ipairs(phase.pieces) do
    local down, across = piece.rows.spans, piece.columns.spans
    local each = k.plan.ci * width
    each_product(k, piece, function(product, number)
      local u = number * (down.count * across.count * each) + piece.weights * each
      k.chunks:each("chunk", block, function(chunk)
        local read = chunk.tile + (phase.ahead + down.first) * k.columns + across.first
        k.b:call(multiply(k, kind, chunk.size, down.count, across.count), {
          { k.v, product * k.v_pitch + read * k.v_tile }, { weights, u },
          { k.m, product * k.m_pitch + chunk.tile * width },
        })
      end)
    end)
  end
end

return M
