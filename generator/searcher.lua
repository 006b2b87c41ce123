-- SPDX-License-Identifier: MIT
-- Module searcher of a checkout or an installation.
--
-- Purpose: maps `require "upweave.X.Y"` to ROOT/generator/X/Y.lua or ROOT/generator/X/Y/init.lua,
-- whatever the current directory and package.path are, and publishes ROOT as "upweave.home".
-- Invariants: only names below "upweave." are answered; a name has no path characters, so a
-- module name can never leave generator/. Installing twice with the same root is harmless.

local function readable(path)
  local file = io.open(path, "rb")
  if not file then return false end
  -- A directory opens, too, but cannot be read.
  local ok = file:read(0) ~= nil or file:seek("end") == 0
  file:close()
  return ok
end

local function candidates(root, name)
  local tail = name:match("^upweave%.([%w_]+[%w_.]*)$")
  if not tail or tail:find("..", 1, true) then return nil end
  local stem = root .. "/generator/" .. tail:gsub("%.", "/")
  return { stem .. ".lua", stem .. "/init.lua" }
end

---@param root string directory that holds generator/, templates/ and runtime/
---@return string root
return function(root)
  if package.loaded["upweave.home"] == root then return root end
  package.loaded["upweave.home"] = root
  table.insert(package.searchers, 2, function(name)
    local paths = candidates(root, name)
    if not paths then return nil end
    for _, path in ipairs(paths) do
      if readable(path) then
        local chunk, fault = loadfile(path, "t")
        if not chunk then error(fault, 0) end
        -- No loader data: `require` would hand it on as a second value, into every list of modules
        -- whose last item is a call of it.
        return chunk
      end
    end
    return "no file '" .. table.concat(paths, "'\n\tno file '") .. "'"
  end)
  return root
end
