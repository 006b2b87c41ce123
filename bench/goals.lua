-- SPDX-License-Identifier: MIT
-- What the bench workloads should reach with AVX-512: percent of the machine's limit, one thread,
-- warm, best of three runs' medians. The limit counts a convolution's products as the direct
-- algorithm has them, so goals above 100 are Winograd's.
--
-- A row of its own has its number, or the workload has one for its better layout; then the other
-- layout may lie 14 points behind the better one, by Winograd 20 % of it.

local M = {}

-- An interleaved row here may lie twenty points below the planar one.
M.rows = {
  u1_planar = 80, u2_planar = 70, u4_planar = 70, u5_planar = 57, u6_planar = 60, u7_planar = 70,
  u8_planar = 60, u8aa_planar = 37, u10_planar = 75, u11_planar = 30,
  u1_interleaved = 60, u2_interleaved = 70, u4_interleaved = 50, u5_interleaved = 37,
  u6_interleaved = 40, u7_interleaved = 50, u8_interleaved = 40, u8aa_interleaved = 17,
  u10_interleaved = 55, u11_interleaved = 10,
  u9_interleaved = 55, u12_interleaved = 17,
  t3_strict_planar = 75, t3_strict_interleaved = 50,
}

M.workloads = {
  t1a_strict = 88, t1b_strict = 92, t1c_strict = 95, t1d_strict = 80, t2a_strict = 93,
  t2b_strict = 86, t3b_strict = 60, t4_strict = 94, t5_strict = 80, t6_strict = 60,
  t7_strict = 80, t8_strict = 92, t9_strict = 94, c1_strict = 95, c2_strict = 95, c3_strict = 95,
  t1b = 125, t1c = 130, t4 = 112, t8 = 115, t9 = 113, c1 = 155, c2 = 180, c3 = 165,
  c1_fast = 265, c3_fast = 275,
}

local BEHIND <const>, BEHIND_WINOGRAD <const> = 14, 0.20
local OTHER <const> = { planar = "interleaved", interleaved = "planar" }

--- The percent that a row should reach, given what the rows of the same run did.
---@param name string
---@param percents table<string, number>   by row; a row that is missing here was not measured
---@return number|nil
function M.of(name, percents)
  if M.rows[name] then return M.rows[name] end
  local workload, layout = name:match("^(.*)_(%l+)$")
  local goal = M.workloads[workload]
  if not goal then return nil end
  local better = percents[workload .. "_" .. OTHER[layout]]
  if not better or better <= (percents[name] or 0) then return goal end
  return goal > 100 and better * (1 - BEHIND_WINOGRAD) or better - BEHIND
end

return M
