-- SPDX-License-Identifier: MIT
-- The compact table that stands for an axis map in `explain` and `dump`.
--
-- One line of sizes and period, one a phase of the interior, one an output of the edges; long maps
-- are cut in the middle, so the text stays readable whatever the size.

local LONGEST = 24 -- lines of outputs before a list is cut

local function taps_text(taps, low)
  local parts = {}
  for k, i in ipairs(taps.index) do
    parts[k] = ("x[%d]*%.9g"):format(i - low, taps.weight[k])
  end
  return #parts == 0 and "0" or table.concat(parts, " + ")
end

local function phase_text(taps, n, advance)
  local parts = {}
  for k, i in ipairs(taps.index) do
    local offset = advance == 0 and tostring(i)
      or (advance == 1 and "n" or advance .. "n") .. (i == 0 and "" or "+" .. i)
    parts[k] = ("x[%s]*%.9g"):format(offset, taps.weight[k])
  end
  return ("  phase %d: %s"):format(n, table.concat(parts, " + "))
end

local function add_outputs(lines, axis, first, last)
  local hidden = last - first + 1 - LONGEST
  for o = first, last do
    local at = o - first
    if hidden <= 1 or at < LONGEST // 2 or at >= LONGEST // 2 + hidden then
      lines[#lines + 1] = ("  y[%d] = %s"):format(o, taps_text(axis.taps[o + 1], 0))
    elseif at == LONGEST // 2 then
      lines[#lines + 1] = ("  … %d more"):format(hidden)
    end
  end
end

local function add_phases(lines, phases)
  local cut = #phases.taps > LONGEST
  for r, taps in ipairs(phases.taps) do
    if not cut or r <= LONGEST // 2 or r > #phases.taps - LONGEST // 2 then
      lines[#lines + 1] = phase_text(taps, r - 1, phases.inputs)
    elseif r == LONGEST // 2 + 1 then
      lines[#lines + 1] = ("  … %d more"):format(#phases.taps - LONGEST // 2 * 2)
    end
  end
end

---@param axis upweave.axis
---@return string
return function(axis)
  local cost, phases = axis:cost(), axis:phases()
  local lines = { ("axis %s: %d -> %d, %d taps, at most %d"):format(
    axis.name, axis.input, axis.output, cost.taps, cost.widest) }
  if phases then
    local period = axis:period()
    lines[1] = lines[1] .. (", period %d outputs = %d inputs"):format(
      phases.outputs, phases.inputs)
    lines[#lines + 1] = (" interior y[%d..%d]: y[%s + %d + phase], x counted from %d:"):format(
      period.first, period.last, phases.outputs == 1 and "n" or phases.outputs .. "n",
      period.first, phases.low)
    add_phases(lines, phases)
  else
    local index = axis:period("index")
    lines[1] = lines[1] .. (not index and ", no period" or
      (", positions repeat every %d outputs = %d inputs, weights do not"):format(
        index.outputs, index.inputs))
  end
  for _, edge in ipairs(axis:edges()) do
    lines[#lines + 1] = phases and (" edge y[%d..%d]:"):format(edge.first, edge.last) or " outputs:"
    add_outputs(lines, axis, edge.first, edge.last)
  end
  return table.concat(lines, "\n")
end
