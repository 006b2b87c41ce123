-- SPDX-License-Identifier: MIT
-- The demo's report: one HTML page from the results.
--
-- Purpose: fills examples/demo/page.html. Pictures up to a few megabytes stand in the page itself,
-- larger ones are named by their path beside it.
-- Invariants: every text that comes from outside is escaped; numbers are given with the digits
-- that they deserve, by the functions that also print the demo's table on the terminal.

local M = {}

local INLINE_LIMIT <const> = 4 << 20
local DIGITS <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

---@param bytes string
---@return string
local function base64(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local word = a << 16 | (b or 0) << 8 | (c or 0)
    local text = {}
    for place = 1, 4 do
      local digit = (word >> (24 - 6 * place) & 63) + 1
      text[place] = DIGITS:sub(digit, digit)
    end
    if not b then text[3] = "=" end
    if not c then text[4] = "=" end
    out[#out + 1] = table.concat(text)
  end
  return table.concat(out)
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

local ESCAPES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(text) return (tostring(text):gsub('[&<>"]', ESCAPES)) end

--- Nanoseconds for people.
---@param ns number|nil
---@return string
function M.time(ns)
  if not ns then return "–" end
  if ns >= 1e9 then return string.format("%.2f s", ns / 1e9) end
  if ns >= 1e6 then return string.format("%.2f ms", ns / 1e6) end
  return string.format("%.1f µs", ns / 1e3)
end

---@param value number|nil
---@return string
function M.percent(value)
  return value and string.format("%.0f %%", 100 * value) or "–"
end

---@param value number|nil
---@return string
function M.times(value)
  if not value then return "–" end
  return string.format(value < 10 and "%.1f ×" or "%.0f ×", value)
end

---@param value number|nil
---@return string
function M.error_text(value)
  if not value then return "–" end
  return value == 0 and "0" or string.format("%.1e", value)
end

local function picture(folder, name, class)
  local bytes = read(folder .. "/" .. name)
  local source = #bytes <= INLINE_LIMIT and "data:image/png;base64," .. base64(bytes)
    or escape(name)
  return string.format('<img%s alt="%s" src="%s">', class and ' class="' .. class .. '"' or "",
    escape(name:gsub("%.png$", "")), source)
end

local function figure(folder, name, title, text, class)
  return string.format("<figure>%s<figcaption><b>%s</b> %s</figcaption></figure>",
    picture(folder, name, class), escape(title), escape(text))
end

local function tile(value, text, class)
  return string.format('<div class="tile"><b%s>%s</b><span>%s</span></div>',
    class and ' class="' .. class .. '"' or "", escape(value), escape(text))
end

local function median(rows, key)
  local values = {}
  for _, row in ipairs(rows) do values[#values + 1] = row[key] end
  table.sort(values)
  local low, high = values[(#values + 1) // 2], values[#values // 2 + 1]
  return low and (low + high) / 2
end

local function tiles(data)
  local verified = 0
  for _, row in ipairs(data.rows) do verified = verified + (row.ok and 1 or 0) end
  local all = verified == #data.rows
  return table.concat {
    tile(verified .. " of " .. #data.rows, "kernels verified against the reference",
      all and "good" or "bad"),
    tile(M.times(median(data.rows, "speedup")), "as fast as the generic C, median"),
    tile(M.percent(median(data.rows, "share")), "of this machine's limit, median"),
    tile(string.format("%.1f s", data.build_seconds), "to generate and compile them all"),
  }
end

local function pictures(data)
  local size = data.width .. " × " .. data.height
  local large = data.width * 4 .. " × " .. data.height * 4
  return '<div class="pair">'
    .. figure(data.folder, "input.png", "Input", size .. ", pixels as they are", "pixels")
    .. figure(data.folder, "bicubic4x.png", "Output of bicubic4x", large) .. "</div>"
end

local WORDS <const> = { "one", "two", "three", "four" }

local function parts(data)
  local out = {}
  for _, part in ipairs(data.parts) do
    local cells = {}
    for _, column in ipairs(data.columns) do
      cells[#cells + 1] = figure(data.folder, part.label .. "-" .. column.name .. ".png",
        column.title, column.text, "pixels")
    end
    out[#out + 1] = string.format('<div class="row %s"><div class="heading"><b>%s.</b> <span>%s'
      .. "</span></div>%s</div>", WORDS[#cells], escape(part.title), escape(part.text),
      table.concat(cells))
  end
  return table.concat(out)
end

local function reduced(data)
  return '<div class="pair">'
    .. figure(data.folder, "reduce_plain.png", "reduce_plain",
      "two taps an axis, whatever the ratio", "pixels")
    .. figure(data.folder, "reduce_antialias.png", "reduce_antialias",
      "a filter as wide as the reduction", "pixels") .. "</div>"
end

-- Geometry of the bar chart, in its own units.
local LEFT <const>, RIGHT <const>, WIDE <const>, STEP <const>, BAR <const> = 190, 170, 1080, 34, 18

local function bar(row, at, scale)
  local y = (at - 1) * STEP + 8
  local middle = y + BAR - 4
  return string.format('<text x="%d" y="%d" text-anchor="end">%s</text>'
    .. '<rect class="track" x="%d" y="%d" width="%.1f" height="%d" rx="3"/>'
    .. '<rect class="bar" x="%d" y="%d" width="%.1f" height="%d" rx="3"/>'
    .. '<text x="%.1f" y="%d">%s</text>'
    .. '<text class="soft" x="%d" y="%d" text-anchor="end">%s</text>',
    LEFT - 14, middle, escape(row.name), LEFT, y, scale, BAR, LEFT, y,
    scale * math.min(1, row.share), BAR, LEFT + scale * math.min(1, row.share) + 8, middle,
    M.percent(row.share), WIDE, middle, escape(M.time(row.time) .. ", " .. M.times(row.speedup)))
end

local function chart(data)
  local scale = WIDE - LEFT - RIGHT
  local out, count = {}, 0
  for _, row in ipairs(data.rows) do
    if row.share then
      count = count + 1
      out[count] = bar(row, count, scale)
    end
  end
  local bottom = count * STEP + 6
  local ticks = {}
  for percent = 0, 100, 25 do
    local x = LEFT + scale * percent / 100
    ticks[#ticks + 1] = string.format('<line class="grid" x1="%.1f" y1="2" x2="%.1f" y2="%d"/>'
      .. '<text class="soft" x="%.1f" y="%d" text-anchor="middle">%d %%</text>', x, x, bottom, x,
      bottom + 18, percent)
  end
  ticks[#ticks + 1] = string.format('<text class="soft" x="%d" y="%d" text-anchor="end">'
    .. "time, × generic C</text>", WIDE, bottom + 18)
  return string.format('<svg viewBox="0 0 %d %d" role="img" aria-label="share of the limit">%s%s'
    .. "</svg>", WIDE, bottom + 26, table.concat(ticks), table.concat(out))
end

local function cell(text, small)
  return "<td>" .. escape(text) .. (small and "<small>" .. escape(small) .. "</small>" or "")
    .. "</td>"
end

local function bound(row)
  if row.max_error == 0 then return "bit for bit" end
  return row.bound_share and M.percent(row.bound_share) .. " of the bound"
end

local function speed_table(data)
  local out = {}
  for _, row in ipairs(data.rows) do
    out[#out + 1] = "<tr>" .. cell(row.name, row.what) .. cell(row.input) .. cell(row.output)
      .. cell(M.error_text(row.max_error), bound(row))
      .. cell(M.time(row.time)) .. cell(M.time(row.generic))
      .. cell(M.times(row.speedup)) .. cell(M.percent(row.share)) .. "</tr>"
  end
  return "<table><thead><tr><th>kernel</th><th>input</th><th>output</th><th>largest error</th>"
    .. "<th>time</th><th>generic C</th><th>times<br>faster</th><th>of the<br>limit</th></tr>"
    .. "</thead><tbody>" .. table.concat(out) .. "</tbody></table>"
end

local function origin(data)
  local out = {}
  for _, pair in ipairs(data.origin) do
    out[#out + 1] = "<tr>" .. cell(pair[1]) .. "<td><code>" .. escape(pair[2])
      .. "</code></td></tr>"
  end
  return '<table class="words"><tbody>' .. table.concat(out) .. "</tbody></table>"
end

--- The page. Fields of data: folder of the pictures, width and height of the input, summary, notes,
--- rows (name, what, input, output, ok, max_error, bound_share, time, generic, speedup, share),
--- parts (label, title, text), columns (name, title, text), origin (pairs of text), build_seconds.
---@param frame string path of page.html
---@param data table
---@return string html
function M.page(frame, data)
  local values = {
    summary = escape(data.summary), tiles = tiles(data), pictures = pictures(data),
    pictures_note = escape(data.pictures_note), parts_note = escape(data.parts_note),
    parts = parts(data), reduced = reduced(data), chart = chart(data), table = speed_table(data),
    origin = origin(data),
  }
  return (read(frame):gsub("@{([%w_]+)}", function(name)
    return values[name] or error("page.html asks for " .. name)
  end))
end

return M
