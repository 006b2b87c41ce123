-- SPDX-License-Identifier: MIT
-- Verb: help.

local diagnostics = require "upweave.util.diagnostics"
local output = require "upweave.cli.output"
local suggest = require "upweave.util.suggest"
local verbs = require "upweave.cli.verbs"

local M = { name = "help", summary = "lists the verbs, or the options of one", takes = "word" }

local function overview(options)
  if options.json then
    local list = {}
    for index, row in ipairs(verbs.rows()) do
      list[index] = { name = row[1], arguments = row[2], summary = row[3] }
    end
    output.json { verbs = list }
  else
    output.write(verbs.overview())
  end
  return 0
end

function M.run(options)
  local name = options.words[1]
  if not name then return overview(options) end
  local verb = verbs.load(name)
  if not verb then
    return nil, { diagnostics.new("E001", { verb = name,
      hint = suggest.hint(name, verbs.names()) }) }
  end
  local text = require("upweave.cli.arguments").help(verb)
  if options.json then output.json { name = name, text = text } else output.write(text) end
  return 0
end

return M
