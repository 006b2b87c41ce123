-- SPDX-License-Identifier: MIT
-- Parameters in files.
--
-- Purpose: the arrays that a spec names: weight = npy "w.npy". Invariants: a file lies in the
-- spec's folder or below it and has at most LARGEST bytes; it is read once for all kernels of the
-- spec.

local files = require "upweave.toolchain.files"
local inside = require "upweave.read.inside"
local npy = require "upweave.read.npy"
local sha256 = require "upweave.util.sha256"

local M = {}

local LARGEST <const> = 256 << 20

---@class upweave.ParameterFile
---@field dtype string
---@field shape integer[]
---@field bytes string of the elements
---@field sha256 string of the file
---@field path string of the file, from where the spec's path is from

local function load(folder, path)
  local real, size = inside.find(folder, path)
  if not real then
    return nil, size
  elseif size > LARGEST then
    return nil, ("%s: it has more than %d bytes"):format(path, LARGEST)
  end
  local bytes, fault = files.read(real)
  local array, reason
  if bytes then
    array, reason = npy.decode(bytes)
  end
  if not array then
    return nil, path .. ": " .. (reason or fault)
  end
  return { dtype = array.dtype, shape = array.shape, bytes = array.bytes,
    sha256 = sha256.hex(bytes), path = (folder.path .. path):gsub("^%./", "") }
end

--- The function that reads the files of a spec: by their paths, as the spec has them.
---@param spec string path of the spec
---@return fun(path: string): upweave.ParameterFile?, string?
function M.loader(spec)
  local folder = { path = spec:match("^(.*/)[^/]*$") or "./", owner = "spec", word = "path" }
  local known = {}
  return function(path)
    known[path] = known[path] or table.pack(load(folder, path))
    return table.unpack(known[path], 1, 2)
  end
end

return M
