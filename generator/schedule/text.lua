-- SCHEDULE TEXT
-- =============
-- strategy:knob=value,knob=value — parse(print(s)) == s.

local M = {}

--- The text of a schedule; knobs in the strategy's order.
---@param schedule { strategy: string, knobs: table, order: string[] }
---@return string
function M.print(schedule)
  local parts = {}
  for i, name in ipairs(schedule.order) do
    parts[i] = ("%s=%s"):format(name, schedule.knobs[name])
  end
  if #parts == 0 then return schedule.strategy end
  return schedule.strategy .. ":" .. table.concat(parts, ",")
end

--- Split a text into its strategy and a list of { name, value }, both text.
---@param text string
---@return string? strategy
---@return table|string   the pairs, or the reason why the text cannot be read
function M.parse(text)
  local strategy, rest = text:match("^([%w_-]+):?(.*)$")
  if not strategy then return nil, "it does not start with the name of a strategy" end
  if rest == "" then return strategy, {} end
  local pairs_found = {}
  for part in (rest .. ","):gmatch("([^,]*),") do
    local name, value = part:match("^([%w_-]+)=([%w_.-]+)$")
    if not name then return nil, ("`%s` is not of the form knob=value"):format(part) end
    pairs_found[#pairs_found + 1] = { name = name, value = value }
  end
  return strategy, pairs_found
end

--- The text with some knobs set anew, whatever it said of them.
---@param text string
---@param settings {name: string, value: string}[]
---@return string
function M.changed(text, settings)
  local strategy, known = M.parse(text)
  if not strategy or #settings == 0 then return text end
  local parts = {}
  local function put(list, but)
    for _, setting in ipairs(list) do
      if not but[setting.name] then parts[#parts + 1] = setting.name .. "=" .. setting.value end
    end
  end
  local new = {}
  for _, setting in ipairs(settings) do new[setting.name] = true end
  put(known, new)
  put(settings, {})
  return strategy .. ":" .. table.concat(parts, ",")
end

return M
