-- SPDX-License-Identifier: MIT
-- What the tuner's program says of candidates that are not right: every kind of fault is found
-- before anything is timed, and costs the others nothing.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local cache = require "upweave.toolchain.cache"
local candidates = require "upweave.tune.candidates"
local clang = require "upweave.toolchain.clang"
local host = require "upweave.toolchain.host"
local measure = require "upweave.tune.measure"
local progress = require "upweave.toolchain.progress"
local read = require "upweave.read"

progress.set_level(0)
measure.SECONDS = 5
local tools = { compiler = assert(clang.find {}), store = assert(cache.open(command.cache)) }
local target = host.native()

local function problem_of(options)
  options.name = "k"
  return assert(read.flags(options)).kernels[1]
end

-- A candidate whose run does something else first.
local function planted(good, text)
  local copy = { problem = good.problem, schedule = text, files = {}, c_sha256 = text }
  for index, file in ipairs(good.files) do
    local source = file.text
    if file.name:find("%.c$") then
      local count
      source, count = source:gsub("(static int candidate_call%([^{]*{\n)", "%1  " .. text .. "\n")
      assert(count == 1, "the entry of the kernel has another form")
    end
    copy.files[index] = { name = file.name, text = source }
  end
  return copy
end

local function check(problem, faults)
  local each = candidates.each(problem, target)
  local good, other = each(), each()
  local kit = assert(measure.new(tools, { problem }, target, 1))
  local batch = { good }
  for _, fault in ipairs(faults) do batch[#batch + 1] = planted(good, fault[2]) end
  batch[#batch + 1] = other
  local results = assert(kit:run(batch, 7, "test"))
  local function is_right(result, name)
    tap.is(result.status, "ok", name .. " is right")
    tap.ok(result.median_ns > 0 and result.low <= result.high, name .. " is timed")
  end
  is_right(results[1], "the first")
  is_right(results[#batch], "the last")
  tap.is(results[1].relative, 1, "the first is what others are compared with")
  for index, fault in ipairs(faults) do
    local result = results[index + 1]
    tap.is(result.status, fault[1], fault[2] .. " is told")
    tap.ok(result.median_ns == nil, "and not timed")
    tap.like(result.reason or "", fault[3], "with a reason")
  end
  kit.close()
end

check(problem_of { op = "interpolate", x = "1x3x7x9", mode = "bilinear", scale_factor = "2" }, {
  { "wrong", "((float *)outputs[0])[5] = 1000; return 0;", "elements are wrong" },
  { "wrong", "((char *)outputs[0])[-1] = 1;", "write at byte -1 of y" },
  { "crash", "((volatile char *)outputs[0])[3 * 14 * 18 * 4] = 1;", "past the end of y" },
  { "crash", "*(volatile float *)inputs[0] = 1;", "write to input x" },
  { "crash", "__builtin_trap();", "llegal" },
  { "status", "return 4;", "memory" },
  { "compile", "undeclared();", "exit code 1" },
  { "hang", "for (volatile int i = 0; i < 1;) {}", "time limit" },
  { "crash", "extern void exit(int); exit(3);", "exit code 3" },
})
check(problem_of { op = "interpolate", x = "1x5x6x4:NHWC:u8", mode = "nearest",
  scale_factor = "2" }, { { "wrong", "return 0;", "elements are wrong" } })
check(problem_of { op = "conv", x = "1x4x9x9", out_channels = "6", kernel_size = "3" },
  { { "wrong", "return 0;", "elements are wrong" } })

-- Times are multiples of the first right one's, which is never dropped, however slow it is.
do
  local problem = problem_of { op = "interpolate", x = "1x3x7x9", mode = "bilinear",
    scale_factor = "2" }
  local good = candidates.each(problem, target)()
  local kit = assert(measure.new(tools, { problem }, target, 1))
  local function slow(count)
    return planted(good, ("for (volatile int i = 0; i < %d; i++) {}"):format(count))
  end
  local results = assert(kit:run({ slow(40000), good, slow(400000) }, 7, "test"))
  tap.ok(results[1].relative == 1 and not results[1].early and results[1].rounds == 7,
    "a slow first one stays to be compared with")
  tap.ok(results[2].relative < 0.5 and results[2].low <= results[2].relative
    and results[2].relative <= results[2].high, "a faster one takes less than its time")
  tap.ok(results[3].relative > 2 and results[3].early and results[3].rounds == 3,
    "one far behind the best is dropped after three rounds")
  kit.close()
end

command.clean()
tap.done()
