-- SPDX-License-Identifier: MIT
-- The generated parts of the documents are fresh, and links between documents lead somewhere.

package.path = "tools/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local docs = require "docs"
local files = require "files"

for _, document in ipairs(docs.expected()) do
  local fresh = files.exists(document.path) and files.read(document.path) == document.text
  if not tap.ok(fresh, document.path .. " is what the schemas say") then
    tap.diag("run `make docs`")
  end
end

local pages = { "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md",
  "generated/README.md" }
files.list("docs", "%.md$", pages)
for _, page in ipairs(pages) do
  local folder = page:match("^(.*/)[^/]*$") or ""
  local broken = {}
  for target in files.read(page):gmatch("%]%(([^)#]+)[^)]*%)") do
    local outside = target:find("^%l+:")
    if not outside and not files.exists(folder .. target) then broken[#broken + 1] = target end
  end
  tap.is(table.concat(broken, " "), "", page .. " has no broken links")
end
tap.done()
