-- CONTRACT-DEPTHWISE
-- ==================
-- contract, one input channel a group: vectors of outputs against vectors of weights that stay in
-- registers along a row, or come from the L1 cache.  Rows of the output that read the same rows of
-- the input are made together (bands).
--
-- A row is one line of pixels times channels.  Read expanded, it is vectors whatever its phases and
-- channels are, the weights a pattern that repeats; read directly, as interleaved tensors allow,
-- every vector is of one pixel's channels and taps outside are left out.

local bands = require "upweave.lower.contract.bands"
local blocks = require "upweave.lower.contract.blocks"
local cells = require "upweave.lower.contract.cells"
local expand = require "upweave.lower.contract.expand"
local frame = require "upweave.lower.contract.frame"
local patterns = require "upweave.lower.contract.patterns"
local resample = require "upweave.lower.resample.frame"
local sites = require "upweave.lower.contract.sites"
local store = require "upweave.lower.contract.store"
local tiles = require "upweave.lower.contract.tiles"

local M = {
  name = "contract-depthwise", form = "contract",
  sums = "direct sums over taps",
}

-- Products of all straight-line code at most.
local MAX_PRODUCTS = 2048

local function row_elements(plan)
  return plan.axes[plan.rank].output * (plan.planar and 1 or plan.groups * plan.co)
end

--- Knobs: how rows are read, rows that are made together and pixels of the direct reading, order,
--- strips, stores.
function M.knobs(plan, target)
  return {
    {
      name = "read", values = plan.planar and { "expanded" } or { "expanded", "direct" },
      default = plan.planar and "expanded" or "direct",
      doc = "rows are expanded to lines of outputs, or read as they lie",
    },
    {
      name = "rows", values = plan.rank > 1 and { 1, 2, 3, 4, 6, 8 } or { 1 }, default = 1,
      doc = "rows that are made together",
    },
    { name = "pixels", values = { 1, 2, 3, 4 }, default = 1, doc = "pixels of a phase together" },
    {
      name = "order", values = { "blocks", "line" }, default = "blocks",
      doc = "blocks: weights stay in registers along a row; line: they come from the cache",
    },
    frame.strips_knob(plan),
    resample.stores_knob(plan, target, row_elements(plan)),
  }
end

-- shape: what of a plan does not depend on rows ---------------------------------------------------

local function least_common(x, y)
  local a, b = x, y
  while b > 0 do a, b = b, a % b end
  return x // a * y
end

-- Expanded: one site whose vectors go along the line; `period` elements later the weights repeat.
local function expanded(plan, target)
  local last, inner = plan.axes[plan.rank], plan.planar and 1 or plan.co
  local lines, why = expand.lines(last)
  if not lines then return nil, why end
  local size = last.output * inner
  local lanes = blocks.lanes(size, frame.lanes(plan, target))
  local period = least_common(last.phases * inner, lanes)
  period = math.min(period, (size + lanes - 1) // lanes * lanes)
  local e = expand.layout(last, lines, inner, lanes)
  return {
    expansion = e, lanes = lanes, inner = inner, period = period, slots = #lines.taps,
    pitch = period, block = lanes, blocks = period // lanes, vectors = size // lanes,
    rest = size % lanes,
    chunks = { sites.line(last, e) },
  }
end

-- Direct: sites are the outputs of a pixel's phases, blocks are vectors of channels.
local function direct(plan, target, pixels)
  local last = plan.axes[plan.rank]
  local lanes = blocks.lanes(plan.co, frame.lanes(plan, target), true)
  local slots, first = tiles.slots(last)
  local taps = 1
  for _, axis in ipairs(plan.axes) do taps = taps * axis.kernel end
  return {
    lanes = lanes, inner = plan.co, slots = last.kernel, order = slots, pitch = lanes,
    block = taps * lanes, blocks = blocks.padded(plan.co, lanes) // lanes,
    chunks = sites.pixels(last, first, plan.co, pixels),
  }
end

local function shape_of(plan, knobs, target)
  if not plan.planar then plan = frame.elementwise(plan) end
  if knobs.read == "direct" then return direct(plan, target, knobs.pixels) end
  return expanded(plan, target)
end

-- legality ----------------------------------------------------------------------------------------

local function fits(plan, knobs)
  if plan.ci > 1 then return nil, "a group has several input channels" end
  if not plan.planar and plan.co > 1 then return nil, "interleaved, a group has several outputs" end
  if knobs.read == "expanded" and knobs.pixels > 1 then return nil, "pixels are of read=direct" end
  return true
end

-- Rows of the kernel that meet rows of the input, in all rows of a band.
local function meetings(band)
  local n = 0
  for i = 1, band.n do
    for j in ipairs(band.rows) do n = n + (band.taps[i][j] and 1 or 0) end
  end
  return n
end

-- Most weights and sums of a class's code, and all its products.  Weights from the cache that are
-- used once are operands, unless every vector has the same.
local function needs_of(shape, classes, knobs)
  local registers, products = 0, 0
  for _, class in ipairs(classes) do
    local band = class.like
    local rows = meetings(band)
    local once = knobs.order == "line" and shape.blocks > 1 and rows == #band.kernel
      and knobs.pixels == 1
    for _, chunk in ipairs(shape.chunks) do
      local weights = once and 1 or #band.kernel * shape.slots
      registers = math.max(registers, weights + band.n * #chunk.sites)
      products = products + rows * chunk.products
    end
  end
  return registers, products
end

--- Legal where sums and, unless they come from the cache, weights of a band fit the registers.
function M.legal(plan, knobs, target)
  local fine, why = fits(plan, knobs)
  if not fine then return nil, why end
  local shape, reason = shape_of(plan, knobs, target)
  if not shape then return nil, reason end
  if knobs.stores == "streaming" and knobs.read == "direct" and plan.groups % shape.lanes > 0 then
    return nil, "vectors of channels are not aligned"
  end
  local list = bands.list(bands.rows(plan), M.parts(plan, knobs), knobs.rows)
  local need, products = needs_of(shape, bands.classes(list), knobs)
  -- Two inputs, since Clang loads early: with one, 5x5 by 4 pixels reloads a weight in its loop.
  need = need + (plan.bias and 3 or 2) + (target.fma and 1 or 2)
  if need > target.registers then
    return nil, ("rows=%d needs %d vector registers, %s has %d"):format(
      knobs.rows, need, target.name, target.registers)
  end
  if products > MAX_PRODUCTS then
    return nil, ("%d products are straight-line code, at most %d"):format(products, MAX_PRODUCTS)
  end
  return true
end

--- Parts of an image.
function M.parts(plan, knobs)
  return plan.rank > 1 and math.min(knobs.strips, plan.axes[1].output) or 1
end

-- building ----------------------------------------------------------------------------------------

-- Expand the rows of the input that a band is the first to read.
local function fill(k, band)
  if not k.ring then return end
  local from, to = k.bands.fill(band)
  k.b:each("iy", from, to, function(iy)
    local e = k.shape.expansion
    local src = k.b:view("row", k.source, iy * k.row_input)
    expand.fill(k.b, e, src, k.b:view("lines", k.ring, iy % k.depth * e.size))
  end)
end

-- Where row iy of the input is read.
local function input_row(k, iy)
  if not k.ring then return k.b:view("in", k.source, iy * k.row_input) end
  return k.b:view("in", k.ring, iy % k.depth * k.shape.expansion.size)
end

local function band_of_rows(k, class, i)
  local b, s, t = k.b, k.shape, { class = class, inputs = {}, weights = {}, row = k.row_output }
  for j, r in ipairs(class.like.rows) do
    t.inputs[j] = input_row(k, class.input(i) + r)
  end
  for id in ipairs(class.like.kernel) do
    t.weights[id] = b:view("w", k.weights, class.kernel[id](i) * (s.slots * s.pitch))
  end
  t.own = store.at(k, k.image + class.output(i) * k.row_output)
  if not k.ring then cells.by_pixels(k, t)
  elseif k.order == "blocks" then cells.by_blocks(k, t)
  else cells.by_line(k, t) end
end

local function build(k)
  local b, e = k.b, k.shape.expansion
  frame.tasks(k, function(_, part)
    if k.ring then expand.clear(b, e, k.ring, k.depth) end
    patterns.fill(k)
    local first, last = k.bands.part(part)
    b:each("band", first, last, function(band)
      fill(k, band)
      bands.each_class(b, k.bands, band, function(class, i) band_of_rows(k, class, i) end)
    end)
  end)
end

-- The packed weights of a channel are its patterns, or those of a planar channel; interleaved
-- channels are packed together.
local function new_frame(plan, target, s)
  local width = plan.planar and 1 or s.lanes
  if not s.expansion then return frame.new(plan, target, width, s.order, false) end
  local places, padded = s.slots * s.period, blocks.padded(plan.co, width)
  if plan.planar then padded = 1 end
  for i = 1, plan.rank - 1 do places = places * plan.axes[i].kernel end
  return frame.new(plan, target, width, nil, false, (places + padded - 1) // padded)
end

-- Where the blocks of a pixel's channels begin.
local function declare_channels(k)
  local s, at = k.shape, {}
  for v = 1, s.blocks do at[v] = math.min((v - 1) * s.lanes, s.inner - s.lanes) end
  local tab = s.inner % s.lanes > 0 and k.b:table("channel", "i32", at)
  function k.channel_at(v) return tab and k.b:fetch(tab, v) or v * s.lanes end
end

local function declare(plan, knobs, target)
  local s = assert(shape_of(plan, knobs, target))
  local parts = M.parts(plan, knobs)
  local list, depth = bands.list(bands.rows(plan), parts, knobs.rows)
  if not plan.planar then plan = frame.elementwise(plan) end
  local f = new_frame(plan, target, s)
  local together = plan.planar and 1 or plan.co
  local kinds, count = blocks.split(plan.co, f.lanes, together, not s.expansion)
  local k = {
    b = f.b, plan = plan, frame = f, shape = s, kinds = kinds, count = count, parts = parts,
    order = knobs.order, streaming = knobs.stores == "streaming", depth = math.max(2, depth),
    row_input = f.from.axes[plan.rank - 1] or 0, row_output = f.to.axes[plan.rank - 1] or 0,
  }
  k.bands = bands.declare(f.b, list, parts)
  if s.expansion then
    k.ring = f.b:scratch("ring", plan.work, k.depth * s.expansion.size)
    expand.declare(f.b, plan.axes[plan.rank], s.expansion)
    f.weights = patterns.packing(k)
    patterns.declare(k)
  else
    declare_channels(k)
  end
  return k
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local k = declare(plan, knobs, target)
  build(k)
  -- Read directly, each vector of channels has its weights together.
  local kinds = k.ring and k.kinds or (blocks.split(k.plan.co, k.frame.lanes, 1, true))
  k.b.pack = frame.pack(k.frame, kinds)
  return k.b
end

return M
