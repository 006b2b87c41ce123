-- PLANES
-- ======
-- Planar tensors: what a block of tiles reads is transposed to scratch, [row][pixel][channel] with
-- zeros around the image, so that all of its tiles are inside; its outputs are kept in scratch in
-- the same order until all phases are there, and transposed to planes.

local geometry = require "upweave.lower.winograd.geometry"
local parts = require "upweave.lower.contract.parts"
local phases = require "upweave.lower.winograd.phases"
local store = require "upweave.lower.contract.store"
local transpose = require "upweave.lower.contract.transpose"
local vector = require "upweave.lower.vector"

local M = {}

-- Most rows of tiles in a block.
local function most_rows(k)
  local most = 0
  for _, block in ipairs(k.bounds) do most = math.max(most, block.to - block.from) end
  return most
end

-- inputs --------------------------------------------------------------------------------------

-- A line of `width` pixels that begins at pixel `origin` of the image: `before` of them are zeros,
-- then `count` are those from pixel `at` on.
local function line_of(axis, origin, width)
  local at = math.max(0, origin)
  local before = math.min(at - origin, width)
  local count = math.max(0, math.min(width - before, axis.input - at))
  return { before = before, count = count, at = at, width = width }
end

local function keyed(line, to)
  line.key, line.to = ("%d %d %d"):format(line.before, line.count, line.width), to
  if line.count == 0 then line.at = 0 end
  return line
end

-- Inputs that so many tiles in a row read.
local function length_of(w, tiles) return (tiles - 1) * w.m + w.n end

-- The lines of a block of an image, those of rows outside empty.
local function image_lines(k, block, width)
  local y, x, w, list = k.plan.axes[1], k.plan.axes[2], k.ws[1], {}
  local _, base_y = phases.of(y, w)
  local _, base_x = phases.of(x, k.ws[2])
  for r = 0, length_of(w, geometry.inputs(y, w, block.to - block.from)) - 1 do
    local row, line = block.from * w.m + base_y + r, line_of(x, base_x, width)
    if row < 0 or row >= y.input then
      line = { before = width, count = 0, at = 0, width = width }
    end
    line.at = line.at + row * x.input
    list[r + 1] = keyed(line, r * width)
  end
  return list
end

local function lines_of(k, block)
  if k.plan.rank == 2 then return image_lines(k, block, length_of(k.ws[2], k.columns)) end
  local axis, w = k.plan.axes[1], k.ws[1]
  local _, base = phases.of(axis, w)
  local length = length_of(w, geometry.inputs(axis, w, block.to - block.from))
  return { keyed(line_of(axis, block.from * w.m + base, length), 0) }
end

--- Scratch for the inputs of a block: k.stage, k.stage_steps (elements between neighbours along
--- each axis), k.stage_lines.
function M.declare_inputs(k)
  local lists, size, ci = {}, 0, k.plan.ci
  for p, block in ipairs(k.bounds) do
    lists[p] = lines_of(k, block)
    local last = lists[p][#lists[p]]
    size = math.max(size, last.to + last.width)
  end
  k.stage = k.b:scratch("stage", k.plan.work, size * ci)
  k.stage_lines = parts.new(k.b, "line", lists, { "at", "to" })
  k.stage_steps = k.plan.rank == 2 and { lists[1][1].width * ci, ci } or { ci }
end

local function zeros(k, line, at, count)
  if count == 0 then return end
  local ci = k.plan.ci
  vector.sweep_row(k.b, "zero", count * ci, k.lanes, 1, function(c, lanes)
    k.b:store(line, at * ci + c, k.b:const(k.plan.work, lanes, 0))
  end)
end

-- `count` pixels of all planes from x[at] on, to the line from its pixel `to` on.
local function gather(k, line, to, at, count)
  local b, ci, plane = k.b, k.plan.ci, k.frame.from.c
  if count == 0 then return end
  local source = b:view("in", k.source, at)
  vector.sweep_row(b, "x", count, k.lanes, 1, function(x, pixels)
    vector.sweep_row(b, "c", ci, pixels, 1, function(c, channels)
      local rows = {}
      for i = 0, channels - 1 do rows[i + 1] = b:load(source, (c + i) * plane + x, pixels, "x") end
      transpose.columns(b, rows, function(pixel, v)
        b:store(line, (x + (to + pixel)) * ci + c, v)
      end)
    end)
  end)
end

--- The inputs of a block to the stage.
function M.fill(k, block)
  k.stage_lines:each("line", block, function(own)
    local line, after = k.b:view("line", k.stage, own.to * k.plan.ci), own.before + own.count
    zeros(k, line, 0, own.before)
    gather(k, line, own.before, own.at, own.count)
    zeros(k, line, after, own.width - after)
  end)
end

-- outputs -------------------------------------------------------------------------------------

-- Outputs of a block along its first axis, rows of an image or pixels of a line, of all phases:
-- where each lies and where it is kept.
local function places_of(k, block, rows)
  local axis, w, list = k.plan.axes[1], k.ws[1], {}
  for _, phase in ipairs((phases.of(axis, w))) do
    for t = block.from, block.to - 1 do
      local output = geometry.output_of(axis, phase, w, t)
      for q = 0, output and output.count - 1 or -1 do
        local kept = (phase.number * rows + t - block.from) * w.m + output.from + q
        list[#list + 1] = { at = output.at + q * axis.phases, kept = kept }
      end
    end
  end
  table.sort(list, function(a, b) return a.at < b.at end)
  return list
end

-- Runs of neighbours that are kept as neighbours.
local function runs_of(places, length)
  local list = {}
  for _, place in ipairs(places) do
    local last = list[#list]
    if last and place.at == last.at + last.count and place.kept == last.kept + last.count then
      last.count = last.count + 1
    else
      list[#list + 1] = { at = place.at, kept = place.kept, count = 1 }
    end
  end
  for _, run in ipairs(list) do
    run.at, run.kept, run.length = run.at * length, run.kept * length, run.count * length
    run.key = run.length
  end
  return list
end

-- Of a line, the outputs of a block are kept in their order; its tiles know where.
local function line_runs(k)
  local axis, lists, kept, size = k.plan.axes[1], {}, {}, 0
  local list = phases.of(axis, k.ws[1])
  for p, block in ipairs(k.bounds) do
    local places = places_of(k, block, 0)
    for _, place in ipairs(places) do place.kept = place.at - places[1].at end
    lists[p] = runs_of(places, 1)
    for t = block.from, block.to - 1 do
      for number, phase in ipairs(list) do
        local output = geometry.output_of(axis, phase, k.ws[1], t)
        if output then output.kept = output.at - places[1].at end
        kept[(number - 1) * k.all + t + 1] = { output }
      end
    end
    if #places > 0 then size = math.max(size, places[#places].kept + 1) end
  end
  k.outputs = parts.new(k.b, "kept", kept, { "at", "kept" })
  return lists, size
end

-- Of an image, all rows of a block's tiles are kept, phase by phase.
local function image_runs(k)
  local lists, axes, rows = {}, k.plan.axes, most_rows(k)
  for p, block in ipairs(k.bounds) do
    lists[p] = runs_of(places_of(k, block, rows), axes[2].output)
  end
  k.strip_rows = rows * k.ws[1].m
  return lists, axes[1].phases * k.strip_rows * axes[2].output
end

--- Scratch for the outputs of a block: k.strip, k.strip_runs, k.strip_rows (rows that a phase
--- keeps).
function M.declare_outputs(k)
  local runs = k.plan.rank == 2 and image_runs or line_runs
  local lists, size = runs(k)
  k.strip_runs = parts.new(k.b, "run", lists, { "at", "kept" })
  k.strip = k.b:scratch("strip", k.plan.work, size * k.kinds[1].vectors * k.kinds[1].lanes)
end

--- The kept outputs of a block of tiles and a block of channels to planes.
function M.turn(k, block, kind)
  local b, width = k.b, kind.vectors * kind.lanes
  k.strip_runs:each("run", block, function(run)
    local line = b:view("kept", k.strip, run.kept * width)
    for v = 1, kind.vectors do
      vector.sweep_row(b, "ox", run.length, kind.lanes, 1, function(at, lanes)
        store.turn(k, k.image + run.at, line, kind, v, at, lanes)
      end)
    end
  end)
end

return M
