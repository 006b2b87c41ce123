-- SPDX-License-Identifier: MIT
-- Drawings of plans: the index map of every kernel, as one SVG document.
--
-- A kernel is a section: its title, then every spatial axis (equal ones once), then the same sizes
-- under the three rules and the footprint of one output. Pure text from plans: the same plans give
-- the same bytes.

local compare = require "upweave.draw.compare"
local contraction = require "upweave.draw.contraction"
local footprint = require "upweave.draw.footprint"
local fraction = require "upweave.draw.fraction"
local legend = require "upweave.draw.legend"
local phases_of = require "upweave.draw.phases"
local rows = require "upweave.draw.rows"
local scale_of = require "upweave.draw.scale"
local style = require "upweave.draw.style"
local svg = require "upweave.draw.svg"
local text = require "upweave.util.text"

local M = {}

local WIDTH <const> = 1040
local MARGIN <const> = 32
local ROWS_X <const> = 60     -- right of the rows' names
local LONGEST_LINE <const> = 130

--- Draws at a height below the last drawing; `draw` gives the height it took.
local function below(canvas, y, draw, x)
  canvas:open { "transform", ("translate(%s,%s)"):format(svg.number(x or 0), svg.number(y)) }
  local height = draw()
  canvas:close()
  return y + height
end

local function same_list(a, b)
  for k = 1, math.max(#a, #b) do
    if a[k] ~= b[k] then return false end
  end
  return true
end

local function drawn_alike(a, b)
  if a.input ~= b.input or a.output ~= b.output or a.source.first ~= b.source.first
    or a.source.step ~= b.source.step or a.precision ~= b.precision then
    return false
  end
  for o, taps in ipairs(a.taps) do
    local other = b.taps[o]
    if not (same_list(taps.index, other.index) and same_list(taps.weight, other.weight)) then
      return false
    end
  end
  return true
end

-- Axes that are drawn alike, under their names joined: { { name = "h = w", axis = …, k = 1 } }.
-- Where some outputs are a constant every axis is shown.
local function groups_of(plan)
  local groups = {}
  for k, axis in ipairs(plan.axes) do
    local found
    for _, group in ipairs(groups) do
      if not plan.fill and drawn_alike(group.axis, axis) then found = group end
    end
    if found then
      found.name = found.name .. " = " .. axis.name
    else
      groups[#groups + 1] = { name = axis.name, axis = axis, k = k }
    end
  end
  return groups
end

local function counted(n, what)
  return ("%d %s%s"):format(n, what, n == 1 and "" or "s")
end

local function heading_of(axis, phases)
  local source, cost, period = axis.source, axis:cost(), phases.period
  local parts = { source.rule, ("%s input pixel%s per output"):format(fraction.text(source.step),
    source.step > 0 and source.step <= 1 and "" or "s") }
  parts[#parts + 1] = axis:is_copy() and "copies"
    or "at most " .. counted(cost.widest, "tap")
  if period and period.inputs > 0 then
    parts[#parts + 1] = ("repeats after %s = %s%s"):format(counted(period.outputs, "output"),
      counted(period.inputs, "input"), phases.exact and "" or ", but for rounding")
  end
  if axis.precision and axis.precision > 0 then
    parts[#parts + 1] = ("integer weights / %d"):format(1 << axis.precision)
  end
  return table.concat(parts, " · ")
end

local function thinned_text(thinned)
  local parts = {}
  local function say(every, what)
    if every > 1 then parts[#parts + 1] = ("one in %d %s"):format(every, what) end
  end
  say(thinned.inputs, "inputs")
  say(thinned.outputs, "outputs")
  say(thinned.taps, "taps")
  return #parts > 0 and "Drawn: " .. table.concat(parts, ", ") .. "." or nil
end

-- What the key below the rows has to explain.
local function marks_of(plan, scale, phases)
  local has = { negative = false, outside = false, copy = scale.axis:is_copy(),
    filled = plan.fill ~= nil, fill = plan.fill and plan.fill.value,
    symbolic = scale.axis.symbolic }
  for _, phase in ipairs(phases.list) do
    for _, w in ipairs(phase.weights) do has.negative = has.negative or w < 0 end
    has.outside = has.outside or scale:lost(phase.output) > 0
  end
  return has
end

local function draw_axis(canvas, plan, group)
  local scale = scale_of.new(plan, group.k)
  local phases = phases_of.new(scale)
  local head = ("%s: %d → %d"):format(group.name, group.axis.input, group.axis.output)
  canvas:text(0, 16, "head", head)
  canvas:text(svg.width(head, 16) + 14, 16, "soft", heading_of(group.axis, phases))
  local thinned
  local y = below(canvas, 24, function()
    thinned = rows.draw(canvas, scale, phases)
    return rows.HEIGHT
  end, ROWS_X)
  canvas:text(ROWS_X - 12, 24 + rows.input_y + 22, "side", "input")
  canvas:text(ROWS_X - 12, 24 + rows.output_y + 20, "side", "output")
  local said = thinned_text(thinned)
  if said then
    canvas:text(ROWS_X, y, "note", said)
    y = y + 22
  end
  y = below(canvas, y, function() return legend.draw(canvas, scale, phases) end)
  y = below(canvas, y + 6, function()
    return legend.keys(canvas, scale, marks_of(plan, scale, phases))
  end)
  return y + 26
end

local function draw_extras(canvas, plan, y)
  local scale = scale_of.new(plan, #plan.axes)
  local x, height = 0, 0
  if compare.fits(scale) then
    canvas:text(0, y + 12, "soft", ("%s: %d → %d under each rule"):format(scale.axis.name,
      scale.axis.input, scale.axis.output))
    below(canvas, y + 20, function()
      x = compare.draw(canvas, scale)
      return 0
    end)
    height = compare.HEIGHT + 20
  end
  if footprint.fits(plan) then
    canvas:text(x, y + 12, "soft", "one output")
    height = math.max(height, below(canvas, 20, function()
      canvas:open { "transform", ("translate(0,%s)"):format(svg.number(y)) }
      local tall = footprint.draw(canvas, plan)
      canvas:close()
      return tall
    end, x))
  end
  return y + height
end

-- What a problem is beside its operator.
local function detail_of(problem)
  if problem.mode then return problem.mode .. (problem.antialias and ", antialias" or "") end
  return ("%s, stride %s"):format(text.shape(problem.kernel_size), text.shape(problem.stride))
end

local function draw_section(canvas, problem, whole)
  local plan = contraction.drawable(whole, problem)
  local title = ("%s: %s %s"):format(problem.name, problem.op, detail_of(problem))
  canvas:text(0, 20, "title", svg.clean(title, 80))
  canvas:text(0, 42, "soft", ("%s → %s %s %s, profile %s"):format(text.shape(problem.x.shape),
    text.shape(problem.y.shape), problem.x.layout, problem.x.dtype, problem.profile))
  local y = 74
  if problem.note then
    canvas:text(0, 62, "soft", svg.clean(problem.note, LONGEST_LINE))
    y = y + 20
  end
  for _, group in ipairs(groups_of(plan)) do
    y = below(canvas, y, function() return draw_axis(canvas, plan, group) end)
  end
  return draw_extras(canvas, plan, y)
end

local HATCH <const> = '<defs><pattern id="upweave-hatch" width="6" height="6" '
  .. 'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
  .. '<rect width="6" height="6" fill="#ffffff"/>'
  .. '<line x1="0" y1="0" x2="0" y2="6" stroke="#c3cad3" stroke-width="2"/></pattern></defs>'

local function names_of(drawn)
  local names = {}
  for k, one in ipairs(drawn) do names[k] = one.problem.name end
  return svg.clean(table.concat(names, ", "), LONGEST_LINE)
end

local function description_of(drawn)
  local lines = {}
  for k, one in ipairs(drawn) do
    lines[k] = ("%s: %s"):format(one.problem.name, one.formula)
  end
  return table.concat(lines, "; ")
end

--- The drawing of some kernels, one below another.
---@param drawn { problem: table, plan: table, formula: string }[]
---@return string svg
function M.document(drawn)
  local canvas, y = svg.new(), MARGIN
  for k, one in ipairs(drawn) do
    if k > 1 then canvas:line(MARGIN, y - 24, WIDTH - MARGIN, y - 24, "divider") end
    y = below(canvas, y, function() return draw_section(canvas, one.problem, one.plan) end, MARGIN)
    y = y + (k < #drawn and 56 or MARGIN)
  end
  local height = svg.number(math.ceil(y))
  local head = {
    '<?xml version="1.0" encoding="UTF-8"?>',
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%s" viewBox="0 0 %d %s"'
      .. ' role="img" class="upweave">'):format(WIDTH, height, WIDTH, height),
    "<title>" .. svg.escape("Index map of " .. names_of(drawn)) .. "</title>",
    "<desc>" .. svg.escape(svg.clean(description_of(drawn), 4000)) .. "</desc>",
    "<style>\n" .. style .. "</style>",
    HATCH,
    ('<rect width="%d" height="%s" class="paper"/>'):format(WIDTH, height),
  }
  return table.concat(head, "\n") .. "\n" .. table.concat(canvas.lines, "\n") .. "\n</svg>\n"
end

return M
