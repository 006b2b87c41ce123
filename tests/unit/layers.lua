-- SPDX-License-Identifier: MIT
-- The layers of the generator: every `require` goes down.
--
-- Purpose: reads the source of generator/ and fails on a dependency that goes up, on a core that
-- knows of targets where it must not, on a registry made by scanning a folder, and on a file that
-- does not say at its head what it is for.
-- Invariants: the order below is the one of the architecture; a folder that it does not name is a
-- fault, so that a new layer is placed on purpose.

package.path = "tools/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local files = require "files"
local lexer = require "lexer"

-- Lowest first. tune and import stand side by side.
local LAYERS <const> = {
  { "util" }, { "ir" }, { "plan" }, { "resample" }, { "ops" }, { "draw" }, { "target" },
  { "lower" }, { "schedule" }, { "emit" }, { "spec" }, { "driver" }, { "toolchain" }, { "read" },
  { "graph" }, { "tune", "import" }, { "cli" }, { "main" },
}

-- What, how and where do not know of each other, whatever the order allows.
local FORBIDDEN <const> = {
  { from = "lower", to = "ops" }, { from = "lower", to = "resample" },
  { from = "target", to = "ops" }, { from = "target", to = "plan" }, { from = "ir", to = "target" },
  { from = "emit", to = "ops" },
}

-- From here on files and processes are allowed, and with them reading a folder.
local FIRST_WITH_FILES <const> = "toolchain"

local rank = {}
for height, names in ipairs(LAYERS) do
  for _, name in ipairs(names) do rank[name] = height end
end

local function layer_of(path)
  return path:match("^generator/([%w_]+)/") or path:match("^generator/([%w_]+)%.lua$")
end

--- The module that a `require` names: its text, or what is known of it before run time.
local function argument(tokens, at)
  local paren = tokens[at] and tokens[at].text == "("
  local first = tokens[paren and at + 1 or at]
  if not first or first.kind ~= "string" then
    return paren and { name = "", open = true } or nil -- nil: the function itself is a value here
  end
  local follows = paren and tokens[at + 2]
  return { name = first.text:sub(2, -2), open = follows and follows.text == ".." }
end

--- The modules a file requires: { name, line, open } with open = put together at run time.
local function requires(tokens)
  local found = {}
  for at, token in ipairs(tokens) do
    local one = token.kind == "name" and token.text == "require" and argument(tokens, at + 1)
    if one then
      one.line = token.line
      found[#found + 1] = one
    end
  end
  return found
end

--- nil, or why the file's layer must not have this module.
local function fault(layer, required)
  local target = required.name:match("^upweave%.([%w_]+)")
  if required.name == "upweave.home" then return nil end
  if not target then
    if required.open then return "a module's name must begin with its layer" end
    local outside = rank[layer] < rank[FIRST_WITH_FILES]
    return outside and "the core needs no library: " .. required.name or nil
  end
  if not rank[target] then return "no such layer: " .. target end
  if rank[target] > rank[layer] then return layer .. " must not know of " .. target end
  for _, pair in ipairs(FORBIDDEN) do
    local hit = pair.from == layer and pair.to == target
    if hit then return layer .. " must not know of " .. target end
  end
  return nil
end

local function faults_of(path, layer, tokens)
  local list = {}
  for _, required in ipairs(requires(tokens)) do
    local why = fault(layer, required)
    if why then list[#list + 1] = string.format("%s:%d: %s", path, required.line, why) end
  end
  return list
end

local function scans(layer, tokens)
  if rank[layer] >= rank[FIRST_WITH_FILES] then return nil end
  for _, token in ipairs(tokens) do
    if token.text == "fs_scandir" or token.text == "popen" then return token.line end
  end
  return nil
end

local function check(path)
  local layer = layer_of(path)
  if path == "generator/searcher.lua" then return end
  if not tap.ok(layer and rank[layer], path .. " lies in a layer") then return end
  local source = files.read(path)
  local tokens = lexer.tokens(source)
  local list = faults_of(path, layer, tokens)
  local scanned = scans(layer, tokens)
  if scanned then
    list[#list + 1] = string.format("%s:%d: registries are lists, not folder scans", path, scanned)
  end
  if not source:find("^%-%- %S") then
    list[#list + 1] = path .. ":1: does not open with its title"
  end
  tap.ok(#list == 0, path .. " requires only what is below it")
  for _, text in ipairs(list) do tap.diag(text) end
end

--- The test's own eyes: planted faults must be seen.
local function check_planted()
  local function planted(layer, source) return #faults_of("x.lua", layer, lexer.tokens(source)) end
  tap.is(planted("plan", 'local t = require "upweave.target.generic"'), 1, "plan -> target is seen")
  tap.is(planted("util", 'local t = require("upweave.ir.builder")'), 1, "util -> ir is seen")
  tap.is(planted("lower", 'require "upweave.ops"'), 1, "lower -> ops is seen")
  tap.is(planted("ops", "local t = require(name)"), 1, "an open name is seen")
  tap.is(planted("ir", 'local uv = require "luv"'), 1, "a library in the core is seen")
  tap.is(planted("cli", 'local uv = require "luv"'), 0, "a library at the edge is allowed")
  tap.is(planted("lower", '-- require "upweave.ops"\nrequire "upweave.ir.builder"'), 0,
    "a comment is not a dependency")
  tap.is(scans("ops", lexer.tokens("uv.fs_scandir(folder)")), 1, "a folder scan is seen")
end

check_planted()
local list = files.list("generator", "%.lua$")
tap.ok(#list > 0, "generator/ has files")
for _, path in ipairs(list) do check(path) end
tap.done()
