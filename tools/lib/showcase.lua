-- SPDX-License-Identifier: MIT
-- What generated/ holds: kernels kept for reading.
--
-- Purpose: which kernel of generated/showcase.lua is shown for which targets, and the text that its
-- files should have; tools/showcase.lua writes them, tests/unit/generated.lua compares. Invariant:
-- a file is what `upweave gen` writes, to the byte.

local driver = require "upweave.driver"
local files = require "files"
local read = require "upweave.read"

local M = { folder = "generated" }

local SPEC <const> = "generated/showcase.lua"

-- Folder, targets, kernels; with `whole` the JSON, too, which is the same anywhere but for numbers.
local SHOWN <const> = {
  { folder = "generic", targets = { "generic" }, kernels = { "up2x" } },
  { folder = "x86-64-v3", targets = { "x86-64-v3" },
    kernels = { "up2x", "bicubic4x", "nearest2x", "smaller", "rgb", "audio", "volume" } },
  { folder = "x86-64-v4", targets = { "x86-64-v4" },
    kernels = { "up2x", "large2x", "segmentation", "nhwc", "unrolled" } },
  { folder = "icelake", targets = { "icelake" }, kernels = { "picture", "thumbnail", "half" } },
  { folder = "several", targets = { "generic", "x86-64-v3", "x86-64-v4" }, kernels = { "tiny" },
    whole = true },
}

local function problems()
  local document, faults = read.file(SPEC)
  assert(document, SPEC .. " is not valid: " .. (faults and faults[1].message or ""))
  local by_name = {}
  for _, problem in ipairs(document.kernels) do by_name[problem.name] = problem end
  return by_name
end

--- The files as they should be, in order.
---@return { path: string, text: string }[]
function M.expected()
  local by_name, list = problems(), {}
  for _, shown in ipairs(SHOWN) do
    for _, name in ipairs(shown.kernels) do
      local problem = assert(by_name[name], "no such kernel in " .. SPEC)
      local library = assert(driver.library(problem, { targets = shown.targets }))
      for _, file in ipairs(library.files) do
        if shown.whole or not file.name:find("%.json$") then
          local path = ("%s/%s/%s"):format(M.folder, shown.folder, file.name)
          list[#list + 1] = { path = path, text = file.text }
        end
      end
    end
  end
  return list
end

--- Paths of the files that are there.
---@return string[]
function M.present()
  local list = {}
  for _, path in ipairs(files.list(M.folder, ".")) do
    if path:find("/.*/") then list[#list + 1] = path end
  end
  return list
end

return M
