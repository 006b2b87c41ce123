-- SPDX-License-Identifier: MIT
-- Standard output, and colour.
--
-- Purpose: the one way for data to leave. Invariants: JSON is one value with sorted keys and a
-- final newline; a failed write (a full disk) becomes a failed exit, not a short file that looks
-- right.

local json = require "upweave.util.json"
local progress = require "upweave.toolchain.progress"
local uv = require "luv"

local M = { color = false }

local broken = nil

---@param mode string "auto", "always" or "never"
function M.set_color(mode)
  local none = os.getenv("NO_COLOR")
  local wanted = not (none and none ~= "") and os.getenv("TERM") ~= "dumb"
    and uv.guess_handle(2) == "tty"
  M.color = mode == "always" or (mode == "auto" and wanted)
end

---@param text string
function M.write(text)
  local ok, reason = io.stdout:write(text)
  if not ok then broken = reason end
end

---@param text string
function M.line(text)
  M.write(text .. "\n")
end

---@param value any
function M.json(value)
  M.line(json.encode(value))
end

---@param code integer
---@return integer code
function M.finish(code)
  local ok, reason = io.stdout:flush()
  if not ok then broken = broken or reason end
  if broken and code == 0 then
    progress.error("upweave: cannot write standard output: " .. broken)
    return 1
  end
  return code
end

--- Columns of text, aligned: numbers to the right, anything else to the left.
---@param head string[]
---@param rows string[][]
---@return string
function M.table(head, rows)
  local widths, right = {}, {}
  local function measure(row)
    for column, cell in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, utf8.len(cell) or #cell)
    end
  end
  measure(head)
  for _, row in ipairs(rows) do measure(row) end
  for column = 1, #head do
    right[column] = #rows > 0
    for _, row in ipairs(rows) do
      local cell = row[column]
      if not (cell == "-" or cell:find("^[%d.+-]+[%w%%. ]*$")) then right[column] = false end
    end
  end
  local lines = {}
  local function add(row)
    local cells = {}
    for column, cell in ipairs(row) do
      local pad = (" "):rep(widths[column] - (utf8.len(cell) or #cell))
      cells[column] = right[column] and pad .. cell or cell .. pad
    end
    lines[#lines + 1] = (table.concat(cells, "  "):gsub("%s+$", ""))
  end
  add(head)
  for _, row in ipairs(rows) do add(row) end
  return table.concat(lines, "\n") .. "\n"
end

return M
