-- SPDX-License-Identifier: MIT
-- generated/ is what the generator writes, and its README quotes what stands there.
--
-- No C compiler: the texts are compared.  A quotation is a block whose first line names the file
-- after the language (```c x86-64-v4/up2x.c); it may be indented less than there.

package.path = "tools/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local driver = require "upweave.driver"
local files = require "files"
local json_spec = require "upweave.read.json_spec"
local showcase = require "showcase"
local spec = require "upweave.spec"

local LARGEST <const> = 25 * 1000

--- What the command in the head of a C file would write.
local function regenerated(text)
  local head = text:match("^/%*.-%*/")
  local target = head:match("upweave gen %-%-target (%S+) SPEC")
  local document = head:match("is a %.json file with\n(.-)\n %*\n"):gsub("\n %*", "\n"):sub(3)
  local problem = spec.validate(assert(json_spec.read("head.json", document))).kernels[1]
  return driver.library(problem, { targets = { target } }).files[1].text
end

local wanted = {}
for _, file in ipairs(showcase.expected()) do
  wanted[file.path] = file.text
  local fresh = files.exists(file.path) and files.read(file.path) == file.text
  if not tap.ok(fresh, file.path .. " is what the generator writes") then
    tap.diag("run `lua5.4 tools/showcase.lua` and read the difference")
  end
  tap.ok(#file.text <= LARGEST, file.path .. " can be read")
  if file.path:find("%.c$") and not file.path:find("/several/") then
    tap.ok(regenerated(file.text) == file.text, file.path .. " says how to write it again")
  end
  tap.ok(not file.text:find('[ "\']/%l+/'), file.path .. " holds no path")
end

local unknown = {}
for _, path in ipairs(showcase.present()) do
  if not wanted[path] then unknown[#unknown + 1] = path end
end
tap.is(table.concat(unknown, " "), "", "nothing else lies there")

--- The text without blanks at the beginning of lines.
local function flush(text) return (("\n" .. text):gsub("\n +", "\n")) end

local count = 0
local readme = files.read(showcase.folder .. "/README.md")
for name, quoted in readme:gmatch("\n```c (%S+)\n(.-)\n```") do
  count = count + 1
  local text = wanted[showcase.folder .. "/" .. name] or ""
  local found = flush(text):find(flush(quoted) .. "\n", 1, true)
  if not tap.ok(found, ("README: quotation %d stands in %s"):format(count, name)) then
    tap.diag(quoted)
  end
end
tap.ok(count > 0, "the README quotes")
tap.done()
