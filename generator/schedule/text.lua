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

return M
