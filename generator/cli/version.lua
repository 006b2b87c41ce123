-- SPDX-License-Identifier: MIT
-- The version, and `upweave --version`.

local output = require "upweave.cli.output"

local M = { name = "version", summary = "the version", hidden = true }

---@return string
function M.text()
  return require("upweave.driver").VERSION
end

function M.run(options)
  if options.json then
    output.json { version = M.text() }
  else
    output.line("upweave " .. M.text())
  end
  return 0
end

return M
