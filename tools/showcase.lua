-- SPDX-License-Identifier: MIT
-- Write the kernels of generated/ anew.
--
-- usage: lua5.4 tools/showcase.lua     from the root of the checkout
-- Only files of its sub-folders are written or removed.

dofile("generator/searcher.lua")(".")
package.path = "tools/lib/?.lua;" .. package.path
local files = require "files"
local showcase = require "showcase"

local wanted = {}
for _, file in ipairs(showcase.expected()) do
  wanted[file.path] = true
  if not files.exists(file.path) or files.read(file.path) ~= file.text then
    files.make_folder(file.path:match("^(.*)/"))
    files.write(file.path, file.text)
    print("  SHOW     " .. file.path)
  end
end
for _, path in ipairs(showcase.present()) do
  if not wanted[path] then
    assert(os.remove(path))
    print("  REMOVE   " .. path)
  end
end
