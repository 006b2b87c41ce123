-- SPDX-License-Identifier: MIT
-- Drawings of plans: where things stand, what is said, and that hostile or huge specs are drawn.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local xml = dofile "tests/lib/xml.lua"
local draw = require "upweave.draw"
local ops = require "upweave.ops"
local resample = require "upweave.resample"
local scale_of = require "upweave.draw.scale"
local svg = require "upweave.draw.svg"

local LARGEST <const> = 160000 -- bytes of a kernel's drawing, whatever its size

local function plan_of(problem) return ops.find(problem.op).plan(problem) end

local function drawing(problem, plan)
  return draw.document { { problem = problem, plan = plan or plan_of(problem),
    formula = ops.find(problem.op).formula(problem) } }
end

local function line(input, output, fields)
  fields = fields or {}
  fields.x = { shape = { 1, 1, input }, layout = "NCW" }
  fields.mode = fields.mode or "linear"
  if not fields.scale_factor then fields.size = { output } end
  return problems.make(fields)
end

local function elements_of(text, name)
  local list, fault = xml.elements(text)
  if not tap.ok(list, name .. ": well formed") then tap.diag(fault) end
  return list or {}
end

local function texts_of(list, class)
  local texts = {}
  for k, element in ipairs(xml.of_class(list, class)) do texts[k] = element.text end
  return table.concat(texts, "|")
end

-- Everything that the lowerings are tested with, and what is hardest to draw.
local function check_all()
  local cases = problems.small()
  local function add(name, problem) cases[#cases + 1] = { name = name, problem = problem } end
  add("huge mean", line(40000, 1, { mode = "area" }))
  add("huge up", line(50, 20000))
  add("huge aperiodic", line(2003, 2701))
  add("one to many", line(1, 5000))
  add("corner of one", line(9, 1, { align_corners = true }))
  add("all at one corner", line(1, 900, { align_corners = true }))
  for _, case in ipairs(cases) do
    local problem = case.problem or problems.make(case.fields)
    local text = drawing(problem)
    local list = elements_of(text, case.name)
    tap.ok(#text < LARGEST, case.name .. ": of bounded size")
    tap.is(drawing(problem), text, case.name .. ": the same bytes again")
    local finite = true
    for _, element in ipairs(list) do
      for _, value in ipairs { element.at.x or 0, element.at.x1 or 0, element.at.x2 or 0 } do
        finite = finite and math.type(value) and value > -200 and value < 1300
      end
    end
    tap.ok(finite, case.name .. ": nothing stands far outside the paper")
  end
end

-- Left and right end of the cells of a row.
local function extent(list, class)
  local left, right = math.huge, -math.huge
  for _, cell in ipairs(xml.of_class(list, class)) do
    local main = cell.at.height == (class == "output" and 30 or 34)
    if main then
      left, right = math.min(left, cell.at.x), math.max(right, cell.at.x + cell.at.width)
    end
  end
  return left, right
end

local function near(a, b) return math.abs(a - b) < 0.05 end

local function check_rules()
  local half = elements_of(drawing(line(4, 7)), "half pixel")
  local corners = elements_of(drawing(line(4, 7, { align_corners = true })), "align corners")
  local il, ir = extent(half, "input")
  local ol, out = extent(half, "output")
  tap.ok(near(il, ol) and near(ir, out), "half pixel: the borders of both rows meet")
  il, ir = extent(corners, "input")
  ol, out = extent(corners, "output")
  local cell, small = (ir - il) / 4, (out - ol) / 7
  tap.ok(ol > il + 1 and out < ir - 1, "align corners: the borders do not meet")
  tap.ok(near(il + cell / 2, ol + small / 2) and near(ir - cell / 2, out - small / 2),
    "align corners: the centres of the corner pixels do")
  tap.like(texts_of(half, "note"), "borders meet|borders meet", "half pixel says what meets")
  tap.like(texts_of(corners, "note"), "centres meet|centres meet", "align corners too")
  local given = elements_of(drawing(line(5, nil, { scale_factor = { 1.5 } })), "scale factor")
  il, ir = extent(given, "input")
  ol, out = extent(given, "output")
  tap.ok(near(il, ol) and out < ir - 5, "a given scale factor: only the left borders meet")
end

local function check_scale()
  local function scale(...) return scale_of.new(plan_of(line(...)), 1) end
  local function outside(one, o)
    local before, after = one:outside(o)
    return ("%d before, %d after"):format(before, after)
  end
  local half = scale(4, 8)
  tap.is(half:at(0), -0.25, "half pixel reads at -1/4 first")
  tap.same({ half:output_cell(0) }, { -0.5, 0.0 }, "its first cell begins at the border")
  tap.is(outside(half, 0), "1 before, 0 after", "its filter reaches one pixel to the left")
  tap.is(outside(half, 7), "0 before, 1 after", "the last one's one to the right")
  tap.is(outside(half, 3), "0 before, 0 after", "those between none")
  local corners = scale(4, 7, { align_corners = true })
  tap.same({ corners:at(0), corners:at(6) }, { 0.0, 3.0 }, "align corners reads at the corners")
  tap.is(outside(corners, 0), "0 before, 0 after", "and nothing outside")
  local cubic = scale_of.new(plan_of(problems.make { mode = "bicubic", align_corners = true,
    x = { shape = { 1, 1, 4, 4 }, layout = "NCHW" }, size = { 7, 7 } }), 2)
  tap.is(outside(cubic, 0), "0 before, 0 after", "a filter on a pixel reads that pixel alone")
  tap.is(outside(cubic, 1), "1 before, 0 after", "beside it, all that it reaches")
  local nearest = scale(3, 7, { mode = "nearest" })
  tap.same({ nearest:input_cell(1) }, { 1, 2 }, "asymmetric: pixels begin at their points")
  local area = scale(7, 3, { mode = "area" })
  tap.ok(near(area:at(0), 2 / 3) and near(area.source.reach, 7 / 6), "area: windows and centres")
  tap.is(#scale(8, 16).windows, 1, "a short axis is whole")
  local long = scale(480, 960)
  tap.is(#long.windows, 3, "a long one is broken in three")
  tap.is(long.windows[1].from, -1.5, "the first window begins left of the border")
  tap.is(#scale(480, 2).windows, 1, "one whose parts would overlap is whole")
  tap.is(#scale(36, 16).windows, 1, "so is one whose first two parts would touch")
  tap.is(half.source.reach, 1.0, "linear reaches one pixel")
  tap.is(nearest.source.reach, 0.5, "nearest half of one")
  local wide = plan_of(problems.make { x = { shape = { 1, 1, 10, 10 }, layout = "NCHW" },
    mode = "bicubic", size = { 3, 3 }, antialias = true }).axes[2]
  tap.is(wide.source.outside, "renormalised", "antialias leaves out what is outside")
  tap.ok(near(wide.source.reach, 20 / 3), "and reaches as far as its stretched filter")
  tap.ok(near(wide.source.first, 7 / 6), "counted from the border")
  local narrow = plan_of(problems.make { x = { shape = { 1, 1, 3, 3 }, layout = "NCHW" },
    mode = "bilinear", size = { 10, 10 }, antialias = true }).axes[2]
  tap.ok(narrow.source.reach == 1, "it is not narrowed for larger pictures")
  local copied = scale(5, nil, { scale_factor = { 1.1 } })
  tap.same({ copied:at(0), copied:at(4) }, { 0, 4 }, "equal sizes are copied, whatever the factor")
  local plan = plan_of(line(4, 8))
  plan.axes[1].source.first = -3
  tap.is(outside(scale_of.new(plan, 1), 0), "1 before, 0 after", "a filter far outside, counted")
  plan.fill = { value = 0, lo = { 5 }, hi = { 8 } }
  tap.is(outside(scale_of.new(plan, 1), 0), "0 before, 0 after", "a constant reads nothing")
end

local function formulas(problem, plan)
  return texts_of(elements_of(drawing(problem, plan), "formulas"), "formula")
end

local function check_legend()
  tap.is(formulas(line(4, 8)),
    "y[2n] = 1/4 x[n−1] + 3/4 x[n]|y[2n+1] = 3/4 x[n] + 1/4 x[n+1]|y[0] = x[0]|y[7] = x[3]",
    "phases, then the clipped outputs")
  tap.like(formulas(line(480, 300)), "y[5n+1] = ≈1/10 x[8n+1] + ≈9/10 x[8n+2]",
    "phases that rounding keeps from being equal")
  tap.is(formulas(line(2, 3, { align_corners = true })), "y[0] = x[0]|y[1] = 1/2 x[0] + 1/2 x[1]"
    .. "|y[2] = x[1]", "an axis without a period, output by output")
  local function listed(outputs)
    local problem = line(9, outputs, { align_corners = true })
    local _, bars = formulas(problem):gsub("y%[", "")
    return ("%d, %s"):format(bars, drawing(problem):match("… and %d+ more") or "all")
  end
  tap.is(listed(16), "16, all", "as many outputs as there is room for")
  tap.is(listed(18), "8, … and 10 more", "the first of those that are more")
  tap.is(formulas(line(4, 8, { mode = "nearest" })), "y[2n] = x[n]|y[2n+1] = x[n]",
    "copies have no weights")
  local cubic = { x = { shape = { 1, 1, 9, 9 }, layout = "NCHW" }, mode = "bicubic",
    scale_factor = { 2, 2 } }
  tap.like(formulas(problems.make(cubic)),
    "y[2n] = −9/256 x[n−2] + 67/256 x[n−1] + 225/256 x[n] − 27/256 x[n+1]", "negative weights")
end

-- Three dots on each row, in the middle of each of the two gaps of 44 between windows.
local function check_breaks()
  local problem = line(480, 960)
  local windows, want, got = scale_of.new(plan_of(problem), 1).windows, {}, {}
  for k = 2, 3 do
    for dot = 0, 5 do want[#want + 1] = svg.number(windows[k].x - 22 + dot % 3 * 8 - 8) end
  end
  local dots = xml.of_class(elements_of(drawing(problem), "breaks"), "break")
  for k = 1, #want do got[k] = dots[k] and svg.number(dots[k].at.cx) end -- then the key's own
  tap.same(got, want, "an axis that goes on is marked between its windows")
end

-- Two colours of phases and grey for the ends.
local function check_colours()
  local colours, seen = {}, {}
  for _, cell in ipairs(xml.of_class(elements_of(drawing(line(4, 8)), "colours"), "output")) do
    if cell.at.height == 30 then colours[#colours + 1] = cell.at.fill end
  end
  tap.is(#colours, 8, "one cell an output")
  for _, colour in ipairs(colours) do
    if not seen[colour] then seen[colour], seen[#seen + 1] = true, colour end
  end
  tap.is(#seen, 3, "equal weights have one colour")
  tap.ok(colours[1] == colours[8] and colours[2] == colours[4] and colours[2] ~= colours[3],
    "and others another")
end

local function check_sections()
  local square = problems.make { x = { shape = { 1, 1, 4, 4 }, layout = "NCHW" },
    mode = "bilinear", scale_factor = { 2, 2 } }
  tap.is(texts_of(elements_of(drawing(square), "square"), "head"), "h = w: 4 → 8",
    "equal axes are drawn once")
  local other = problems.make { x = { shape = { 1, 1, 4, 5 }, layout = "NCHW" },
    mode = "bilinear", scale_factor = { 2, 2 } }
  tap.is(texts_of(elements_of(drawing(other), "oblong"), "head"), "h: 4 → 8|w: 5 → 10",
    "others one by one")
  local both = draw.document { { problem = square, plan = plan_of(square), formula = "f" },
    { problem = other, plan = plan_of(other), formula = "g" } }
  tap.is(texts_of(elements_of(both, "two kernels"), "title"),
    "k: interpolate bilinear|k: interpolate bilinear", "a section a kernel")
  local divider = xml.of_class(elements_of(both, "divided"), "divider")[1].at
  tap.ok(divider.x1 == 32 and divider.x2 == 1040 - 32, "a line between them, within the margins")
  tap.like(both, "<desc>k: f; k: g</desc>", "a description of all")
  tap.like(drawing(square), "1/16", "the footprint of one output")
end

local function check_hostile()
  local problem = line(2, 4)
  problem.note = '</text><script>alert("x")</script>&\0\27\xFF' .. ("w"):rep(1000)
  local text = drawing(problem)
  local list = elements_of(text, "hostile note")
  for _, element in ipairs(list) do
    if element.name == "script" then tap.ok(false, "a note is no markup") end
    if element.text:find("^</text>") then
      tap.same({ element.at.x, element.at.y }, { 0, 62 }, "a note stands below the shapes")
    end
  end
  tap.like(text, "&lt;script&gt;", "a note is escaped")
  tap.ok(not text:find("[%z\27\xFF]"), "and has nothing that XML cannot hold")
  tap.ok(not text:find(("w"):rep(200)), "and is cut")
end

-- Fixed-point weights and constant outputs, put into a plan by hand.
local function check_special()
  local problem = line(2, 4)
  local plan = plan_of(problem)
  local axis = plan.axes[1]
  for _, taps in ipairs(axis.taps) do
    for k, w in ipairs(taps.weight) do taps.weight[k] = math.tointeger(w * 4) end
  end
  axis.precision = 2
  tap.like(formulas(problem, plan), "y[1] = (3 x[0] + x[1]) / 4", "integer weights over a power")
  tap.like(formulas(problem, plan), "y[0] = x[0]|", "a copy has none")
  tap.like(drawing(problem, plan), "integer weights / 4", "the axis says so")
  plan.fill = { value = -2.5, lo = { 1 }, hi = { 3 } }
  local list = elements_of(drawing(problem, plan), "fill")
  tap.is(#xml.of_class(list, "filled"), 3, "constant outputs are hatched, and the key says so")
  tap.like(texts_of(list, "note"), "constant -2.5", "with the constant")
end

-- A problem of another framework with all that its plan depends on.
local function framework(profile, mode, output, fields)
  local problem = { name = "k", op = "interpolate", profile = profile, mode = mode,
    coord_math = "framework", align_corners = false, antialias = false, exclude_outside = false,
    cubic_coeff_a = -0.75, nearest_mode = "floor", size = { output },
    x = { shape = { 1, 1, 4 }, layout = "NCW", dtype = "f32" }, y = { shape = { 1, 1, output } } }
  for key, value in pairs(fields) do problem[key] = value end
  return problem
end

local function drawn_by(problem)
  local text = draw.document { { problem = problem, plan = resample.plan(problem), formula = "" } }
  return elements_of(text, problem.profile .. " " .. problem.mode)
end

-- The rules of other frameworks stand where their coordinates say.
local function check_frameworks()
  local rule = "coordinate_transformation_mode"
  local symmetric = drawn_by(framework("onnx", "linear", 7,
    { [rule] = "half_pixel_symmetric", scale_factor = { 1.9 } }))
  tap.is(#xml.of_class(symmetric, "meeting"), 0, "half_pixel_symmetric: nothing meets")
  local il, ir = extent(symmetric, "input")
  local ol, out = extent(symmetric, "output")
  tap.ok(ol > il and near(ol - il, ir - out), "but the middles")
  tap.is(xml.of_class(symmetric, "rule")[1].text, "half_pixel_symmetric",
    "a rule that is none of the three stands before them")
  local centred = drawn_by(framework("onnx", "nearest", 7, { [rule] = "tf_half_pixel_for_nn" }))
  tap.is(texts_of(centred, "note"):match("^[^|]*"), "borders meet", "tf_half_pixel_for_nn: borders")
  tap.is(xml.of_class(centred, "point")[1].at.cx, 0, "with the input's points at theirs")
  local tflite = drawn_by(framework("tflite", "bilinear", 8,
    { half_pixel_centers = false, x = { shape = { 1, 1, 4, 4 }, layout = "NCHW", dtype = "f32" },
      y = { shape = { 1, 1, 8, 8 } }, size = { 8, 8 } }))
  tap.like(texts_of(tflite, "soft"), "asymmetric", "tflite without half_pixel_centers: asymmetric")
  local crop = drawn_by(framework("onnx", "linear", 6,
    { [rule] = "tf_crop_and_resize", roi = { -0.3, 1.6 }, extrapolation_value = 7 }))
  tap.is(#xml.of_class(crop, "filled"), 4, "tf_crop_and_resize: three constants, and the key")
  tap.is(#xml.of_class(crop, "lost"), 0, "which read nothing")
  local left_out = drawn_by(framework("onnx", "cubic", 8,
    { [rule] = "half_pixel", exclude_outside = true }))
  tap.like(texts_of(left_out, "note"), "2 taps outside, left out", "exclude_outside: left out")
end

check_all()
check_rules()
check_scale()
check_legend()
check_breaks()
check_colours()
check_sections()
check_hostile()
check_special()
check_frameworks()
tap.done()
