-- SITES
-- =====
-- The outputs of a row that are made together, and the positions of the row that they read: a
-- chunk is code for repetitions alike.  A position is loaded once for all sites that use it.

local expand = require "upweave.lower.contract.expand"

local M = {}

---@class lower.contract.Chunk
---@field sites { at: integer }[]       elements from the repetition's output
---@field positions { at: integer }[]   elements from the repetition's input
---@field taps { site: integer, slot: integer }[][]   by position: who uses it with which weight
---@field products integer
---@field from integer?     repetitions
---@field to integer?
---@field input integer?    elements from repetition to repetition
---@field output integer?

--- The chunk of expanded lines: every tap is a position.
---@param axis upweave.contract.axis
---@param e lower.contract.Expansion
---@return lower.contract.Chunk
function M.line(axis, e)
  local chunk = { sites = { { at = 0 } }, positions = {}, taps = {}, products = #e.lines.taps }
  for t = 1, #e.lines.taps do
    chunk.positions[t] = { at = expand.place(e, axis, t) }
    chunk.taps[t] = { { site = 1, slot = t } }
  end
  return chunk
end

-- The taps inside of the outputs from `o` on to before `to`, sorted by position.
local function taps_of(axis, first, o, to)
  local list = {}
  for site = 1, to - o do
    local r = (o + site - 1) % axis.phases + 1
    local origin = (o + site - 1) // axis.phases * axis.step
    for t, tap in ipairs(axis.taps[r]) do
      local at = origin + tap.at
      if at >= 0 and at < axis.input then
        list[#list + 1] = { at = at, site = site, slot = first[r] + t }
      end
    end
  end
  table.sort(list, function(a, b) return a.at < b.at or a.at == b.at and a.site < b.site end)
  return list
end

-- The outputs of repetition q.
local function chunk_at(axis, first, channels, q, pixels)
  local many, step = axis.phases * pixels, axis.step * pixels
  local to = math.min(axis.output, (q + 1) * many)
  local chunk = {
    sites = {}, positions = {}, taps = {}, products = 0, from = q, to = q + 1,
    input = step * channels, output = many * channels,
  }
  for site = 1, to - q * many do chunk.sites[site] = { at = (site - 1) * channels } end
  local sig, last = { #chunk.sites }, nil
  for _, tap in ipairs(taps_of(axis, first, q * many, to)) do
    local n = #chunk.positions
    if tap.at ~= last then
      n, last = n + 1, tap.at
      chunk.positions[n], chunk.taps[n] = { at = (tap.at - q * step) * channels }, {}
    end
    table.insert(chunk.taps[n], { site = tap.site, slot = tap.slot })
    chunk.products = chunk.products + 1
    sig[#sig + 1] = ("%d:%d:%d"):format(tap.at - q * step, tap.site, tap.slot)
  end
  return chunk, table.concat(sig, " ")
end

--- The chunks of a row of pixels, `pixels` of each phase in a repetition; taps outside are left
--- out.
---@param axis upweave.contract.axis
---@param first integer[]      first slot of every phase
---@param channels integer
---@param pixels integer
---@return lower.contract.Chunk[]
function M.pixels(axis, first, channels, pixels)
  local many, out, sig = axis.phases * pixels, {}, nil
  for q = 0, (axis.output + many - 1) // many - 1 do
    local chunk, own = chunk_at(axis, first, channels, q, pixels)
    if own == sig then out[#out].to = q + 1
    else out[#out + 1], sig = chunk, own end
  end
  return out
end

return M
