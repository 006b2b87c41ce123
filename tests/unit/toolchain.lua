-- SPDX-License-Identifier: MIT
-- The toolchain's own parts: words, files, cache, processes, object files, dependency files.

local tap = dofile "tests/lib/tap.lua"
local cache = require "upweave.toolchain.cache"
local clang = require "upweave.toolchain.clang"
local command = dofile "tests/lib/command.lua"
local cross = require "upweave.toolchain.cross"
local depfile = require "upweave.cli.depfile"
local elf = require "upweave.toolchain.elf"
local files = require "upweave.toolchain.files"
local host = require "upweave.toolchain.host"
local jobs = require "upweave.toolchain.jobs"
local process = require "upweave.toolchain.process"
local progress = require "upweave.toolchain.progress"
local uv = require "luv"
local words = require "upweave.toolchain.words"

progress.set_level(0)
local folder = command.folder()

-- words: split and quote
local function test_words()
  for _, case in ipairs {
    { "", {} }, { "  \t\n", {} }, { "a b", { "a", "b" } }, { "-DX='a b' c", { "-DX=a b", "c" } },
    { [["a\"b\\c\d"]], { [[a"b\c\d]] } }, { [[a\ b]], { "a b" } }, { "''", { "" } },
    { "$(x) `y` ;&|", { "$(x)", "`y`", ";&|" } }, { "'a'\"b\"c", { "abc" } },
  } do
    tap.same(words.split(case[1]), case[2], "split " .. case[1])
  end
  for _, bad in ipairs { "'", '"a', "a\\", '"a\\' } do
    local list, reason = words.split(bad)
    tap.ok(list == nil and reason, "split " .. bad .. " is refused with a reason")
  end
  local odd = { "plain", "a b", "it's", "", "$(x)", "a\nb", "-o", "\\", '"' }
  tap.same(words.split(words.join(odd)), odd, "what join quotes, split reads back")
  local shell = process.run({ "sh", "-c", "printf '%s\\0' " .. words.join(odd) })
  tap.is(shell.stdout, table.concat(odd, "\0") .. "\0", "so does a shell")
end

-- files: names
local function test_names()
  for _, name in ipairs { "up.c", "lib_a.so", "a", "0x+1-2.h" } do
    tap.ok(files.safe_name(name), name .. " is a safe name")
  end
  for _, name in ipairs { "", ".", "..", "../x", "a/b", "-o", ".hidden", "a b", "a\nb", "a\0b", "ä",
    ("x"):rep(300) } do
    tap.ok(not files.safe_name(name), (name:sub(1, 9):gsub("%c", "?")) .. " is not")
    tap.ok(files.safe_name(files.make_safe(name)), "but its safe form is")
  end
  for path, stem in pairs { ["a/b.lua"] = "b", ["b"] = "b", ["/x/.lua"] = ".lua",
    ["a.b.json"] = "a.b", ["a/"] = "a" } do
    tap.is(files.stem(path), stem, "stem of " .. path)
  end
end

-- files: sets are written whole or not at all
local function set(...)
  local list = {}
  for index, name in ipairs { ... } do list[index] = { name = name, text = "new " .. name } end
  return list
end
local out = folder .. "/a/b"

local function test_sets()
  tap.is(files.write_set(out, set("x", "y")), 2, "two files into a folder that is made")
  tap.is(files.write_set(out, set("x", "y", "z")), 1, "only what changed is written")
  command.write(out .. "/x", "old x")
  assert(uv.fs_mkdir(out .. "/w", 448))
  tap.ok(not files.write_set(out, set("x", "y", "w")), "a folder in the way")
  tap.is(files.read(out .. "/x"), "old x", "the old file is still there")
  tap.ok(not files.write_set(folder .. "/n/m", set("ok", "../bad")), "a bad name")
  tap.ok(not uv.fs_stat(folder .. "/n"), "the folders made for it are gone again")
  local late = set("x", "y")
  late[3] = { path = folder .. "/missing/file", text = "" }
  tap.ok(not files.write_set(out, late), "a path outside that cannot be written")
  tap.is(files.read(out .. "/x"), "old x", "then nothing inside is written")
end

-- a rename that fails half way: what was replaced comes back
local function test_rollback()
  local rename, count = uv.fs_rename, 0
  uv.fs_rename = function(from, to)
    count = count + 1
    if count == 2 then return nil, "EIO: planted", "EIO" end
    return rename(from, to)
  end
  local written, reason = files.write_set(out,
    { { name = "x", text = "1" }, { name = "q", text = "2" } })
  uv.fs_rename = rename
  tap.ok(not written, "the second rename fails")
  tap.like(reason, "planted", "the reason is handed on")
  tap.is(files.read(out .. "/x"), "old x", "the first file has its old contents")
  tap.same(command.list(out), { "w", "x", "y", "z" }, "no other file, no remains")

  local closed = uv.fs_fsync
  uv.fs_fsync = function() return nil, "ENOSPC: planted", "ENOSPC" end
  tap.ok(not files.write_set(out, set("x", "q")), "a full disk")
  uv.fs_fsync = closed
  tap.same(command.list(out), { "w", "x", "y", "z" }, "leaves no remains either")
end

-- cache
local function test_cache()
  local store = assert(cache.open(folder .. "/cache"))
  tap.is(#cache.key { "a", "b" }, 64, "a key is a hash")
  tap.ok(cache.key { "a", "b" } ~= cache.key { "ab" }, "the borders of its parts count")
  tap.ok(cache.checksum("a") ~= cache.checksum("a\0"), "so does the length in a checksum")
  tap.ok(cache.checksum(("x"):rep(999) .. "1") ~= cache.checksum(("x"):rep(999) .. "2"),
    "and the last byte")
  local key = cache.key { "k" }
  tap.is(cache.get(store, key), nil, "an empty cache has nothing")
  local entry = cache.put(store, key, { { name = "a.o", text = "bytes" } })
  tap.is(entry.files["a.o"], "bytes", "what is put comes back")
  entry = cache.put(store, key, { { name = "a.o", text = "other" } })
  tap.is(entry.files["a.o"], "bytes", "the first one stays")
  command.write(entry.folder .. "/a.o", "bytez")
  tap.is(cache.get(store, key), nil, "a damaged entry is none")
  tap.ok(not uv.fs_stat(entry.folder), "it is thrown away")
end

-- processes
local function test_processes()
  local result = process.run({ "sh", "-c", "cat; echo err >&2; exit 3" }, { input = "in" })
  tap.is(result.stdout .. "|" .. result.stderr, "in|err\n", "input and both outputs")
  tap.is(result.code, 3, "exit code")
  tap.is(process.run({ "sh", "-c", "kill -9 $$" }).signal, 9, "signal")
  result = process.run({ "sh", "-c", "sleep 66 & sleep 66" }, { seconds = 0.1 })
  tap.ok(result.timed_out and result.seconds < 10, "time limit, with a child that has a child")
  result = process.run({ "sh", "-c", "sleep 66 & echo done" }, { seconds = 20 })
  tap.ok(not result.timed_out and result.stdout == "done\n", "a child that leaves a child behind")
  result = process.run({ "head", "-c", "3000000", "/dev/zero" }, { limit = 1000 })
  tap.is(#result.stdout, 1000, "output is bounded")
  tap.ok(result.ok and result.truncated, "and says so, while the child ends well")
  result = process.run({ "yes" }, { limit = 1000, bounded = true, seconds = 20 })
  tap.ok(not result.ok and not result.timed_out, "a child that never stops writing is stopped")
  tap.like(process.describe(result), "wrote too much", "for that reason")
  result = process.run({ folder .. "/nobody" })
  tap.ok(not result.ok and result.fault:find("ENOENT"), "a program that is not there")
  tap.is(process.run({ "env" }, { env = { "ONLY=this" } }).stdout, "ONLY=this\n", "environment")
  tap.is(process.run({ "pwd" }, { cwd = folder }).stdout, folder .. "\n", "folder")
  tap.is(process.run({ "printf", "%s|", "$(id)", "a b", "" }).stdout, "$(id)|a b||", "no shell")
end

-- jobs
local function test_jobs()
  local list = {}
  for index = 1, 5 do list[index] = { name = "j", command = { "sh", "-c", "echo " .. index } } end
  local results, ok = jobs.run(list, { what = "test", parallel = 3 })
  tap.ok(ok and results[5].stdout == "5\n", "results stand in the order of the jobs")
  list[2].command = { "false" }
  results, ok = jobs.run(list, { what = "test", parallel = 1 })
  tap.ok(not ok and results[1].ok and not results[2].ok, "a job that fails")
  tap.is(results[3], false, "then nothing new is started")
  list[2].command = { folder .. "/nobody" }
  results, ok = jobs.run(list, { what = "test", parallel = 2 })
  tap.ok(not ok and results[2].fault, "a job that cannot be started")
  results, ok = jobs.run({ { name = "bad", command = { "false" } },
    { name = "good", command = { "true" } } }, { parallel = 1, all = true })
  tap.ok(not ok and results[2] and results[2].ok, "failures that are expected end nothing")
end

-- object files
local function test_objects()
  tap.is(elf.sizes("no object"), nil, "not an object file")
  tap.is(elf.sizes(""), nil, "an empty file")
  local object = files.read("/proc/self/exe") or ""
  local code = elf.sizes(object)
  tap.ok(code and code > 1000 and code < #object, "the code of this program")
  for _, length in ipairs { 4, 20, 63, 64, 100, #object - 10 } do
    tap.is(elf.sizes(object:sub(1, length)), nil, "an object file cut at " .. length)
  end
end

-- dependency files
local function test_depfiles()
  tap.is(depfile.text({ "a b.c" }, { "s$p#e:c%.lua" }),
    "a\\ b.c: \\\n  s$$p\\#e\\:c\\%.lua\ns$$p\\#e\\:c\\%.lua:\n", "names are quoted for make")
  tap.is(depfile.text({ "a" }, {}), "a:\n", "a kernel from flags depends on nothing")
  tap.ok(not depfile.text({ "a" }, { "b\nc" }), "a line break cannot be said")
end

-- compiler and machine
local function test_machine()
  tap.ok(clang.which("sh"), "a program in the PATH")
  tap.is(clang.which("no-such-program"), nil, "one that is not")
  tap.is(clang.which(folder), nil, "a folder is no program")
  tap.is(clang.which(""), nil, "nor is nothing")
  for _, line in ipairs(clang.environment()) do
    tap.ok(not line:find("^CPATH="), "a compiler does not see " .. line:match("^[^=]*"))
  end
  tap.is(#host.lacks(host.native()), 0, "native runs here")
  tap.is(host.lacks({ arch = "any", cpu = { "flux9" } })[1], "flux9", "a feature that is lacking")
  tap.is(host.lacks({ arch = "pdp11", cpu = {} })[1], "pdp11", "another architecture")
  tap.is(host.cannot_run { name = "pdp11", arch = "pdp11", cpu = {} }.exit, 9, "exit 9 for it")
  for _, case in ipairs {
    { "processor\t: 0\nflags\t\t: fpu sse2 avx2\nbugs\t\t: none\n", "avx2", "none" },
    { "processor\t: 0\nFeatures\t: fp asimd crc32\nCPU part\t: 0xd0c\n", "asimd", "part" },
    { "processor\t: 0\nisa\t\t: rv64imafdcv_zicsr_zvl128b\nmmu\t\t: sv39\n", "v", "z" },
    { "processor\t: 0\nisa\t\t: rv64imafdcv_zicsr_zvl128b\nmmu\t\t: sv39\n", "zvl128b", "sv39" },
    { "processor\t: 0\nisa\t\t: rv64imafdc\nmmu\t\t: sv48\n", "c", "v" },
  } do
    local features = host.features(case[1])
    tap.ok(features[case[2]], case[2] .. " is a feature")
    tap.ok(not features[case[3]], case[3] .. " is not")
  end
  tap.same(host.features(""), {}, "a machine that says nothing has none")
end

-- linking: nothing is asked of this machine, all of another
local function test_cross()
  local compiler = { command = { "no-such-clang" }, major = 19, cflags = { "-DX" } }
  local own = { arch = host.describe().arch, flags = { "-mX" } }
  local other = { arch = "pdp11", flags = { "--target=pdp11", "-mY" } }
  tap.same(cross.missing(compiler, own), {}, "this machine has what it needs")
  tap.same(cross.missing(compiler, { arch = "any", flags = {} }), {}, "so have targets for any")
  tap.same(cross.library_flags(compiler, own), {}, "and needs no flags to link a library")
  tap.same(cross.program_flags(compiler, own), { "-mX", "-DX" }, "a program the target's")
  local faults = cross.missing(compiler, other)
  tap.is(faults[#faults].message, "the C library of pdp11 not found", "another one's is missing")
  tap.like(faults[#faults].try, "libc6-dev-pdp11-cross", "with the package that has it")
  if not clang.linker(compiler) then return end
  local path = "--ld-path=" .. clang.linker(compiler)
  tap.same(cross.library_flags(compiler, other), { "--target=pdp11", "-DX", path },
    "a library: machine, user's flags, linker")
  tap.same(cross.program_flags(compiler, other),
    { "--target=pdp11", "-mY", "-DX", path, "-static" }, "a program is static")
end

test_words()
test_names()
test_sets()
test_rollback()
test_cache()
test_processes()
test_jobs()
test_objects()
test_depfiles()
test_machine()
test_cross()
command.clean()
tap.done()
