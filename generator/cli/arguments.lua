-- SPDX-License-Identifier: MIT
-- Options of the verbs.
--
-- Purpose: declares the options with argparse, parses, and turns its complaints into diagnostics.
-- Invariants: an option means the same in every verb that has it; a value may begin with a dash
-- (`--cflags -O3`), as with getopt; after `--` everything is a SPEC. Verbs name groups of options:
--   spec     SPEC or flags in its place, and what overrides fields of all kernels
--   target   --target
--   weights  --weights
--   compile  the C compiler
--   database --db
--   runner   --runner

local argparse = require "argparse"
local clang = require "upweave.toolchain.clang"
local diagnostics = require "upweave.util.diagnostics"
local flags = require "upweave.read.flags"
local suggest = require "upweave.util.suggest"
local words = require "upweave.toolchain.words"

local M = {}

local BOOLEANS <const> = { ["true"] = true, ["false"] = false }
local COLORS <const> = { "auto", "always", "never" }

-- { names, target field, argument's name or nil for a switch, repeatable, help }
local COMMON <const> = {
  { "--json", "json", nil, false, "machine-readable output on stdout" },
  { "-q --quiet", "quiet", nil, false, "errors only" },
  { "-v --verbose", "verbose", nil, false, "say more" },
  { "--color", "color", "WHEN", false, "auto, always or never (NO_COLOR is respected)" },
  { "-h --help", "help", nil, false, "this text" },
}

local GROUPS <const> = {
  spec = {
    { "--only", "only", "PATTERN", true, "keep the kernels whose name matches (shell wildcard)" },
    { "--numerics", "numerics", "CLASS", false, "replace this field in all kernels" },
    { "--profile", "profile", "NAME", false, "replace this field in all kernels" },
    { "--layout", "layout", "LAYOUT", false, "replace the layout of x in all kernels" },
    { "--schedule", "schedule", "TEXT", false, "replace this field in all kernels" },
  },
  target = {
    { "--target", "target", "NAME", true, "native, or a name that `upweave doctor` lists" },
  },
  weights = {
    { "--weights", "weights", "WHERE", false, "baked parameters: in the `object`, or in a `file`"
      .. " that the caller loads" },
  },
  compile = {
    { "--cc", "cc", "PROGRAM", false, "the C compiler (Clang 14 or newer)" },
    { "--cflags", "cflags", "FLAGS", true, "more flags for it, split as a shell would" },
    { "--compile-seconds", "compile_seconds", "N", false, "time limit of one compilation (60)" },
    { "-j --jobs", "jobs", "N", false, "compilations at a time (all CPUs)" },
  },
  database = {
    { "--db", "db", "FILE", false, "the tuning database (UPWEAVE_DB, or one in the user's cache)" },
  },
  runner = {
    { "--runner", "runner", "COMMAND", false, "emulator that runs the program, with its flags" },
  },
}

-- Options whose values are checked here: field → what is expected and the check.
local function number_above_zero(text)
  local value = tonumber(text)
  return value and value > 0 and value < math.huge and value or nil
end

local function count(text)
  local value = math.tointeger(tonumber(text))
  return value and value >= 1 and value <= 1 << 31 and value or nil
end

local function natural(text)
  local value = text:find("^%d+$") and math.tointeger(tonumber(text))
  return value and value >= 0 and value or nil
end

-- Seconds of "90", "90s", "5m" or "1h".
local function duration(text)
  local value, unit = text:match("^([%d.]+)([smh]?)$")
  local seconds = number_above_zero(value or "")
  return seconds and seconds * ({ [""] = 1, s = 1, m = 60, h = 3600 })[unit]
end

local function color(text)
  for _, word in ipairs(COLORS) do
    if word == text then return text end
  end
end

local function place(text) return (text == "object" or text == "file") and text or nil end

local CHECKS <const> = {
  { "color", "one of auto, always, never", color },
  { "weights", "object or file", place },
  { "compile_seconds", "a number above 0", number_above_zero },
  { "seconds", "a number above 0", number_above_zero },
  { "budget", "a time such as 60s, 5m or 1h", duration },
  { "trials", "a whole number above 0", count },
  { "jobs", "a whole number above 0", count },
  { "rounds", "a whole number above 0", count },
  { "threads", "a whole number above 0", count },
  { "seed", "a whole number that is not negative", natural },
  { "cpu", "the number of a CPU", natural },
}

--- All option rows of a verb, the common ones last.
local function rows_of(verb)
  local rows = {}
  local function add(list) table.move(list, 1, #list, #rows + 1, rows) end
  add(verb.options or {})
  for _, group in ipairs(verb.groups or {}) do add(GROUPS[group]) end
  add(COMMON)
  return rows
end

local function declare(command, row)
  local names, field, argument, repeatable, help = table.unpack(row, 1, 5)
  if not argument then
    command:flag(names):target(field):description(help)
  else
    local option = command:option(names):target(field):argname(argument):description(help)
    if repeatable then option:count("*") end
  end
end

---@class upweave.Parser
---@field command table argparse's
---@field names string[] all options
---@field valued table<string, string> options that need a value: what stands before it
---@field switches table<string, string> options of a kernel that may have one: their field

---@return upweave.Parser
local function parser_of(verb)
  local command = argparse("upweave " .. verb.name, verb.summary):add_help(false)
  command:help_max_width(100)
  if verb.takes then
    command:argument(verb.takes:upper()):target("words"):args("*")
  end
  local parser = { command = command, names = {}, valued = {}, switches = {} }
  local function add(row, switches)
    declare(command, row)
    for name in row[1]:gmatch("%S+") do
      table.insert(parser.names, name)
      if row[3] then parser.valued[name] = name:find("^%-%-") and name .. "=" or name end
      if not row[3] and switches then switches[name] = row[2] end
    end
  end
  for _, row in ipairs(rows_of(verb)) do add(row) end
  if verb.takes == "spec" then
    for _, row in ipairs(flags.options()) do add(row, parser.switches) end
  end
  return parser
end

-- What argparse does not know: `--option -value` (what follows an option that needs a value is its
-- value) and `--align-corners=false` (a switch may say its value).
local function prepare(args, parser)
  local prepared, said, index = {}, {}, 1
  while index <= #args do
    local word = args[index]
    local switch, value = word:match("^(%-%-[%w-]+)=(.*)$")
    if word == "--" then
      table.move(args, index, #args, #prepared + 1, prepared)
      break
    elseif switch and parser.switches[switch] then
      said[#said + 1] = { parser.switches[switch], value }
    elseif parser.valued[word] and (args[index + 1] or "") ~= "" then
      index = index + 1
      prepared[#prepared + 1] = parser.valued[word] .. args[index]
    else
      prepared[#prepared + 1] = word
    end
    index = index + 1
  end
  return prepared, said
end

local function complaint(verb, message, names)
  local option = message:match("^unknown option '(.-)'")
  if option then
    return diagnostics.new("E002", { option = option,
      reason = "`" .. verb.name .. "` does not have it",
      hint = suggest.nearest(option, names) or "upweave help " .. verb.name })
  end
  option = message:match("^option '(.-)' requires an argument")
  if option then
    return diagnostics.new("E003", { option = option, hint = "upweave help " .. verb.name })
  end
  if message:find("^too many arguments") then
    return diagnostics.new("E006", { verb = verb.name, what = "no argument",
      hint = "upweave help " .. verb.name })
  end
  option = message:match("^option '(.-)' does not take arguments")
  return diagnostics.new("E002", { option = option and option .. "=…" or message,
    reason = message, hint = "upweave help " .. verb.name })
end

local function check_values(options)
  for _, check in ipairs(CHECKS) do
    local field, expected, convert = table.unpack(check)
    local text = options[field]
    if type(text) == "string" then
      options[field] = convert(text)
      if options[field] == nil then
        return diagnostics.new("E004", { option = "--" .. field:gsub("_", "-"), value = text,
          expected = expected, hint = false })
      end
    end
  end
end

local function split_words(options)
  local list = {}
  for _, text in ipairs(options.cflags or {}) do
    local parts, reason = words.split(text)
    if not parts then
      return diagnostics.new("E004", { option = "--cflags", value = text, expected =
        "a list of flags as in a shell, but " .. reason, hint = false })
    end
    table.move(parts, 1, #parts, #list + 1, list)
  end
  options.cflags = list
  if options.runner then
    local parts, reason = words.split(options.runner)
    if not parts or #parts == 0 then
      return diagnostics.new("E004", { option = "--runner", value = options.runner, expected =
        "a command as in a shell" .. (reason and ", but " .. reason or ""), hint = false })
    end
    if not clang.which(parts[1]) then
      return diagnostics.new("E004", { option = "--runner", value = options.runner, expected =
        ("a command, but there is no program `%s`"):format(parts[1]), hint = false })
    end
    options.runner = parts
  end
end

---@param verb upweave.Verb
---@param args string[]
---@return table|nil options
---@return upweave.Diagnostic[]? faults
function M.parse(verb, args)
  local parser = parser_of(verb)
  local prepared, said = prepare(args, parser)
  local ok, options = parser.command:pparse(prepared)
  if not ok then return nil, { complaint(verb, options, parser.names) } end
  options.color = options.color or "auto"
  options.words = options.words or {}
  for _, pair in ipairs(said) do
    local value = BOOLEANS[pair[2]]
    if value == nil then value = pair[2] end -- what it should be is for spec/ to say
    options[pair[1]] = value
  end
  local fault = check_values(options) or split_words(options)
  if fault then return nil, { fault } end
  return options
end

---@param verb upweave.Verb
---@return string
function M.help(verb)
  return parser_of(verb).command:get_help() .. "\n"
end

return M
