-- SPDX-License-Identifier: MIT
-- Verb: doctor.
--
-- Purpose: what is installed, what the processor has, what will be used. Exit 5 if something that
-- `build` needs is missing. Invariant: nothing is changed.

local cache = require "upweave.toolchain.cache"
local clang = require "upweave.toolchain.clang"
local cross = require "upweave.toolchain.cross"
local database = require "upweave.tune.database"
local host = require "upweave.toolchain.host"
local output = require "upweave.cli.output"
local target = require "upweave.target"
local uv = require "luv"
local version = require "upweave.cli.version"

local M = {
  name = "doctor", summary = "says what is installed, what the CPU has and what will be used",
  groups = { "compile" },
}

local TOOLCHAIN <const> = 5

local function cache_state()
  local root = cache.default_root()
  local stat = uv.fs_stat(root)
  if not stat then return root, "will be made" end
  if stat.uid ~= uv.getuid() then return root, "belongs to another user: set UPWEAVE_CACHE" end
  return root, uv.fs_access(root, "W") and "writable" or "cannot be written: set UPWEAVE_CACHE"
end

-- What building for a target lacks, in words.
local function needs(compiler, record)
  local reasons = {}
  for index, fault in ipairs(compiler and cross.missing(compiler, record) or {}) do
    reasons[index] = fault.message
  end
  return table.concat(reasons, ", ")
end

local function targets(compiler)
  local list, native = {}, host.native()
  for index, record in ipairs(target.list()) do
    local lacking = host.lacks(record)
    list[index] = { name = record.name, runs = #lacking == 0, native = record == native,
      lacks = table.concat(lacking, " "), needs = needs(compiler, record),
      runner = host.foreign(record) and host.runner(record) or nil }
  end
  return list
end

local function state_of(record)
  if record.native then return "yes; native means this one" end
  if record.runs then return "yes" end
  if record.needs ~= "" then return "no: " .. record.needs end
  if record.runner then return "with " .. record.runner end
  return "no, lacks " .. record.lacks
end

local function gather(options)
  local compiler, faults = clang.find { cc = options.cc }
  local machine = host.describe()
  local root, state = cache_state()
  return {
    upweave = version.text(), lua = _VERSION, luv = uv.version_string(),
    argparse = require("argparse").version, dkjson = require("dkjson").version,
    cpu = machine.model, arch = machine.arch, cpus = machine.cpus,
    compiler = compiler and compiler.id or nil, compiler_path = compiler and compiler.path or nil,
    archiver = compiler and clang.archiver(compiler) or nil,
    cache = root, cache_state = state,
    database = (database.default_path()), targets = targets(compiler), native = host.native().name,
    home = require "upweave.home",
  }, faults
end

local function print_text(facts)
  local function row(name, value)
    output.line(string.format("%-10s %s", name, value or "missing"))
  end
  row("upweave", facts.upweave .. " in " .. facts.home)
  row("lua", facts.lua)
  row("luv", facts.luv)
  row("dkjson", (facts.dkjson:gsub("^dkjson ", "")))
  row("argparse", facts.argparse)
  row("compiler", facts.compiler and facts.compiler .. " (" .. facts.compiler_path .. ")")
  row("archiver", facts.archiver)
  row("cache", facts.cache .. " (" .. facts.cache_state .. ")")
  row("database", facts.database)
  row("cpu", string.format("%s, %d usable, %s", facts.cpu, facts.cpus, facts.arch))
  output.line("targets")
  for _, record in ipairs(facts.targets) do
    output.line(string.format("  %-10s %s", record.name, state_of(record)))
  end
end

function M.run(options)
  local facts, faults = gather(options)
  if options.json then
    facts.ok = faults == nil
    output.json(facts)
    if faults then options.json = false end
  else
    print_text(facts)
  end
  if faults then return nil, faults end
  return facts.archiver and 0 or TOOLCHAIN
end

return M
