-- PRODUCTS
-- ========
-- resample, fixed point, any weights: 32-bit sums of bytes times 16-bit weights, four taps at a
-- time.  Four input rows go through the row pass together, which shares its permutations and
-- weights, and are kept as quads: the four rows' bytes of an element side by side, one lane of a
-- sum across rows.  Output rows are sums over the quads of a ring; a quad's rows that an output
-- does not use have weight 0.

local dots = require "upweave.lower.resample.dots"
local frame = require "upweave.lower.resample.frame"
local groups = require "upweave.lower.resample.groups"
local ring = require "upweave.lower.resample.ring"
local row = require "upweave.lower.resample.row"
local runs = require "upweave.plan.runs"
local vector = require "upweave.lower.vector"

local M = { name = "products", form = "resample", fixed = true }

-- Quads of rows up to which a sum is straight-line; straight-line groups of rows and the period of
-- their sizes, at most.
local STRAIGHT, MAX_PIECES, MAX_PERIOD = 4, 12, 8

-- The row pass --------------------------------------------------------------------------------

-- The taps of `lanes` outputs, four of each side by side; a missing tap repeats the output's last
-- one with weight 0.
local function quads_of_taps(map, at, lanes)
  local most, from, weight = 0, {}, {}
  for l = 1, lanes do most = math.max(most, #map.taps[at + l].index) end
  for q = 1, (most + 3) // 4 do
    from[q], weight[q] = {}, {}
    for l = 1, lanes do
      local t = map.taps[at + l]
      for k = 4 * q - 3, 4 * q do
        table.insert(from[q], t.index[math.min(k, #t.index)])
        table.insert(weight[q], t.weight[k] or 0)
      end
    end
  end
  return from, weight
end

-- The arithmetic of the row pass over an axis.
local function form_of(map, target)
  local d = dots.new(map, target)
  local form = { weight = d.elem, apart = true, working = 12 }
  function form.expand(axis, at, lanes)
    local from, weight = quads_of_taps(axis, at, lanes)
    local parts = {}
    for _, list in ipairs(weight) do
      for _, part in ipairs(dots.split(d, list)) do parts[#parts + 1] = part end
    end
    return from, parts
  end
  function form.step(b, weights, value, carried) return dots.step(b, d, weights, value, carried) end
  function form.finish(b, carried) return dots.finish(b, d, carried) end
  function form.combine(b, weights, values)
    local carried
    for q, value in ipairs(values) do
      local own = table.move(weights, (q - 1) * d.parts + 1, q * d.parts, 1, {})
      carried = form.step(b, own, value, carried)
    end
    return form.finish(b, carried)
  end
  return form
end

-- A row of at least `least` outputs: the last one again, whose results nobody stores.
local function padded(map, least)
  if map.output >= least then return map end
  local taps = table.move(map.taps, 1, map.output, 1, {})
  for o = map.output + 1, least do taps[o] = map.taps[map.output] end
  return { taps = taps, input = map.input, output = least, precision = map.precision }
end

local function pass_of(plan, target)
  local map = frame.geometry(plan, true).x
  return row.new(padded(map, target.vector_bytes), target.vector_bytes // 4, form_of(map, target))
end

-- The lane of a quad's byte after dots.bytes: from four of each vector to four of each lane.
local function transposed(n)
  local lanes = {}
  for i = 0, n - 1 do lanes[i + 1] = i // 16 * 16 + i % 4 * 4 + i % 16 // 4 end
  return lanes
end

-- Four rows through the pass, as a routine: call(src, offsets of the rows, ring, to).
local function row_pass(f, pass, quads)
  local b, parameters = f.b, {}
  for r = 1, 4 do
    parameters[r] = { name = "in" .. r - 1, like = f.source, size = pass.input }
  end
  parameters[5] = { name = "out", like = quads, size = 4 * pass.output, written = true }
  local routine = b:routine("row", parameters, function(...)
    local rows = { ... }
    local function write(at, value)
      local values = {}
      for r = 1, 4 do values[r] = value(rows[r]) end
      local bytes = b:named("rows", dots.bytes(b, values))
      b:store(rows[5], at * 4, b:shuffle(bytes, bytes, transposed(bytes.ty.lanes)))
    end
    if not pass.straight then
      row.each_by_table(b, pass, function(v, at)
        write(at, function(src) return row.value_by_table(b, pass, v, src) end)
      end)
      return
    end
    row.sweep(b, pass, function(run, it, g)
      write(g * run.stride[2] + it.pos[2], function(src)
        return row.value(b, pass, run, it, g, function(at, lanes, hint)
          return b:load(src, at, lanes, hint)
        end)
      end)
    end)
  end)
  return function(src, offsets, to)
    local arguments = {}
    for r = 1, 4 do arguments[r] = { src, offsets[r] } end
    arguments[5] = { quads, to }
    b:call(routine, arguments)
  end
end

-- The sums across rows ------------------------------------------------------------------------

-- The map across rows by quads: index[k] is a quad, weight[k] the four weights of its rows.
local function quad_taps(t, count)
  local index, weight = {}, {}
  for k, i in ipairs(t.index) do
    local quad = i // 4
    if index[#index] ~= quad then
      index[#index + 1], weight[#weight + 1] = quad, { 0, 0, 0, 0 }
    end
    weight[#weight][i % 4 + 1] = t.weight[k]
  end
  for k = #index + 1, count do index[k], weight[k] = index[k - 1], { 0, 0, 0, 0 } end
  return { index = index, weight = weight }
end

local function across(map, count)
  local taps, most = {}, 0
  for o, t in ipairs(map.taps) do
    taps[o] = quad_taps(t, count)
    most = math.max(most, #taps[o].index)
  end
  return { taps = taps, most = most }
end

-- Output rows that read the same quads, as loops; by tables alone where they follow no period.
local function rows_of(map, most)
  local quads = across(map, 0)
  local found = groups.new(quads, most, MAX_PERIOD, function(g)
    return #g.weights .. ":" .. #g.index
  end)
  if quads.most > STRAIGHT or runs.pieces(found.loops) > MAX_PIECES then
    quads = across(map, quads.most)
    found = groups.new(quads, 1, 1, function() return 1 end)
  end
  return found, quads
end

-- The tables of the sums: for each output row where its quads are in the ring, and their weights.
local function sum_tables(b, quads, d, depth, pitch)
  local offsets, weights = {}, {}
  for _, t in ipairs(quads.taps) do
    for k = 1, quads.most do
      offsets[#offsets + 1] = t.index[math.min(k, #t.index)] % depth * pitch
      local packed = dots.packed(d, t.weight[k] or { 0, 0, 0, 0 })
      table.move(packed, 1, #packed, #weights + 1, weights)
    end
  end
  return b:table("ring_offset", "i32", offsets, quads.most, "where the quads of each output are"),
    b:table("row_weight", "i32", weights, quads.most * d.parts,
      "the weights of each quad's rows, four bytes or two words to a number")
end

-- Weights of quad k (from 0) of output row oy, the same in all lanes.
local function row_weights(b, v, oy, k)
  local list = {}
  for part = 1, v.dots.parts do
    local at = (oy * v.most + k) * v.dots.parts + part - 1
    local packed = b:splat(b:load(v.weights, at, 1), v.lanes // 4)
    list[part] = b:named(dots.name(v.dots, "wy" .. (type(k) == "number" and k or ""), part),
      b:cast(packed, v.dots.elem))
  end
  return list
end

-- The lanes of a vector of sums' bytes in the order of the elements.
local function in_order(n)
  local lanes = {}
  for i = 0, n - 1 do
    local lane = i % (n // 4)
    lanes[i + 1] = lane // 4 * 16 + i // (n // 4) * 4 + lane % 4
  end
  return lanes
end

-- Store the elements of a vector that a row of `width` has room for.
local function store(b, out, at, bytes, width, streaming)
  local n = bytes.ty.lanes
  if width >= n then return b:store(out, at, bytes, streaming) end
  for _, piece in ipairs(vector.cover(width, n)) do
    local lanes = {}
    for l = 1, piece.lanes do lanes[l] = piece.at + l - 1 end
    b:store(out, at + piece.at, b:shuffle(bytes, bytes, lanes))
  end
end

-- The vector of output elements from `j` on: four vectors of sums.
local function sums_of(b, v, group, oy, j)
  local weights = {}
  local function quad(k, carried)
    local source = b:view("q", v.ring, b:fetch(v.offsets, oy * v.most + k))
    local out = {}
    for q in ipairs(group.weights) do
      weights[q] = row_weights(b, v, oy + (q - 1), k)
    end
    for a = 0, 3 do
      local value = b:load(source, (j + a * (v.lanes // 4)) * 4, v.lanes, "quad" .. a)
      for q in ipairs(group.weights) do
        local at = ((q - 1) * 4 + a) * v.carried
        local sums = carried and table.move(carried, at + 1, at + v.carried, 1, {})
        table.move(dots.step(b, v.dots, weights[q], value, sums), 1, v.carried, at + 1, out)
      end
    end
    return out
  end
  if #group.index > STRAIGHT then return b:fold("k", 1, #group.index, quad(0), quad) end
  local carried
  for k = 0, #group.index - 1 do carried = quad(k, carried) end
  return carried
end

local function emit_rows(b, v, group, oy, dst, streaming)
  local out = b:view("out", dst, oy * v.width)
  local function piece(j)
    local carried = sums_of(b, v, group, oy, j)
    for q in ipairs(group.weights) do
      local values = {}
      for a = 0, 3 do
        local at = ((q - 1) * 4 + a) * v.carried
        local sums = table.move(carried, at + 1, at + v.carried, 1, {})
        values[a + 1] = dots.finish(b, v.dots, sums)
      end
      local bytes = b:named("bytes", dots.bytes(b, values))
      bytes = b:shuffle(bytes, bytes, in_order(v.lanes))
      store(b, out, j + (q - 1) * v.width, bytes, v.width, streaming)
    end
  end
  if v.width < v.lanes then return piece(0) end
  vector.sweep_row(b, "v", v.width, v.lanes, 1, piece)
end

-- The strategy ----------------------------------------------------------------------------------

--- Knobs: rows (output rows in one sweep), strips (a plane's share of tasks), stores.
function M.knobs(plan, target)
  return {
    { name = "rows", values = { 1, 2, 4 }, default = 1, doc = "output rows in one sweep" },
    frame.parts_knob(plan, "strips", 16, "tasks a plane is cut in"),
    frame.stores_knob(plan, target, frame.row_elements(plan)),
  }
end

--- Legal for fixed-point plans; the sums of all rows of a sweep, their weights and a quad's words
--- fit the registers: rows·(4·sums + quads·weights) + 4.
function M.legal(plan, knobs, target)
  if not plan.fixed then return nil, "products are of 8-bit pixels in fixed point" end
  local d, quads = dots.new(plan.axes[1], target), across(plan.axes[1], 0).most
  local need = knobs.rows * (4 * (d.bytes and d.parts or 1) + quads * d.parts) + 4
  if knobs.rows > 1 and need > target.registers then
    return nil, ("rows=%d needs %d vector registers, %s has %d"):format(knobs.rows, need,
      target.name, target.registers)
  end
  return true
end

local function declare(f, plan, target, window, quads)
  local b, pass, d = f.b, pass_of(plan, target), dots.new(f.geometry.y, target)
  row.declare(b, pass)
  local v = {
    pass = pass, dots = d, most = quads.most, carried = d.bytes and d.parts or 1,
    lanes = target.vector_bytes, width = f.geometry.x.output, pitch = 4 * pass.output,
  }
  v.ring = b:scratch("ring", "u8", window.depth * v.pitch)
  v.offsets, v.weights = sum_tables(b, quads, d, window.depth, v.pitch)
  v.row = row_pass(f, pass, v.ring)
  return v
end

-- Offsets of the four rows of a quad; the last quad repeats the last row.
local function quad_rows(b, f)
  local rows, offsets = f.geometry.y.input, {}
  for i = 0, (rows + 3) // 4 * 4 - 1 do
    offsets[i + 1] = math.min(i, rows - 1) * f.geometry.x.input
  end
  local tab = b:table("quad_offset", "i32", offsets, 4, "where the rows of each quad are")
  return function(quad)
    local list = {}
    for r = 1, 4 do list[r] = b:fetch(tab, quad * 4 + (r - 1)) end
    return list
  end
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local f = frame.new(plan, target, frame.geometry(plan, true))
  local found, quads = rows_of(f.geometry.y, knobs.rows)
  local window = ring.new(f.b, found, knobs.strips, "quads of input rows")
  local v, rows = declare(f, plan, target, window, quads), quad_rows(f.b, f)
  ring.tasks(f, window, "quad", function(src, quad)
    v.row(src, rows(quad), quad % window.depth * v.pitch)
  end, function(dst, group, oy)
    emit_rows(f.b, v, group, oy, dst, knobs.stores == "streaming")
  end)
  return f.b
end

return M
