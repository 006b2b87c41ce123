-- SPDX-License-Identifier: MIT
-- The text that stands for an axis of a contraction in `explain` and `dump`.
--
-- One line of sizes, one a phase, one of the outputs whose taps all lie inside; long lists are cut
-- in the middle, so the text stays readable whatever the size.

local LONGEST <const> = 24 -- phases, or taps of a phase, before a list is cut

local function place(letter, times, offset)
  local n = times == 1 and "n" or times .. "n"
  return ("%s[%s%s]"):format(letter, n, offset == 0 and "" or ("%+d"):format(offset))
end

-- The items 1 to count as texts, all or the first and last ones.
local function shortened(count, text_of, gap)
  local texts, hidden = {}, count - LONGEST
  for i = 1, count do
    if hidden <= 1 or i <= LONGEST // 2 or i > LONGEST // 2 + hidden then
      texts[#texts + 1] = text_of(i)
    elseif i == LONGEST // 2 + 1 then
      texts[#texts + 1] = gap:format(hidden)
    end
  end
  return texts
end

local function phase_text(axis, r)
  local taps = axis.taps[r]
  local terms = shortened(#taps, function(t)
    return ("w%d %s"):format(taps[t].k, place("x", axis.step, taps[t].at))
  end, "… %d more …")
  return (" %s = %s"):format(place("y", axis.phases, r - 1),
    #terms == 0 and "no taps" or table.concat(terms, " + "))
end

---@param axis upweave.contract.axis
---@return string
return function(axis)
  local cost, inside = axis:cost(), axis:interior()
  local lines = shortened(axis.phases, function(r) return phase_text(axis, r) end, " … %d more")
  table.insert(lines, 1, ("axis %s: %d -> %d, kernel %d, %d taps, at most %d,"
    .. " period %d outputs = %d inputs"):format(axis.name, axis.input, axis.output, axis.kernel,
    cost.taps, cost.widest, axis.phases, axis.step))
  if inside.last < inside.first then
    lines[#lines + 1] = " interior: none; every output may read zeros beyond x"
  elseif inside.first > 0 or inside.last < axis.output - 1 then
    lines[#lines + 1] = (" interior y[%d..%d]; the others read zeros beyond x"):format(inside.first,
      inside.last)
  end
  return table.concat(lines, "\n")
end
