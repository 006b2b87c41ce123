-- SPDX-License-Identifier: MIT
-- The version, and `upweave --version`.

local output = require "upweave.cli.output"

local M = { name = "version", summary = "the version", hidden = true }

M.VERSION = "0.1.0"

---@return string
function M.text()
  return M.VERSION
end

function M.run(options)
  if options.json then
    output.json { version = M.VERSION }
  else
    output.line("upweave " .. M.VERSION)
  end
  return 0
end

return M
