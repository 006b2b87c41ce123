-- SPDX-License-Identifier: MIT
-- Write what in the documents is made from the schemas (`make docs`).
--
-- usage: lua5.4 tools/docs.lua     from the root of the checkout

dofile("generator/searcher.lua")(".")
package.path = "tools/lib/?.lua;" .. package.path
local docs = require "docs"
local files = require "files"

for _, document in ipairs(docs.expected()) do
  if not files.exists(document.path) or files.read(document.path) ~= document.text then
    files.write(document.path, document.text)
    print("  DOCS     " .. document.path)
  end
end
