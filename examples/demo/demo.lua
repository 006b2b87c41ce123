-- SPDX-License-Identifier: MIT
-- The demo: kernels for a picture, from spec to report.
--
-- usage: lua5.4 examples/demo/demo.lua [PICTURE.png]     from the root of the checkout
-- (`make demo`). Draws the chart or takes the picture; builds the kernels of kernels.lua for its
-- size, verifies and measures them with bin/upweave; enlarges the picture with a C program that
-- links them; prints a table and writes a page. Everything lies in build/demo/.
-- Invariants: programs get argument lists, never a shell; the first failure ends the demo with the
-- failed program's own words and exit code 1.

dofile("generator/searcher.lua")(".")
package.path = "examples/demo/?.lua;" .. package.path

local clang = require "upweave.toolchain.clang"
local files = require "upweave.toolchain.files"
local host = require "upweave.toolchain.host"
local process = require "upweave.toolchain.process"
local json = require "dkjson"
local report = require "report"
local uv = require "luv"

local OUT <const> = "build/demo"
local HOME <const> = "examples/demo"
local C_FLAGS <const> = { "-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
  "-Wshadow", "-Werror" }
-- A larger picture is cut to its middle: the reference alone would take minutes for it.
local MOST_WIDE <const>, MOST_HIGH <const> = 640, 480
local LEAST_SIDE <const> = 16
local PART_WIDE <const>, PART_HIGH <const> = 40, 30

-- Pieces of the chart worth a close look, by their upper left pixel.
local CHART_PARTS <const> = {
  { label = "text", x = 12, y = 219, title = "Small text", text = "strokes of one pixel" },
  { label = "plate", x = 140, y = 56, title = "Zone plate",
    text = "rings, up to half a cycle a pixel at the rim" },
  { label = "star", x = 236, y = 75, title = "Siemens star", text = "spokes that meet" },
  { label = "edge", x = 324, y = 36, title = "Slanted edge", text = "five degrees off the grid" },
}

local WHAT <const> = {
  nearest4x = "nearest ×4, interleaved", bilinear4x = "bilinear ×4, interleaved",
  bicubic4x = "bicubic ×4, interleaved", bilinear2x = "bilinear ×2, interleaved",
  bilinear2x_planar = "bilinear ×2, planar", bicubic4x_planar = "bicubic ×4, planar",
  reduce_plain = "bilinear ×0.3, interleaved", reduce_antialias = "bilinear ×0.3, antialiased",
}

local function fail(text, ...)
  io.stderr:write("demo: ", string.format(text, ...), "\n")
  os.exit(1)
end

local function say(text, ...)
  io.stderr:write("  ", string.format(text, ...), "\n")
end

--- Run a program; give its standard output.
local function run(...)
  local command = {}
  for _, part in ipairs { ... } do
    if type(part) == "table" then
      table.move(part, 1, #part, #command + 1, command)
    else
      command[#command + 1] = part
    end
  end
  local result = process.run(command, { seconds = 300 })
  if not result.ok then
    io.stderr:write(result.stdout, result.stderr)
    fail("%s %s", command[1], process.describe(result))
  end
  return result.stdout
end

local function compile(compiler, name, ...)
  local binary = OUT .. "/" .. name
  run(compiler.command, C_FLAGS, "-I" .. OUT .. "/kernels", HOME .. "/" .. name .. ".c",
    HOME .. "/picture.c", { ... }, "-lpng", "-lm", "-o", binary)
  return binary
end

--- Width and height that a PNG file states.
local function png_size(path)
  local bytes = files.read(path) or fail("cannot read %s", path)
  local png = bytes:sub(1, 8) == "\137PNG\r\n\26\n" and #bytes >= 24
  if not png then fail("%s is not a PNG file", path) end
  local width, height = string.unpack(">I4I4", bytes, 17)
  if width < LEAST_SIDE or height < LEAST_SIDE then
    fail("%s is too small: %d x %d, at least %d x %d", path, width, height, LEAST_SIDE, LEAST_SIDE)
  end
  return width, height
end

--- The picture to work on: { path, width, height, parts, drawn }.
local function choose_picture(compiler, given)
  if not given then
    say("drawing the chart")
    local chart = compile(compiler, "chart")
    run(chart, OUT .. "/chart.png")
    return { path = OUT .. "/chart.png", width = 480, height = 320, parts = CHART_PARTS,
      drawn = chart }
  end
  local width, height = png_size(given)
  local picture = { path = given, width = math.min(width, MOST_WIDE),
    height = math.min(height, MOST_HIGH), parts = {} }
  picture.cut = picture.width ~= width or picture.height ~= height
  for at, name in ipairs { "upper left", "middle", "lower right" } do
    picture.parts[at] = { label = "part" .. at, title = "The " .. name, text = "",
      x = math.max(0, picture.width * at // 4 - PART_WIDE // 2),
      y = math.max(0, picture.height * at // 4 - PART_HIGH // 2) }
  end
  return picture
end

--- kernels.lua for this picture's size.
local function write_spec(picture)
  local text = files.read(HOME .. "/kernels.lua")
  local size = string.format("local height, width = %d, %d", picture.height, picture.width)
  local changed, count = text:gsub("local height, width = %d+, %d+", size)
  assert(count == 1, "kernels.lua states the size once")
  local path = OUT .. "/kernels.lua"
  local file = assert(io.open(path, "wb"))
  file:write(changed)
  file:close()
  return path
end

local function part_size(picture)
  return math.min(PART_WIDE, picture.width), math.min(PART_HIGH, picture.height)
end

--- Write all pictures.
local function enlarge(compiler, picture)
  local program = compile(compiler, "upscale", OUT .. "/kernels/libkernels.a")
  local wide, high = part_size(picture)
  local arguments = {}
  for _, part in ipairs(picture.parts) do
    local words = { part.label, part.x, part.y, wide, high }
    for _, word in ipairs(words) do arguments[#arguments + 1] = tostring(word) end
    if picture.drawn then
      run(picture.drawn, OUT .. "/" .. part.label .. "-drawn.png", "4", tostring(part.x),
        tostring(part.y), tostring(wide), tostring(high))
    end
  end
  run(program, picture.path, OUT, arguments)
end

--- The results that bin/upweave gives with --json, by kernel.
local function by_kernel(text)
  local found = {}
  for _, record in ipairs(json.decode(text).results) do found[record.kernel] = record end
  return found
end

local function shape_text(tensor)
  local shape = tensor.shape
  local planar = tensor.layout == "NCHW"
  return string.format("%d × %d", shape[planar and 4 or 3], shape[planar and 3 or 2])
end

local function row_of(name, verified, measured)
  local meta = json.decode(files.read(OUT .. "/kernels/" .. name .. ".json"))
  local v, m = verified[name] or {}, measured[name] or {}
  return {
    name = name, what = WHAT[name], ok = v.ok == true,
    input = shape_text(meta.inputs[1]), output = shape_text(meta.outputs[1]),
    max_error = v.max_error, bound_share = v.bound_share,
    time = m.median_ns, generic = m.reference_ns, share = m.share, speedup = m.times_generic,
  }
end

local function names_in_order(spec)
  local names = {}
  for name in files.read(spec):gmatch('\nkernel "([%w_]+)"') do names[#names + 1] = name end
  return names
end

local function print_table(rows)
  local line = "%-19s %-26s %10s %10s %9s %9s"
  print(string.format(line, "kernel", "", "max error", "time", "x faster", "% of limit"))
  for _, row in ipairs(rows) do
    -- The terminal's columns are bytes to string.format.
    local what = row.what:gsub("×", "x")
    print(string.format(line, row.name, what, report.error_text(row.max_error),
      row.time and (report.time(row.time):gsub("µ", "u")) or "-",
      row.speedup and string.format("%.1f", row.speedup) or "-",
      row.share and string.format("%.0f", 100 * row.share) or "-"))
  end
end

local function columns(picture)
  local list = {
    { name = "nearest4x", title = "nearest", text = "" },
    { name = "bilinear4x", title = "bilinear", text = "" },
    { name = "bicubic4x", title = "bicubic", text = "" },
  }
  if picture.drawn then list[4] = { name = "drawn", title = "drawn at this size", text = "" } end
  return list
end

local function origin(compiler)
  local machine = host.describe()
  return {
    { "Upweave", (run("bin/upweave", "--version"):gsub("%s+$", "")) },
    { "Compiler", compiler.id },
    { "Processor", string.format("%s, %d processors seen", machine.model, machine.cpus) },
    { "Kernels built for", host.native().name },
    { "Built by", "bin/upweave build " .. OUT .. "/kernels.lua -o " .. OUT .. "/kernels" },
    { "Verified by", "bin/upweave verify " .. OUT .. "/kernels.lua" },
    { "Measured by", "bin/upweave bench " .. OUT .. "/kernels.lua" },
  }
end

local function write_report(picture, rows, compiler, seconds)
  local wide, high = part_size(picture)
  local path = OUT .. "/report.html"
  local page = report.page(HOME .. "/page.html", {
    folder = OUT, width = picture.width, height = picture.height, rows = rows,
    parts = picture.parts, columns = columns(picture), origin = origin(compiler),
    build_seconds = seconds,
    summary = string.format("%d kernels generated for a picture of %d × %d pixels, compiled, "
      .. "verified and measured on this machine.", #rows, picture.width, picture.height),
    pictures_note = (picture.cut and "The middle of the picture was used. " or "")
      .. "Both are shown at the same size; the output has sixteen times the pixels.",
    parts_note = string.format("Pieces of %d × %d pixels, enlarged four times by each kernel and "
      .. "shown pixel by pixel.%s", wide, high, picture.drawn
      and " The last column is the chart itself, drawn at that size." or ""),
  })
  local file = assert(io.open(path, "wb"))
  file:write(page)
  file:close()
  return path
end

local function all_verified(rows)
  for _, row in ipairs(rows) do
    if not row.ok then return false end
  end
  return true
end

local function main(given)
  uv.fs_mkdir("build", 493)
  uv.fs_mkdir(OUT, 493)
  local compiler = clang.find {} or fail("no clang: run `make deps`")
  local picture = choose_picture(compiler, given)
  local spec = write_spec(picture)
  say("generating and compiling the kernels")
  local started = uv.hrtime()
  run("bin/upweave", "build", "-q", spec, "-o", OUT .. "/kernels")
  local seconds = (uv.hrtime() - started) / 1e9
  say("running them on %s", picture.path)
  enlarge(compiler, picture)
  say("verifying them against the reference")
  local verified = by_kernel(run("bin/upweave", "verify", "--json", "-q", spec))
  say("measuring them")
  local measured = by_kernel(run("bin/upweave", "bench", "--json", "-q", spec))
  local rows = {}
  for at, name in ipairs(names_in_order(spec)) do rows[at] = row_of(name, verified, measured) end
  print_table(rows)
  local page = write_report(picture, rows, compiler, seconds)
  print("\npicture: " .. OUT .. "/bicubic4x.png\nreport:  " .. page)
  if not all_verified(rows) then fail("a kernel was not verified") end
end

main(arg[1] ~= "" and arg[1] or nil)
