-- SPDX-License-Identifier: MIT
-- The tuning database: lines, what damages them, locks, what is kept.

local tap = dofile "tests/lib/tap.lua"
local database = require "upweave.tune.database"
local files = require "upweave.toolchain.files"
local lock = require "upweave.tune.lock"
local record = require "upweave.tune.record"
local store = require "upweave.tune.store"
local uv = require "luv"

local folder = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/upweave-test-XXXXXX"))
local path = folder .. "/db.jsonl"

local function entry(changes)
  local one = { kind = "trial", spec = ("ab"):rep(32), target = "t", machine = "m",
    compiler = "c", generator = "1", c_sha256 = ("cd"):rep(32), schedule = "s:a=1",
    layout = "NCHW", kernel = "k", shape = "1x1x2x2 NCHW f32", status = "ok", median_ns = 1.5e3,
    min_ns = 1234.0625, spread = 0.1, relative = 1, low = 1, high = 1, rounds = 15, seed = 1,
    at = 1000 }
  for key, value in pairs(changes or {}) do one[key] = value end
  return one
end

local function write(text)
  os.remove(path)
  assert(files.write_private(path, text))
end

-- One line -----------------------------------------------------------------------------------

local one = entry { reason = 'a "reason"\nof two lines', median_ns = 0.1 + 0.2 }
local line = record.line(one)
tap.same(record.read(line), one, "a record reads back as it was")
tap.is(line:find("\n", 1, true), nil, "a record is one line")
tap.is(#line:match(',"verify":"(%x+)"}$'), 16, "with 64 bits of its checksum")
tap.is(record.line(entry()), record.line(entry()), "equal records are equal lines")
local function check_damage()
  local flips, cuts = 0, 0
  for at = 1, #line do
    local flipped = line:sub(1, at - 1) .. string.char(line:byte(at) ~ 1) .. line:sub(at + 1)
    flips = flips + (record.read(flipped) and 1 or 0)
    cuts = cuts + (record.read(line:sub(1, at - 1)) and 1 or 0)
  end
  tap.is(flips, 0, "no flipped bit goes unnoticed")
  tap.is(cuts, 0, "no cut goes unnoticed")
end
check_damage()
tap.is(record.intact(line), true, "a sound line is intact")
tap.is(record.intact(line .. " "), false, "a line with more is not")
local _, why = record.read((line:gsub('"trial"', '"trail"')))
tap.is(why, "its checksum fails", "a changed word fails the checksum")
_, why = record.read("{}")
tap.like(why, "cut off or not of this file", "something else is told as that")
_, why = record.read(record.line(entry { kind = "other" }))
tap.like(why, "another version", "an unknown kind is of another version")
local bare = entry()
bare.spec = nil
_, why = record.read(record.line(bare))
tap.is(why, "spec is missing", "a record without an identity is none")

-- The file -----------------------------------------------------------------------------------

tap.same(database.read(folder .. "/none").lines, {}, "a missing file has no lines")
local _, no_file = database.read(folder)
tap.like(no_file[1].try, "--db FILE or", "what is no file cannot be repaired")
assert(database.add(path, one))
assert(database.add(path, entry { schedule = "s:a=2" }))
local contents = database.read(path)
tap.is(#contents.lines, 2, "two records")
tap.is(#database.records(contents, "s:a=2"), 1, "records that contain a text")
tap.is(#database.records(contents, "s.a=2"), 0, "a text is no pattern")
tap.is(uv.fs_lstat(path .. ".lock"), nil, "no lock is left")

local whole = files.read(path)
write(whole:sub(1, -20))
contents = database.read(path)
tap.is(#contents.lines, 1, "a torn last line: the others are read")
tap.is(contents.faults[1].line, 2, "and it is told which one is torn")
assert(database.add(path, entry { schedule = "s:a=3" }))
contents = database.read(path)
tap.is(#contents.lines, 2, "what is added to a torn file stands on a line of its own")
tap.is(#contents.faults, 1, "the torn line stays one fault")
tap.like(store.complaint(contents), "1 line skipped", "which is counted for the user")
tap.is(store.complaint(database.read(folder .. "/none")), nil, "a sound file is no news")

write(whole .. whole .. "\n\n" .. whole)
contents = database.read(path)
tap.is(#contents.lines, 2, "concatenated files: equal lines count once")
tap.is(contents.repeated, 4, "the others are repeated")
write("nonsense\n")
local none, faults = database.read(path)
tap.is(none, nil, "a file without a readable line is refused")
tap.is(faults[1].exit, 8, "with exit 8")
write("")
tap.same(database.read(path).lines, {}, "an empty file is empty")
write("\0\1\255binary\n" .. whole)
tap.is(#database.read(path).lines, 2, "binary noise is skipped")

-- Every way to cut a file leaves a reading of whole records.
local function check_truncation()
  local sound, wrong = {}, 0
  for text in whole:gmatch("[^\n]+") do sound[text] = true end
  for size = 1, #whole, 7 do
    write(whole:sub(1, size))
    local cut = database.read(path)
    for _, text in ipairs(cut and cut.lines or {}) do wrong = wrong + (sound[text] and 0 or 1) end
  end
  tap.is(wrong, 0, "a truncated file yields no record that was not written")
end
check_truncation()

-- Locks --------------------------------------------------------------------------------------

lock.PATIENCE = 0.1
local own = ("%d@%s"):format(uv.os_getpid(), uv.os_gethostname())
local link = path .. ".lock"
write(whole)
assert(uv.fs_symlink(own, link))
local ok
ok, faults = database.add(path, entry { schedule = "s:a=4" })
tap.is(ok, nil, "a living owner's lock is respected")
tap.is(faults[1].code, "E700", "and said")
tap.like(faults[1].because, own, "with its owner")
tap.is(#database.read(path).lines, 2, "nothing was written")
tap.is(uv.fs_readlink(link), own, "the lock is its owner's still")
uv.fs_unlink(link)
-- A process that is gone: its number may be anybody's later, so take one that just ended.
local gone
local handle
handle, gone = uv.spawn("true", { args = {} }, function() handle:close() end)
uv.run()
assert(uv.fs_symlink(gone .. "@another-machine", link))
tap.is(database.add(path, entry()), nil, "another machine's lock is respected")
uv.fs_unlink(link)
assert(uv.fs_symlink(("%d@%s"):format(gone, uv.os_gethostname()), link))
tap.ok(database.add(path, entry { schedule = "s:a=4" }), "a dead owner's lock is taken over")
tap.is(uv.fs_lstat(link), nil, "and released")
tap.is(#database.read(path).lines, 3, "the line is there")

-- What is kept -------------------------------------------------------------------------------

local older = entry { at = 1, c_sha256 = ("ee"):rep(32) }
local kept = store.useful({ record.line(older), record.line(entry()),
  record.line(entry { generator = "0", schedule = "s:a=9" }) }, "1")
tap.same(kept, { record.line(entry()) }, "gc drops other versions and C that was replaced")
assert(database.rewrite(path, function(all) return { all.lines[1] } end))
tap.is(#database.read(path).lines, 1, "a file is rewritten whole")
local asked
local rewritten, unread = database.rewrite(folder, function(all)
  asked = all
  return {}
end)
tap.ok(not rewritten and not asked and unread[1].code == "E701",
  "what cannot be read is not taken for empty, and replaced")

local finals = store.finals({ entry { kind = "final", at = 5, schedule = "b" },
  entry { kind = "final", at = 9, schedule = "a" }, entry { at = 10 },
  entry { kind = "final", at = 9, median_ns = 1, schedule = "c" },
  entry { kind = "final", at = 11, status = "wrong" } }, function() return true end)
tap.is(#finals, 3, "finals that have times")
tap.is(finals[1].schedule .. finals[2].schedule .. finals[3].schedule, "cab",
  "the newest first, then the faster")

files.remove_tree(folder)
tap.done()
