-- FRAME
-- =====
-- What the strategies of the contract form share: buffers, strides, the layout of packed weights,
-- and the module that packs.
--
-- Packed are, in values of the plan's arithmetic: for each group and each of its blocks of output
-- channels the weights in the order in which the kernel reads them, [kz][ky][slot][ci][channel] or,
-- where a strategy reads all slots of an input channel together, [kz][ky][ci][slot][channel]; then
-- the bias and the vectors that the epilogue needs, each padded like the channels.  Slots are the
-- positions of the kernel along the last axis in an order of the strategy's.

local blocks = require "upweave.lower.contract.blocks"
local builder = require "upweave.ir.builder"
local epilogue = require "upweave.lower.epilogue"
local types = require "upweave.ir.types"

local M = {}

--- Lanes of a register in the plan's arithmetic.
function M.lanes(plan, target) return target.vector_bytes // types.element_bytes[plan.work] end

local function product(list, from)
  local n = 1
  for i = from, #list do n = n * list[i] end
  return n
end

-- Elements between neighbours along batch (n), groups (g), channels (c) and axes; `sizes` are the
-- axes', outermost first.
local function strides_of(plan, sizes, channels)
  local plane, s = product(sizes, 1), { axes = {} }
  local all = channels * plan.groups
  local pixel = plan.planar and 1 or all
  s.c = plan.planar and plane or 1
  s.n, s.g = plane * all, channels * s.c
  for i in ipairs(sizes) do s.axes[i] = product(sizes, i + 1) * pixel end
  return s
end

local function sizes_of(plan, field)
  local out = {}
  for i, axis in ipairs(plan.axes) do out[i] = axis[field] end
  return out
end

--- Strides of x and of y.
---@param plan upweave.plan.contract
---@return table
---@return table
function M.strides(plan)
  local channels = plan.elementwise and M.input_channel(plan, plan.co) or plan.ci
  return strides_of(plan, sizes_of(plan, "input"), channels),
    strides_of(plan, sizes_of(plan, "output"), plan.co)
end

---@class lower.contract.Frame
---@field b ir.Builder
---@field plan upweave.plan.contract
---@field lanes integer        of a vector of output channels
---@field padded integer       output channels of a group, padded
---@field kernel integer[]     sizes of the kernel
---@field taps integer         their product
---@field places integer       packed weights of an input and an output channel
---@field from table           strides of x
---@field to table             strides of y
---@field epilogue lower.Epilogue
---@field residuals table[]    inputs that are added
---@field bias integer?        where the packed bias begins
---@field vectors integer[]    where the packed vectors of the epilogue begin
---@field slots integer[]?     kernel position of every slot
---@field slot integer         input channels between neighbouring slots, times the block's width
---@field channel integer      the same between input channels
---@field weights fun(f: lower.contract.Frame, p: ir.Builder, s: lower.contract.Share)?   packs the
---  weights of a block, where they are not those of the slots

---@class lower.contract.Share   what of the parameters a block is
---@field buffers table   of the packing module, by name
---@field g integer|ir.Index
---@field at ir.Index   where the weights of the block begin in `packed`
---@field channel ir.Index   its first channel of the group
---@field block lower.contract.Block
---@field finish fun(w: table, o: ir.Index): table   a weight of output channel o of the block, with
---  what the epilogue folds into it, in the plan's arithmetic

-- Where what comes after the weights begins; f.packed_size.
local function place_vectors(f)
  local size, each = f.plan.groups * f.places * f.plan.ci * f.padded, f.plan.groups * f.padded
  f.vectors = {}
  if f.epilogue.bias then
    f.bias, size = size, size + each
  end
  for i in ipairs(f.epilogue.parameters) do
    f.vectors[i], size = size, size + each
  end
  f.packed_size = size
end

local function declare_buffers(f)
  local b, plan = f.b, f.plan
  f.x = b:input("x", plan.dtype, plan.batch * f.from.n, plan.work)
  f.residuals = {}
  for i = 1, f.epilogue.residuals do
    local name = i > 1 and "residual" .. i or "residual"
    f.residuals[i] = b:input(name, plan.dtype, plan.batch * f.to.n, plan.work)
  end
  f.packed = b:input("packed", plan.work, f.packed_size)
  f.y = b:output("y", plan.dtype, plan.batch * f.to.n, plan.work)
end

--- A module with x, residuals, packed and y.  `lanes` is the width of the packed vectors of
--- channels, `slots` the order of kernel positions, `together` whether those of an input channel
--- are neighbours; `places` weights of a pair of channels are packed, as many as taps if it is
--- absent.
---@param plan upweave.plan.contract
---@param target Target
---@param lanes integer
---@param slots integer[]?
---@param together boolean?
---@param places integer?
---@return lower.contract.Frame
function M.new(plan, target, lanes, slots, together, places)
  local b = builder.new("kernel", target, plan.work)
  local kernel = sizes_of(plan, "kernel")
  local from, to = M.strides(plan)
  -- Positions of phases that have no output are packed, too: any will do.
  for i = #(slots or {}) + 1, slots and kernel[#kernel] or 0 do slots[i] = 0 end
  local f = {
    b = b, plan = plan, lanes = lanes, kernel = kernel, taps = product(kernel, 1),
    padded = blocks.padded(plan.co, lanes),
    from = from, to = to, slots = slots, slot = together and 1 or plan.ci,
    channel = together and #slots or 1,
  }
  f.places = places or f.taps
  f.epilogue = epilogue.new(plan)
  place_vectors(f)
  declare_buffers(f)
  return f
end

--- The knob `strips`: an image's share of tasks.  Beyond 32 a strip has two outputs at least.
function M.strips_knob(plan)
  local values, n = { 1, 2, 4, 8, 16, 32 }, 64
  while n <= 128 and 2 * n <= plan.axes[1].output do values[#values + 1], n = n, 2 * n end
  return {
    name = "strips", values = values, default = 1,
    doc = plan.rank > 1 and "parts of the outermost axis" or "parts of a row",
  }
end

-- tasks ---------------------------------------------------------------------------------------

--- A plan of small groups as one group of all their output channels: output channel o reads `ci`
--- channels from o // elementwise.co * elementwise.ci on.
---@param plan upweave.plan.contract
---@return table
function M.elementwise(plan)
  return setmetatable({
    groups = 1, co = plan.groups * plan.co, elementwise = { ci = plan.ci, co = plan.co },
  }, { __index = plan })
end

--- The first input channel of an output channel, a number that begins a group.
---@param plan table
---@param o integer
---@return integer
function M.input_channel(plan, o)
  local each = plan.elementwise
  return each and o // each.co * each.ci or 0
end

-- fn(kind, block) for the kind that a block of a group is of: each is a loop of one turn or none.
local function each_kind(b, kinds, count)
  if #kinds == 1 then return function(block, fn) fn(kinds[1], block) end end
  local bounds = {}
  for k, kind in ipairs(kinds) do
    local lo, hi = {}, {}
    for i = 0, count - 1 do
      lo[i + 1] = math.max(kind.first, math.min(i, kind.first + kind.count))
      hi[i + 1] = i >= kind.first and i < kind.first + kind.count and i + 1 or lo[i + 1]
    end
    bounds[k] = b:ranges("block" .. k - 1, lo, hi)
  end
  return function(block, fn)
    for k, kind in ipairs(kinds) do
      local lo, hi = bounds[k](block)
      b:each("block", lo, hi, function(i) fn(kind, i) end)
    end
  end
end

--- The knob `order`: what a task's successor shares with it.
function M.order_knob()
  return {
    name = "order", values = { "blocks", "strips" }, default = "blocks",
    doc = "blocks: all strips of a block of channels, then the next; strips: all blocks of a strip",
  }
end

--- The knob `stores`: streaming (past the cache) where vectors are whole and stay aligned and the
--- target has such stores.
function M.stores_knob(plan, target)
  local lanes, values = M.lanes(plan, target), { "cached" }
  local row = plan.planar and plan.axes[plan.rank].output or plan.co
  if target.fence and row % lanes == 0 then values[2] = "streaming" end
  return {
    name = "stores", values = values, default = "cached", doc = "streaming bypasses the cache",
  }
end

-- A task's group of an image, block and part, as k.order has them.
local function split_task(k, task)
  local group = task // (k.parts * k.count)
  if k.order == "strips" then return group, task % k.count, task // k.count % k.parts end
  return group, task // k.parts % k.count, task % k.parts
end

--- Fields of k for a block of group g of image n: `weights`, `channel` (packed number of the
--- block's first channel), `image` (where the block's output begins in y).
---@return ir.Index   the block's first channel of the group
function M.enter(k, n, g, kind, block)
  local f = k.frame
  local channel = (block - kind.first) * (kind.vectors * kind.lanes) + kind.channel
  k.channel = g * f.padded + channel
  k.weights = k.b:view("weights", f.packed, k.channel * (f.places * k.plan.ci))
  k.image = n * f.to.n + g * f.to.g + channel * f.to.c
  return channel
end

--- The loop over tasks: images x groups x blocks x parts.  fn(block, part) with the fields of k
--- set: those of a block and `source` (the group's input).
---@param k { b: ir.Builder, plan: table, frame: lower.contract.Frame, kinds: table[],
---  count: integer, parts: integer, order: string? }
---@param fn fun(block: lower.contract.Block, part: ir.Index)
function M.tasks(k, fn)
  local b, f, plan = k.b, k.frame, k.plan
  local kinds = each_kind(b, k.kinds, k.count)
  b:tasks(plan.batch * plan.groups * k.count * k.parts, k.parts * k.count, function(task)
    local group, number, part = split_task(k, task)
    local n, g = group // plan.groups, group % plan.groups
    local source = n * f.from.n + g * f.from.g
    kinds(number, function(kind, block)
      M.enter(k, n, g, kind, block)
      local first = (block - kind.first) * M.input_channel(plan, kind.vectors * kind.lanes)
      k.source = b:view("src", f.x, first + source + M.input_channel(plan, kind.channel))
      fn(kind, part)
    end)
  end)
end

-- packing -------------------------------------------------------------------------------------

--- Element of the parameter `weight` for channels o and c of group g and a place in the kernel.
function M.weight_index(plan, taps, g, o, c, place)
  local each = plan.elementwise
  if each and each.co > 1 and plan.transposed then
    return ((o // each.co * each.ci + c) * each.co + o % each.co) * taps + place
  end
  if plan.transposed then return ((g * plan.ci + c) * plan.co + o) * taps + place end
  return ((g * plan.co + o) * plan.ci + c) * taps + place
end

-- fn(position among the taps of the outer axes, position in the kernel): loops over outer axes.
local function each_outer(p, kernel, fn)
  local inner = kernel[#kernel]
  p:each("row", 0, product(kernel, 1) // inner, function(row) fn(row, row * inner) end)
end

--- The lanes of a block from `to` on: value(channel of the block) in order, 0 where there is none.
function M.pack_lanes(p, packed, to, block, value)
  for v = 1, block.vectors do
    local channel, used = blocks.vector(block, v)
    local first = to + (v - 1) * block.lanes
    p:each("lane", 0, used, function(lane)
      p:store(packed, first + lane, value(lane + channel))
    end)
    p:each("lane", used, block.lanes, function(lane)
      p:store(packed, first + lane, p:const(packed.work, 1, 0))
    end)
  end
end

-- The elements of parameters for one output channel, by name.
local function fetch_of(p, buffers, channel)
  return function(name) return p:load(buffers[name], channel, 1) end
end

-- Bias and the vectors of the epilogue for a block.
local function pack_vectors(f, p, buffers, g, channel, block)
  local e, to = f.epilogue, g * f.padded + channel
  local function fetch(o) return fetch_of(p, buffers, g * f.plan.co + channel + o) end
  if e.bias then
    M.pack_lanes(p, buffers.packed, to + f.bias, block, function(o)
      return e:packed_bias(p, f.plan.bias and fetch(o) "bias", fetch(o))
    end)
  end
  for i, at in ipairs(f.vectors) do
    M.pack_lanes(p, buffers.packed, to + at, block, function(o) return e:packed(p, i, fetch(o)) end)
  end
end

-- The weights of a block by slots.
local function pack_slots(f, p, s)
  local plan, kernel, width = f.plan, f.kernel, s.block.vectors * s.block.lanes
  local inner = kernel[#kernel]
  p:each("c", 0, plan.ci, function(c)
    each_outer(p, kernel, function(row, place)
      p:each("slot", 0, inner, function(slot)
        local to = s.at + (row * (inner * plan.ci) + slot * f.slot + c * f.channel) * width
        local k = place + p:fetch(s.buffers.slots, slot)
        M.pack_lanes(p, s.buffers.packed, to, s.block, function(o)
          local from = M.weight_index(plan, f.taps, s.g, s.channel + o, c, k)
          return s.finish(p:load(s.buffers.weight, from, 1), o)
        end)
      end)
    end)
  end)
end

-- One block, whose first channel is `channel`; its weights begin at `at`.
local function pack_block(f, p, buffers, g, at, channel, block)
  local weights = f.weights or pack_slots
  weights(f, p, {
    buffers = buffers, g = g, at = at, channel = channel, block = block,
    finish = function(w, o)
      return f.epilogue:weight(p, w, fetch_of(p, buffers, g * f.plan.co + channel + o))
    end,
  })
  pack_vectors(f, p, buffers, g, channel, block)
end

--- The module that packs for blocks of the kinds given.
---@param f lower.contract.Frame
---@param kinds lower.contract.Block[]
---@return ir.Builder
function M.pack(f, kinds)
  local plan, channels = f.plan, f.plan.co * f.plan.groups
  local p = builder.new("pack", f.b.target, plan.work)
  local buffers = {
    weight = p:input("weight", plan.dtype, channels * plan.ci * f.taps, plan.work),
  }
  if plan.bias then buffers.bias = p:input("bias", plan.dtype, channels, plan.work) end
  for _, name in ipairs(f.epilogue.tensors) do
    buffers[name] = p:input(name, plan.dtype, channels, plan.work)
  end
  buffers.packed = p:output("packed", plan.work, f.packed_size)
  if f.slots then
    buffers.slots = p:table("slots", "i32", f.slots, 1,
      "kernel positions along the last axis, in order of use")
  end
  local per_channel = f.places * plan.ci
  p:each("g", 0, plan.groups, function(g)
    for _, block in ipairs(kinds) do
      local width = block.vectors * block.lanes
      p:each("block", 0, block.count, function(i)
        local channel = i * width + block.channel
        pack_block(f, p, buffers, g, (g * f.padded + channel) * per_channel, channel, block)
      end)
    end
  end)
  return p
end

return M
