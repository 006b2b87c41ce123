-- TEMPLATES
-- =========
-- Frames of files: lines that start with % are Lua, ${expression} is a value, the rest is text.
-- Each line of a template is one line of Lua, so an error names the template's own line.  The
-- environment is strict: an unknown name or a nil value is an error.

local M = {}

local function quote(s) return ("%q"):format(s):gsub("\n", "n") end

local function compile_line(line)
  if line:match("^%%") then return line:sub(2) end
  local out, at = {}, 1
  while true do
    local from, to = line:find("%${[^}]*}", at)
    if not from then break end
    if from > at then out[#out + 1] = ("_put(%s)"):format(quote(line:sub(at, from - 1))) end
    out[#out + 1] = ("_value(%s)"):format(line:sub(from + 2, to - 1))
    at = to + 1
  end
  out[#out + 1] = ("_put(%s)"):format(quote(line:sub(at) .. "\n"))
  return table.concat(out, " ")
end

local function environment(values, name, out)
  local function put(s) out[#out + 1] = s end
  local own = {
    _put = put, ipairs = ipairs,
    _value = function(v)
      if v == nil then error(name .. ": a value is nil", 2) end
      put(tostring(v))
    end,
  }
  return setmetatable(own, {
    __index = function(_, key)
      local v = values[key]
      if v == nil then error(("%s: undefined template variable '%s'"):format(name, key), 2) end
      return v
    end,
  })
end

--- Fill a template's text; `name` appears in errors.
---@param source string
---@param name string
---@param values table
---@return string
function M.fill(source, name, values)
  local code = {}
  for line in (source:gsub("\n$", "") .. "\n"):gmatch("(.-)\n") do
    code[#code + 1] = compile_line(line)
  end
  local out = {}
  local chunk, fault = load(table.concat(code, "\n"), "=" .. name, "t",
    environment(values, name, out))
  if not chunk then error(fault) end
  chunk()
  return table.concat(out)
end

local cache = {}

--- Fill templates/NAME.
---@param name string
---@param values table
---@return string
function M.render(name, values)
  if not cache[name] then
    local path = require("upweave.home") .. "/templates/" .. name
    local file = assert(io.open(path, "rb"))
    cache[name] = file:read("a")
    file:close()
  end
  return M.fill(cache[name], "templates/" .. name, values)
end

return M
