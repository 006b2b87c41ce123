-- SPDX-License-Identifier: MIT
-- Diagnostics.
--
-- Purpose: makes a diagnostic (a value, never thrown) from a code of the catalogue and prints lists
-- of them in the one form that users and tests know:
--   error[E041]: place: message
--     --> where
--     = because: reason
--     = try: a fix that works
-- Invariants: a field that a template mentions but that was not given is a bug and raises; `false`
-- says that there is nothing to say. Control characters and over-long values, which come from the
-- user, cannot break the form: they are escaped and cut here and nowhere else.

local catalogue = require "upweave.util.catalogue"

local M = {}

local LONGEST <const> = 400 -- bytes of one value

local by_code = {}
for _, entry in ipairs(catalogue) do
  by_code[entry.code] = entry
end

local ESCAPES <const> = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(c)
  return ESCAPES[c] or ("\\x%02x"):format(c:byte())
end

-- One line of printable text, whatever the bytes were.
local function printable(value)
  local text = tostring(value)
  if #text > LONGEST then
    local cut = utf8.offset(text, 0, LONGEST) or LONGEST
    text = text:sub(1, cut - 1) .. ("… (%d bytes)"):format(#text)
  end
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xff]", escape)
  end
  -- U+0080 to U+009F, two bytes in UTF-8, are control characters as well.
  return (text:gsub("%c", escape):gsub("\xc2[\x80-\x9f]", function(c)
    return (c:gsub(".", escape))
  end))
end

local function fill(template, fields, code)
  local complete = true
  local text = template:gsub("{([%l_]+)}", function(name)
    local value = fields[name]
    if value == nil then
      error(("diagnostic %s needs the field '%s'"):format(code, name))
    end
    complete = complete and value ~= false
    return printable(value)
  end)
  return complete and text or nil
end

---@class upweave.Diagnostic
---@field code string
---@field exit integer exit status of the program
---@field place? string what is wrong: `interpolate.size`, `--target`
---@field message string
---@field where? string file, line or pointer, and the values concerned
---@field because? string
---@field try? string
---@field detail? string further lines, printed as they are (a compiler's output)

--- Makes a diagnostic. `fields` holds what the templates of the code mention, and `place`, `where`
--- and `detail` where there are such.
---@param code string
---@param fields? table<string, any>
---@return upweave.Diagnostic
function M.new(code, fields)
  local entry = by_code[code] or error("no diagnostic has the code " .. tostring(code))
  fields = fields or {}
  return {
    code = code,
    exit = entry.exit,
    place = fields.place and printable(fields.place),
    message = fill(entry.message, fields, code),
    where = fields.where and printable(fields.where),
    because = entry.because and fill(entry.because, fields, code),
    try = entry.try and fill(entry.try, fields, code),
    detail = fields.detail,
  }
end

local PLAIN <const> = { error = "", bold = "", dim = "", reset = "" }
local COLOURED <const> = {
  error = "\27[1;31m",
  bold = "\27[1m",
  dim = "\27[36m",
  reset = "\27[0m",
}

local function add_detail(lines, detail)
  for line in (detail:gsub("\n+$", "") .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = "  | " .. line:gsub("[\0-\8\11-\31\127]", escape)
  end
end

local function format_one(diagnostic, paint)
  local place = diagnostic.place and diagnostic.place .. ": " or ""
  local title = paint.error .. "error[" .. diagnostic.code .. "]" .. paint.reset
  local lines = { title .. paint.bold .. ": " .. place .. diagnostic.message .. paint.reset }
  local function add(mark, text)
    if text then
      lines[#lines + 1] = "  " .. paint.dim .. mark .. paint.reset .. " " .. text
    end
  end
  add("-->", diagnostic.where)
  add("= because:", diagnostic.because)
  add("= try:", diagnostic.try)
  if diagnostic.detail then
    add_detail(lines, diagnostic.detail)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The text of a list of diagnostics.
---@param list upweave.Diagnostic[]
---@param options? {color: boolean?}
---@return string
function M.format(list, options)
  local paint = options and options.color and COLOURED or PLAIN
  local texts = {}
  for i, diagnostic in ipairs(list) do
    texts[i] = format_one(diagnostic, paint)
  end
  return table.concat(texts)
end

--- The exit status for a list of diagnostics: that of the first, 0 for none.
---@param list upweave.Diagnostic[]
---@return integer
function M.exit(list)
  return list[1] and list[1].exit or 0
end

return M
