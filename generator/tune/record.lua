-- SPDX-License-Identifier: MIT
-- Records of the tuning database.
--
-- Purpose: from a record to its line and back. A line is canonical JSON whose last key, `verify`,
-- is the start of the SHA-256 of all before it. Invariants: pure; a line that was cut, mixed or
-- changed is never taken for a record; equal records are equal lines.

local json = require "upweave.util.json"
local ordered = require "upweave.util.ordered"
local read_json = require "upweave.read.json"
local sha256 = require "upweave.util.sha256"

local M = {}

local DIGITS <const> = 16
local FORMAT <const> = 1
local KINDS <const> = { trial = true, final = true, sweep = true }
-- What a record says beside its times, all text: without one of these it is none.
local TEXTS <const> = { "spec", "target", "machine", "compiler", "schedule", "layout", "c_sha256",
  "kernel", "shape", "status", "generator" }

---@class tune.Record
---@field kind "trial"|"final"|"sweep"
---@field spec string       identity of the kernel
---@field target string
---@field machine string    the processor that was measured
---@field compiler string   with the user's flags
---@field generator string  version of Upweave
---@field c_sha256 string   of the C that was measured
---@field schedule string
---@field layout string     of x
---@field kernel string     for people; likewise:
---@field shape string
---@field status string     "ok", or why there are no times
---@field reason string?
---@field median_ns number?
---@field min_ns number?
---@field spread number?    the middle half of the rounds over the median
---@field relative number?  the median of the multiples of the anchor's time in the same rounds
---@field low number?       their middle half
---@field high number?
---@field rounds integer?
---@field early boolean?    far behind: rounds were cut
---@field rank integer?     place in the list of candidates
---@field seed integer
---@field at integer        seconds since 1970
---@field anchor string?    c_sha256 of the anchor; without it there are no multiples to compare
---@field trials integer?   final: how many candidates there were
---@field any string?       final of `layout = "any"`: identity in the first layout

local function sum(text) return sha256.hex(text):sub(1, DIGITS) end

--- The line of a record, without its end.
---@param record tune.Record
---@return string
function M.line(record)
  local copy = { upweave = FORMAT }
  for key, value in ordered.pairs(record) do copy[key] = value end
  local body = json.encode(copy):sub(1, -2)
  return ('%s,"verify":"%s"}'):format(body, sum(body))
end

--- The record of a line; nil and the reason if it is none.
---@param line string
---@return tune.Record?
---@return string? reason
function M.read(line)
  local body, check = line:match('^({.*),"verify":"(%x+)"}$')
  if not body then return nil, "the line is cut off or not of this file" end
  if sum(body) ~= check then return nil, "its checksum fails" end
  local record = read_json.decode(body .. "}")
  if type(record) ~= "table" or record.upweave ~= FORMAT or not KINDS[record.kind] then
    return nil, "it is of another version"
  end
  for _, name in ipairs(TEXTS) do
    if type(record[name]) ~= "string" then return nil, name .. " is missing" end
  end
  record.upweave = nil
  return record
end

--- Whether a line's checksum holds; its contents are not looked at.
---@param line string
---@return boolean
function M.intact(line)
  local body, check = line:match('^({.*),"verify":"(%x+)"}$')
  return body ~= nil and sum(body) == check
end

return M
