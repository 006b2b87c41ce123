-- HEURISTIC
-- =========
-- The schedule for a plan that nobody tuned: the first rule of the list that applies.  Every rule
-- names the measurement behind it (Zen 4, AVX-512 and AVX2 alike unless said); docs/performance.md
-- holds the tables.

local averages = require "upweave.lower.averages"
local blend = require "upweave.lower.resample.blend"
local contract = require "upweave.schedule.contract"
local frame = require "upweave.lower.resample.frame"
local plane = require "upweave.lower.plane"
local products = require "upweave.lower.products"
local registers = require "upweave.lower.registers"
local row = require "upweave.lower.resample.row"

local M = {}

local KB, MB = 1024, 1024 * 1024
-- Working sets beyond this are written past the cache: a 32 MB cache that others use, too, keeps
-- less than that.  Interleaved trilinear 2x (19 MB) 1044 → 617 µs, bilinear at 64 MB 1.2x.
local STREAM_BYTES = 17 * MB
-- Several output streams at once pay while all is in the L2 cache, and cost up to 2x beyond.
local L2_BYTES = 1 * MB
local L1_BYTES = 32 * KB
-- Enough tasks for a few threads to share evenly, and rows that make restarting a ring cheap.
local TASKS, ROWS_PER_STRIP = 8, 16
-- Vectors of a row up to which a loop over rows is dear.
local SHORT_ROW = 4

---@class schedule.Facts
---@field plan table
---@field target Target
---@field lanes integer
---@field element integer  bytes of an element of the arithmetic
---@field row integer      output elements of a row
---@field y plan.Axis?     the axis across rows
---@field taps integer     rows in a sum
---@field scale number     output rows an input row
---@field bytes integer    read and written

local function facts_of(plan, target)
  local y = plan.axes[plan.rank - 1]
  return {
    plan = plan, target = target, lanes = frame.lanes(plan, target),
    element = target.vector_bytes // frame.lanes(plan, target),
    row = frame.row_elements(plan), y = y, taps = y and blend.most_taps(y) or 1,
    scale = y and y.output / y.input or 1, bytes = plan.bytes_read + plan.bytes_written,
  }
end

-- As many of a list of numbers of rows as the registers allow.
local function most_rows(f, wanted, per_row, fixed)
  for rows = wanted, 2, -1 do
    if rows ~= 3 and rows * per_row + fixed <= f.target.registers then return rows end
  end
  return 1
end

-- The row pass of a plan, prepared once for the rules that look at it.
local function pass_of(f)
  f.pass = f.pass or row.new(frame.geometry(f.plan, true).x, f.lanes)
  return f.pass
end

local function constant_weights(pass)
  for _, run in ipairs(pass.runs) do
    if run.count > 1 and not row.steady(pass, run) then return false end
  end
  return true
end

local rules = {}

-- Output rows that share their inputs, from the same loads.
local function shared_by(scale) return scale >= 3.5 and 4 or scale >= 1.5 and 2 or 1 end

function rules.averages(f)
  local rows = shared_by(f.scale)
  if f.plan.fixed and averages.legal(f.plan, { rows = rows }, f.target) then
    return "averages", "weights are multiples of 1/16 between two inputs", { rows = rows }
  end
end

function rules.products(f)
  if not f.plan.fixed then return end
  local rows = f.scale >= 1.5 and products.legal(f.plan, { rows = 2 }, f.target) and 2 or 1
  return "products", "fixed point with weights of 16 bits", { rows = rows }
end

-- Output rows from the same loads: 2x 64 channels 576 → 355 µs, nearest 2x 416 → 272; 8x gains
-- nothing, nor does anything written past the cache.
local function shared_rows(f)
  if f.bytes > STREAM_BYTES or f.scale >= 7 then return 1 end
  return f.scale >= 3.5 and 4 or f.scale >= 2 and 2 or 1
end

-- Two pixels at a time where elements are converted: bf16, 64 channels 437 → 340 µs.
function rules.channels(f)
  if f.plan.planar or f.plan.channels * 2 < f.lanes then return end
  local outer = f.plan.rank == 3 and blend.most_taps(f.plan.axes[1]) or 1
  local taps_x = blend.most_taps(f.plan.axes[f.plan.rank])
  local columns = f.plan.dtype ~= f.plan.work and taps_x <= 2 and 2 or 1
  return "channels", "channels fill vectors",
    { columns = columns,
      rows = most_rows(f, shared_rows(f), f.taps * outer,
        (columns + 1 + f.taps * outer) * taps_x + 2) }
end

-- A plane of 4x4 is one register: 17x a plain loop.
function rules.plane(f)
  if f.plan.rank > 1 and f.row <= f.lanes and plane.legal(f.plan, { planes = 1 }) then
    return "plane", "rows are shorter than a vector", {}
  end
end

-- 14x14 → 28x28, 16 planes: 2.6 µs with a rolling buffer, 0.8 in registers.
function rules.registers(f)
  if f.row <= SHORT_ROW * f.lanes and registers.legal(f.plan, {}, f.target) then
    return "registers", "a row is a few vectors", {}
  end
end

function rules.single(f)
  if f.plan.rank == 1 then return "blended", "one spatial axis", {} end
end

-- Nearest 2x: the row pass twice costs less than a copy through a ring.
function rules.copies(f)
  if f.y:is_copy() then return "blended", "output rows are input rows: nothing to keep", {} end
end

-- 480x640 → 300x300: 88 → 74 µs fused; antialiased (4 taps) 140 → 165 µs.  Where the constants of
-- the row pass leave no room for the line in L1, 64-byte windows of it stall: 318 → 164 µs fused.
function rules.shrinking(f)
  if f.scale > 1 then return end
  local crowded = f.target.vector_bytes == 64
    and row.constants(pass_of(f)) * f.element > L1_BYTES
  local fused = pass_of(f).straight and f.taps <= blend.STRAIGHT and (f.taps <= 2 or crowded)
  return "blended", "fewer output rows than input rows", { line = fused and "fused" or "buffered" }
end

-- Bilinear 2x and 4x: 433 → 397 µs, 726 → 649; 8x loses (62 → 92), and so does 3x, whose weights
-- come from a table (134 → 195).  What has to be converted is converted once in a ring: f16 515 →
-- 397 µs, bf16 738 → 519.
function rules.fused(f)
  if f.plan.dtype ~= f.plan.work then return end
  if f.taps <= 2 and f.scale <= 4 and pass_of(f).straight and constant_weights(f.pass) then
    return "blended", "two rows cost less than a ring", { line = "fused" }
  end
end

-- Bicubic 4x to 720x1280: 426 → 369 µs; 180x320 in L2: 16 → 25.  Converted rows are better off in
-- the ring: f16 456 → 343 µs, bf16 528 → 446.
function rules.line(f)
  if f.plan.dtype ~= f.plan.work then return end
  if f.taps > 2 and f.bytes > L2_BYTES then
    return "blended", "a ring of many rows and its outputs leave the L1 cache", {}
  end
end

function rules.rolling(f)
  local rows = f.taps >= 4 and f.taps <= blend.STRAIGHT and most_rows(f, 4, f.taps, f.taps + 1)
  return "rolling", "each input row is used by several output rows", { rows = rows or 1 }
end

local ORDER = {
  rules.averages, rules.products, rules.channels, rules.plane, rules.registers, rules.single,
  rules.copies, rules.shrinking,
  rules.fused, rules.line, rules.rolling,
}

-- Parts of an image that make enough tasks.
local function strips(f, planes)
  if f.plan.rank ~= 2 then return 1 end
  local n = 1
  while n < 8 and planes * n < TASKS and f.y.output // (2 * n) >= ROWS_PER_STRIP do n = n * 2 end
  return n
end

--- Strategy, the knobs that differ from their defaults, and the reason.
---@param plan table
---@param target Target
---@return string strategy
---@return table knobs
---@return string why
function M.choose(plan, target)
  if plan.form == "contract" then return contract.choose(plan, target) end
  local f = facts_of(plan, target)
  for _, rule in ipairs(ORDER) do
    local name, why, knobs = rule(f)
    if name then
      if name ~= "plane" and name ~= "registers" then
        knobs.strips = strips(f, plan.batch * (plan.planar and plan.channels or 1))
      end
      if name ~= "plane" and f.bytes > STREAM_BYTES then knobs.stores = "streaming" end
      if name == "channels" and plan.rank == 1 then knobs.tiles = TASKS end
      return name, knobs, why
    end
  end
end

return M
