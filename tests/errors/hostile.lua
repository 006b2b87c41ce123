-- SPDX-License-Identifier: MIT
-- Hostile specs: each gives a clear coded error in under two seconds and under 256 MB, leaves
-- nothing behind and reaches no shell. Seconds are those of the processor: a machine that is busy
-- with other tests makes nothing fail.

local tap = dofile "tests/lib/tap.lua"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local SECONDS <const> = 2
local MEMORY <const> = 256 << 20
local SANDBOX <const> = 160 << 20 -- the child's limit: it may use all of it beside the parent

local folder = uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/upweave-hostile-XXXXXX")

local function entries()
  local count = 0
  local scan = uv.fs_scandir(folder)
  while uv.fs_scandir_next(scan) do
    count = count + 1
  end
  return count
end

local function hostile(name, extension, source, code)
  local path = folder .. "/spec." .. extension
  local file <close> = io.open(path, "wb")
  file:write(source)
  file:flush()
  local result = process.run({ uv.exepath(), "tests/lib/measured.lua", path }, { seconds = 60 })
  local peak, seconds, text = result.stdout:match("^(%d+)\n(%S+)\n(.*)$")
  if not tap.like(text or "", "error[" .. code .. "]", name) then
    tap.diag(result.stdout:sub(1, 400) .. result.stderr:sub(1, 400))
  end
  seconds = tonumber(seconds) or math.huge
  tap.ok(seconds < SECONDS, ("%s: in %.2f s"):format(name, seconds))
  local memory = (tonumber(peak) or math.huge) * 1024 + (extension == "lua" and SANDBOX or 0)
  tap.ok(memory < MEMORY, ("%s: within %.0f MB"):format(name, memory / (1 << 20)))
  tap.ok(#(text or "") < 1 << 18, name .. ": a short message")
  tap.ok(not (text or ""):find("[\0-\9\11-\31]"), name .. ": no control characters")
  uv.fs_unlink(path)
  tap.is(entries(), 0, name .. ": nothing written")
end

local function kernel(fields)
  return 'kernel "k" { op = "interpolate", ' .. fields .. " }"
end

local X <const> = "x = tensor { 1, 2, 8, 8 }, size = 3"

-- Time.
hostile("an endless loop", "lua", "while true do end", "E021")
hostile("an endless repetition", "lua", "::again:: goto again", "E021")
hostile("an endless numeric loop", "lua", "for i = 1, 1e18 do end", "E021")
hostile("a slow loop of long strings", "lua", [[
  local s = ("x"):rep(60000)
  for i = 1, 9 do s = s .. s end
  while true do local t = s .. "y" end
]], "E021")
hostile("a deep recursion", "lua", "local function f(n) return 1 + f(n + 1) end f(1)", "E021")
hostile("an endless tail call", "lua", "local function f() return f() end f()", "E021")
hostile("a comparison of long strings", "lua", [[
  local s = ("x"):rep(65000)
  while s == s .. "" or s < s .. "y" do end
]], "E021")

-- Memory.
hostile("a huge string", "lua", 'local s = ("x"):rep(1e10)', "E021")
hostile("a huge string by format", "lua", 'string.format(("%s"):rep(60000), "x")', "E021")
hostile("a doubled string", "lua", 'local s = "x" while true do s = s .. s end', "E021")
hostile("a huge table", "lua", "local t = {} for i = 1, 1e9 do t[i] = {} end", "E021")
hostile("a negative repetition", "lua", 'local s = ("x"):rep(0/0)', "E020")

-- Escapes.
hostile("a pattern bomb", "lua", '(("a"):rep(60000)):find((".-"):rep(60) .. "b")', "E020")
hostile("gsub by the string library", "lua", 'string.gsub("a", ".", "b")', "E020")
hostile("dump", "lua", "string.dump(kernel)", "E020")
hostile("the string metatable", "lua", 'getmetatable("").__index = nil', "E020")
hostile("os", "lua", 'os.execute("touch pwned")', "E020")
hostile("io", "lua", 'io.open("pwned", "w")', "E020")
hostile("load", "lua", 'load("x")', "E020")
hostile("require", "lua", 'require("os")', "E020")
hostile("debug", "lua", "debug.sethook()", "E020")
hostile("_G", "lua", "_G.os.exit()", "E020")
hostile("_ENV", "lua", "_ENV.os.exit()", "E020")
hostile("pcall around a limit", "lua", "pcall(function() while true do end end)", "E020")
hostile("bytecode", "lua", string.dump(function() end), "E020")
hostile("nested blocks", "lua", ("do "):rep(100000), "E021")
hostile("nested parentheses", "lua", "x = " .. ("("):rep(100000), "E021")
hostile("nested tables", "lua", "x = " .. ("{"):rep(100000), "E021")

-- Data.
hostile("a table in itself", "lua", "local t = {} t.t = t " .. kernel("x = t"), "E023")
hostile("tables that share", "lua", [[
  local t = { 1, 2 }
  for i = 1, 11 do t = { t, t, t, t, t, t } end
]] .. kernel("x = t"), "E023")
hostile("many kernels", "lua", "for i = 1, 1e6 do " .. kernel(X) .. " end", "E021")
hostile("many values", "lua",
  "local t = {} for i = 1, 200001 do t[i] = i end " .. kernel("x = t, size = 3"), "E023")
hostile("much text", "lua", [[
  local s = ("x"):rep(60000)
  for i = 1, 100 do kernel(s) { op = s } end
]], "E023")
hostile("a long name", "lua",
  'kernel(("x"):rep(60000)) { op = "interpolate", ' .. X .. " }", "E027")
hostile("a long key", "lua", kernel('[("x"):rep(60000)] = 1, ' .. X), "E029")
hostile("a shape of 10^12 sizes' worth", "lua", kernel(
  "x = tensor { 1000000, 1000, 1000, 1000 }, size = 3"), "E037")
hostile("a plane of 10^12", "lua", kernel(
  "x = tensor { 1, 1, 1000000, 1000000 }, size = 3"), "E037")
hostile("an overflowing shape", "lua", kernel(
  "x = tensor { 1 << 62, 1 << 62, 4, 4 }, size = 3"), "E037")
hostile("an empty batch of monstrous planes", "lua", kernel(
  "x = tensor { 0, 1, 1 << 40, 1 << 40 }, size = 3"), "E037")
hostile("an overflowing output", "lua", kernel(
  "x = tensor { 1, 1, 8, 8 }, scale_factor = 1e308"), "E037")
hostile("a shape of 50000 dimensions", "lua", "local t = {} for i = 1, 50000 do t[i] = 1 end "
  .. kernel("x = { shape = t }, size = 3"), "E033")
hostile("keys of all types", "lua", kernel(
  "[{}] = 1, [{ 2 }] = 2, [true] = 3, [false] = 4, [0.5] = 5, [kernel] = 6, " .. X), "E029")
hostile("a name with a command", "lua",
  "kernel '$(touch pwned)`touch pwned`' { op = 'interpolate', " .. X .. " }", "E027")
hostile("a name with quotes and newlines", "lua",
  [[kernel "\"'\n;*/ #error\n" { op = 'interpolate', ]] .. X .. " }", "E027")
hostile("a name with a path", "lua",
  "kernel '../../pwned' { op = 'interpolate', " .. X .. " }", "E027")
hostile("an op with escapes", "lua", [[kernel "k" { op = "\27[2J\r\n" }]], "E028")
hostile("a large file", "lua", ("-- comment\n"):rep(300000), "E023")

-- Convolutions.
local function convolution(op, fields)
  return ('kernel "k" { op = "%s", x = tensor { 1, 2, 8, 8 }, out_channels = 2, %s }'):format(op,
    fields)
end
hostile("the largest of everything", "lua", convolution("conv_transpose",
  "kernel_size = 2147483647, stride = 2147483647, dilation = 2147483647"), "E037")
hostile("the largest kernel in the largest padding", "lua", convolution("conv",
  "kernel_size = 2147483647, dilation = 2147483647, padding = 2147483647"), "E044")
hostile("the largest padding", "lua", convolution("conv",
  "kernel_size = 1, padding = 2147483647"), "E037")
hostile("the largest padding of what is spread", "lua", convolution("conv_transpose",
  "kernel_size = 1, padding = 2147483647"), "E048")
hostile("the largest channels in the largest groups", "lua",
  'kernel "k" { op = "conv", x = tensor { 0, 2147483646, 1, 1 }, out_channels = 2147483647,'
  .. " kernel_size = 1, groups = 2147483645 }", "E043")
hostile("weights of 10^18", "lua",
  'kernel "k" { op = "conv", x = tensor { 0, 2147483647, 1, 1 }, out_channels = 2147483647,'
  .. " kernel_size = 1 }", "E037")
hostile("a padding beyond integers", "lua", convolution("conv",
  "kernel_size = 1, padding = { 1e300, 0 }"), "E034")
hostile("an epilogue of spaces", "lua", convolution("conv",
  'kernel_size = 1, post = { "clamp(0" .. (" "):rep(4000) .. "x,6)" }'), "E046")
hostile("an epilogue of commas", "lua", convolution("conv",
  'kernel_size = 1, post = { "clamp(" .. (","):rep(4000) .. ")" }'), "E046")
hostile("an epilogue of digits", "lua", convolution("conv",
  'kernel_size = 1, post = { "leaky_relu(" .. ("9"):rep(4000) .. ")" }'), "E046")
hostile("a long epilogue", "lua", convolution("conv",
  'kernel_size = 1, post = { ("x"):rep(60000) }'), "E040")
hostile("an epilogue with escapes", "lua", convolution("conv",
  [[kernel_size = 1, post = { "\27[2J" }]]), "E040")
hostile("many epilogues", "lua", "local t = {} for i = 1, 50000 do t[i] = 'relu' end "
  .. convolution("conv", "kernel_size = 1, post = t"), "E033")

-- JSON.
hostile("deep JSON", "json", ("["):rep(1000000), "E023")
hostile("deep JSON objects", "json", ('{"a":'):rep(300000), "E023")
hostile("large JSON", "json", '{"upweave":1,"kernels":[' .. (" "):rep(3 << 20) .. "]}", "E023")
hostile("JSON of many values", "json",
  '{"upweave":1,"kernels":[' .. ("0,"):rep(900000) .. "0]}", "E023")
hostile("JSON of many lists", "json",
  '{"upweave":1,"kernels":[' .. ("[],"):rep(150000) .. "[]]}", "E030")
hostile("JSON with a long string", "json", '"' .. ("x"):rep(1 << 20), "E022")
hostile("JSON with a long number", "json", ("9"):rep(1 << 20), "E024")
hostile("JSON with a comment", "json", '/**/{"upweave":1,"kernels":[]}', "E022")
hostile("JSON with a byte order mark", "json", '\xef\xbb\xbf{"upweave":1}', "E022")
hostile("JSON with NaN", "json", '{"upweave":NaN}', "E022")
hostile("JSON with a trailing comma", "json", '{"upweave":1,"kernels":[],}', "E022")
hostile("JSON with 1e999", "json", '{"upweave":1,"kernels":[{"name":"k","op":"interpolate",'
  .. '"x":{"shape":[1,1,1e999,4]},"size":3}]}', "E034")

local escaped = io.open("pwned") or io.open(folder .. "/pwned")
tap.ok(not escaped, "no command of a spec was run")
uv.fs_rmdir(folder)
tap.done()
