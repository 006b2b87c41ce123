-- SPDX-License-Identifier: MIT
-- Verb: spec.

local context = require "upweave.cli.context"
local output = require "upweave.cli.output"
local ops = require "upweave.ops"
local spec = require "upweave.spec"
local text = require "upweave.util.text"

local M = {
  name = "spec", summary = "validates a spec; --json prints the canonical JSON", takes = "spec",
  groups = { "spec" },
}

--- `1x64x112x112 -> 1x64x224x224`
local function shapes(problem)
  local sides = { input = {}, output = {} }
  for _, tensor in ipairs(ops.find(problem.op).tensors(problem)) do
    local side = sides[tensor.role]
    if side then side[#side + 1] = text.shape(tensor.shape) end
  end
  return table.concat(sides.input, ", ") .. " -> " .. table.concat(sides.output, ", ")
end

function M.run(options)
  local document, faults = context.document(options, M.name)
  if not document then return nil, faults end
  if options.json then
    output.write(spec.document_text(document))
  elseif not options.quiet then
    local rows = {}
    for index, problem in ipairs(document.kernels) do
      local layout = document.open[index] and "any" or problem.x.layout
      rows[index] = { problem.name, problem.op, shapes(problem), layout,
        spec.identity(problem):sub(1, 16) }
    end
    output.write(output.table({ "kernel", "operator", "shapes", "layout", "identity" }, rows))
  end
  return 0
end

return M
