-- WINOGRAD
-- ========
-- contract: Winograd's algorithm F(m, r) on both axes of an image, on its last one, or on the one
-- of a line.  A task is a block of rows of tiles: the inputs of its tiles are transformed,
-- multiplied with the transformed weights, product by product as matrices, and the products
-- transformed to outputs.  The register tile of the products is tiles x vectors of output channels.
--
-- All phases of a transposed convolution are computed from one transform of the inputs (phases).
-- The first axis of an image may be left as it is (axes=last), and more taps than r are cut into
-- spans of r (plan/winograd): both are sums of products over tiles further on, beside the sum over
-- channels, and an axis that is left is F(1, 1) with spans of one tap.

local blocks = require "upweave.lower.contract.blocks"
local frame = require "upweave.lower.contract.frame"
local geometry = require "upweave.lower.winograd.geometry"
local inputs = require "upweave.lower.winograd.inputs"
local outputs = require "upweave.lower.winograd.outputs"
local pack = require "upweave.lower.winograd.pack"
local phases = require "upweave.lower.winograd.phases"
local planes = require "upweave.lower.winograd.planes"
local products = require "upweave.lower.winograd.products"
local winograd = require "upweave.plan.winograd"

local M = { name = "winograd", form = "contract" }

-- Bytes of transformed inputs and products of a block at most.
local MAX_BYTES = 64 * 1024 * 1024

-- Which algorithms each class of numerics allows, and the factor of their bound (docs/numerics.md).
local ALLOWED = {
  strict = {}, default = { default = true }, fast = { default = true, fast = true, named = true },
}
local FACTORS = { default = 2, fast = 5, named = 16 }

local function knob_value(algorithm) return ("%dx%d"):format(algorithm.m, algorithm.r) end

-- Algorithms for the taps of the last axis.
local function candidates(plan)
  local out = {}
  for _, algorithm in ipairs(winograd.algorithms) do
    if winograd.takes(algorithm, phases.taps(plan.axes[plan.rank])) then
      out[#out + 1] = algorithm
    end
  end
  return out
end

local function algorithm_of(plan, knobs)
  for _, algorithm in ipairs(candidates(plan)) do
    if knob_value(algorithm) == knobs.algorithm then return algorithm end
  end
end

--- Knobs: algorithm (outputs x taps of a tile along an axis), axes (that are transformed), rows (of
--- tiles in a block), vectors (of output channels in a register tile), prefetch (of weights).
function M.knobs(plan)
  local names = {}
  for i, algorithm in ipairs(candidates(plan)) do names[i] = knob_value(algorithm) end
  if #names == 0 then names[1] = "none" end
  return {
    { name = "algorithm", values = names, default = names[1], doc = "outputs x taps of a tile" },
    { name = "axes", values = plan.rank == 2 and { "all", "last" } or { "all" }, default = "all",
      doc = "which are transformed" },
    { name = "rows", values = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 32 }, default = 1,
      doc = "rows of tiles in a block; 0 for all" },
    { name = "vectors", values = { 1, 2, 3, 4 }, default = 2, doc = "vectors of a register tile" },
    {
      name = "prefetch", values = { 0, 1024, 4096, 8192 }, default = 0,
      doc = "elements ahead at which weights are asked for; 0: not",
    },
  }
end

local function fits(plan, knobs)
  if plan.rank > 2 then return nil, "winograd transforms one or two axes" end
  for _, axis in ipairs(plan.axes) do
    if not phases.dense(axis) then
      return nil, "winograd needs taps on neighbouring inputs, and of all outputs"
    end
    if knobs.axes == "all" and phases.taps(axis) ~= phases.taps(plan.axes[1]) then
      return nil, "winograd needs as many taps along both axes"
    end
  end
  return true
end

--- Products of a tile.
function M.products(ws) return ws[1].n * (ws[2] and ws[2].n or 1) end

-- How many axes are transformed.
local function transformed(plan, knobs) return knobs.axes == "all" and plan.rank or 1 end

-- Numerics that allow the algorithm.
local function class_of(plan, knobs)
  return winograd.class(algorithm_of(plan, knobs), transformed(plan, knobs),
    phases.taps(plan.axes[plan.rank]))
end

--- Matrices of every axis.
function M.matrices(plan, knobs)
  local out, algorithm = {}, algorithm_of(plan, knobs)
  for i, axis in ipairs(plan.axes) do
    local last, taps = i > plan.rank - transformed(plan, knobs), phases.taps(axis)
    out[i] = last and winograd.matrices(algorithm, taps) or winograd.untransformed(taps)
  end
  return out
end

-- The bytes that a block needs for its tiles, or nil and why there are none.
local function block_bytes(plan, knobs, target)
  local ws = M.matrices(plan, knobs)
  local rows = geometry.tiles(plan.axes[1], ws[1])
  if knobs.rows > rows then return nil, ("rows=%d of %d"):format(knobs.rows, rows) end
  if knobs.rows > 0 then rows = knobs.rows end
  local lanes = frame.lanes(plan, target)
  local columns = geometry.columns(plan, ws)
  local read = geometry.inputs(plan.axes[1], ws[1], rows) * columns
  local v, m = geometry.pitches(plan, read, rows * columns, knobs.vectors * lanes)
  return M.products(ws) * (v + m) * (target.vector_bytes // lanes)
end

--- Legal for convolutions of stride 1, and for transposed ones, whose numerics allow the algorithm.
function M.legal(plan, knobs, target)
  local fine, why = fits(plan, knobs)
  if not fine then return nil, why end
  local algorithm = algorithm_of(plan, knobs)
  if not algorithm then
    return nil, ("winograd has no algorithm for %d taps"):format(phases.taps(plan.axes[plan.rank]))
  end
  local count = transformed(plan, knobs)
  if count > 1 and phases.taps(plan.axes[1]) > algorithm.r then
    return nil, "winograd cuts the taps of one axis only"
  end
  local class = class_of(plan, knobs)
  if not ALLOWED[plan.numerics][class] then
    return nil, ("%s on %d axes needs numerics = %s, they are %s"):format(algorithm.name, count,
      class == "default" and class or "fast", plan.numerics)
  end
  local bytes, reason = block_bytes(plan, knobs, target)
  if not bytes then return nil, reason end
  if bytes > MAX_BYTES then
    return nil, ("%d bytes of transformed tiles, at most %d"):format(bytes, MAX_BYTES)
  end
  return true
end

--- Whether only a schedule may ask for it: its errors are beyond those of every class.
function M.by_name_only(plan, knobs)
  return class_of(plan, knobs) == "named"
end

-- building ------------------------------------------------------------------------------------

-- What the algorithm promises.
local function described(plan, knobs, ws)
  local algorithm, count, tile = algorithm_of(plan, knobs), transformed(plan, knobs), {}
  for i, w in ipairs(ws) do tile[i] = w.m + phases.beyond(plan.axes[i], w) end
  local on = count == plan.rank and ("%d axes"):format(count) or "the last axis"
  local spans = ws[plan.rank].spans
  if spans > 1 then on = ("%s, taps in %d blocks"):format(on, spans) end
  return {
    text = ("Winograd %s on %s"):format(algorithm.name, on),
    factor = FACTORS[class_of(plan, knobs)], tile = tile,
  }
end

local function declare(plan, knobs, target)
  local lanes, ws = blocks.lanes(plan.co, frame.lanes(plan, target)), M.matrices(plan, knobs)
  local f = frame.new(plan, target, lanes, nil, false, phases.weights(plan, ws))
  local k = {
    b = f.b, plan = plan, frame = f, ws = ws, products = M.products(ws),
    lanes = frame.lanes(plan, target), kinds = (blocks.split(plan.co, lanes, knobs.vectors)),
    routines = {}, named = {}, prefetch = knobs.prefetch,
  }
  k.phases = phases.declare(f.b, plan, ws)
  geometry.divide(k, knobs.rows, (target.registers - (target.fma and 1 or 2)) // knobs.vectors - 1)
  k.v_tile = geometry.pitch(plan)
  k.v_pitch, k.m_pitch = geometry.pitches(plan, k.read, k.tiles, k.kinds[1].vectors * lanes)
  k.v = f.b:scratch("v", plan.work, k.products * k.v_pitch)
  k.m = f.b:scratch("m", plan.work, k.products * k.m_pitch)
  if plan.rank == 2 and k.products + ws[2].n > target.registers then
    k.held = f.b:scratch("held", plan.work, k.products * k.lanes)
  end
  inputs.declare(k)
  outputs.declare(k)
  f.weights = pack.weights(k)
  f.b.algorithm = described(plan, knobs, ws)
  return k
end

-- A block of tiles of group g of image n.
local function block_of(k, n, g, block)
  local b, f = k.b, k.frame
  k.source = b:view("src", f.x, n * f.from.n + g * f.from.g)
  inputs.transform(k, block)
  for _, kind in ipairs(k.kinds) do
    b:each("block", 0, kind.count, function(i)
      local channel = i * (kind.vectors * kind.lanes) + kind.channel
      k.channel = g * f.padded + channel
      k.image = n * f.to.n + g * f.to.g + channel * f.to.c
      k.phases:each("phase", 0, function(phase)
        local number = phase.weights * (kind.vectors * kind.lanes)
        local weights = b:view("weights", f.packed, (k.channel * f.places + number) * k.plan.ci)
        products.multiply(k, phase, block, kind, weights)
        outputs.transform(k, phase, block, kind)
      end)
      if k.plan.planar then planes.turn(k, block, kind) end
    end)
  end
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local k = declare(plan, knobs, target)
  k.b:tasks(plan.batch * plan.groups * k.blocks, k.blocks, function(task)
    local image = task // k.blocks
    block_of(k, image // plan.groups, image % plan.groups, task % k.blocks)
  end)
  k.b.pack = frame.pack(k.frame, k.kinds)
  return k.b
end

return M
