-- SPDX-License-Identifier: MIT
-- Child processes.
--
-- Purpose: run a program with a list of arguments, bounded output, a time limit and an end that
-- leaves nothing behind. Invariants: no shell, ever; every child leads its own process group, which
-- dies whole (time limit, interrupt); output beyond the limit is read and dropped, so a child never
-- blocks on a full pipe; no caller's code runs inside a libuv callback, where an error would end
-- this process.

local uv = require "luv"

local M = {}

local OUTPUT_LIMIT <const> = 1 << 20
-- Milliseconds for grandchildren that hold our pipes after the child's end.
local ORPHAN_PATIENCE <const> = 200
local KILLED <const> = 9
local SIGNALS <const> = { { "sigint", 130 }, { "sigterm", 143 }, { "sighup", 129 } }

local live = {}      -- running children
local cleanups = {}  -- what to do when a signal ends us
local watchers = {}

---@class upweave.ProcessOptions
---@field cwd string?
---@field env string[]? the whole environment as "NAME=value"; ours if absent
---@field input string? bytes for standard input, which is empty otherwise
---@field limit integer? most bytes kept of each stream
---@field bounded boolean? a child that writes more than that is killed
---@field seconds number? time limit
---@field inherit boolean? the child writes to our streams

---@class upweave.ProcessResult
---@field ok boolean started, ended by itself, exit code 0
---@field code integer?
---@field signal integer? 0 if it ended by itself
---@field timed_out boolean
---@field truncated boolean
---@field stdout string
---@field stderr string
---@field seconds number
---@field fault string? why it could not be started

---@param action fun() run when a signal ends this process
---@return fun() forget it
function M.on_interrupt(action)
  local entry = { action = action }
  cleanups[#cleanups + 1] = entry
  return function() entry.action = nil end
end

local function kill_group(pid)
  pcall(uv.kill, -pid, "sigkill")
end

--- Kill every running child with its descendants.
function M.kill_all()
  for _, child in ipairs(live) do kill_group(child.pid) end
end

local function interrupted(code)
  M.kill_all()
  for index = #cleanups, 1, -1 do
    local action = cleanups[index].action
    if action then pcall(action) end
  end
  io.stderr:write("upweave: interrupted\n")
  os.exit(code)
end

local function watch_signals()
  for index, signal in ipairs(SIGNALS) do
    local watcher = uv.new_signal()
    watcher:unref()
    watcher:start(signal[1], function() interrupted(signal[2]) end)
    watchers[index] = watcher
  end
end

-- Without children the signals keep their default effect: a long computation stays interruptible.
local function unwatch_signals()
  for _, watcher in ipairs(watchers) do
    watcher:stop()
    watcher:close()
  end
  watchers = {}
end

local function forget(child)
  for index, other in ipairs(live) do
    if other == child then table.remove(live, index) break end
  end
  if #live == 0 then unwatch_signals() end
end

local function close(handle)
  if handle and not handle:is_closing() then handle:close() end
end

local function finish_if_done(child)
  if child.done or child.code == nil or child.open > 0 then return end
  child.done = true
  for _, handle in ipairs(child.handles) do close(handle) end
  forget(child)
end

local function collect(child, pipe, name, options)
  local sink, limit = { size = 0, lines = 0 }, options.limit or OUTPUT_LIMIT
  child.sinks[name] = sink
  child.open = child.open + 1
  pipe:read_start(function(fault, chunk)
    if chunk and not fault then
      local room = limit - sink.size
      if #chunk > room then
        child.truncated = true
        chunk = chunk:sub(1, math.max(room, 0))
        if options.bounded then kill_group(child.pid) end
      end
      sink.size = sink.size + #chunk
      sink.lines = sink.lines + select(2, chunk:gsub("\n", ""))
      sink[#sink + 1] = chunk
    else
      close(pipe)
      child.open = child.open - 1
      finish_if_done(child)
    end
  end)
end

local function on_exit(child, code, signal)
  child.code, child.signal = code, signal
  child.ended = uv.hrtime()
  if child.open > 0 then
    local timer = uv.new_timer()
    child.handles[#child.handles + 1] = timer
    timer:start(ORPHAN_PATIENCE, 0, function() kill_group(child.pid) end)
  end
  finish_if_done(child)
end

local function feed(child, pipe, input)
  child.open = child.open + 1
  pipe:write(input, function()
    close(pipe)
    child.open = child.open - 1
    finish_if_done(child)
  end)
end

local function limit_time(child, seconds)
  local timer = uv.new_timer()
  child.handles[#child.handles + 1] = timer
  uv.update_time() -- libuv's clock stands still while Lua computes
  timer:start(math.max(1, math.ceil(seconds * 1000)), 0, function()
    child.timed_out = true
    kill_group(child.pid)
  end)
end

-- Pipes to the child: input only if there is some, output unless it shares ours.
local function make_pipes(options)
  local own = not options.inherit
  return {
    input = options.input and uv.new_pipe(false) or nil,
    output = own and uv.new_pipe(false) or nil,
    errors = own and uv.new_pipe(false) or nil,
  }
end

local function spawn(command, options, pipes, on_end)
  return uv.spawn(command[1], {
    args = table.move(command, 2, #command, 1, {}), cwd = options.cwd, env = options.env,
    detached = true, -- a session, hence a process group of its own
    stdio = { pipes.input, pipes.output or 1, pipes.errors or 2 },
  }, on_end)
end

local function attach(child, options, pipes)
  if pipes.output then collect(child, pipes.output, "stdout", options) end
  if pipes.errors then collect(child, pipes.errors, "stderr", options) end
  if pipes.input then feed(child, pipes.input, options.input) end
  if options.seconds then limit_time(child, options.seconds) end
end

---@param command string[] program and arguments
---@param options upweave.ProcessOptions?
---@return table|nil child
---@return string? fault
function M.start(command, options)
  options = options or {}
  local child = { command = command, open = 0, sinks = {}, handles = {}, timed_out = false,
    truncated = false, began = uv.hrtime() }
  local pipes = make_pipes(options)
  if #live == 0 then watch_signals() end
  local handle, pid = spawn(command, options, pipes,
    function(code, signal) on_exit(child, code, signal) end)
  if not handle then
    close(pipes.input)
    close(pipes.output)
    close(pipes.errors)
    if #live == 0 then unwatch_signals() end
    return nil, tostring(pid)
  end
  child.pid = pid
  child.handles[1] = handle
  live[#live + 1] = child
  attach(child, options, pipes)
  return child
end

--- Wait for something to happen to any child.
function M.step()
  uv.run("once")
end

local function output(child, name)
  return table.concat(child.sinks[name] or {})
end

--- How many lines a child has written to standard output so far.
---@return integer
function M.lines(child)
  return child.sinks.stdout.lines
end

---@return upweave.ProcessResult
function M.result(child)
  return {
    ok = child.code == 0 and child.signal == 0 and not child.timed_out,
    code = child.code, signal = child.signal,
    timed_out = child.timed_out, truncated = child.truncated,
    stdout = output(child, "stdout"), stderr = output(child, "stderr"),
    seconds = (child.ended - child.began) * 1e-9,
  }
end

---@return upweave.ProcessResult
function M.failed_start(fault)
  return { ok = false, timed_out = false, truncated = false, stdout = "", stderr = "", seconds = 0,
    fault = fault }
end

--- Run a program to its end.
---@param command string[]
---@param options upweave.ProcessOptions?
---@param watch fun(child: table)? called whenever something happened
---@return upweave.ProcessResult
function M.run(command, options, watch)
  local child, fault = M.start(command, options)
  if not child then return M.failed_start(fault) end
  while not child.done do
    M.step()
    if watch then watch(child) end
  end
  return M.result(child)
end

--- How a child ended, in words.
---@param result upweave.ProcessResult
---@return string
function M.describe(result)
  if result.fault then return "could not be started (" .. result.fault .. ")" end
  if result.truncated and result.signal == KILLED then return "was stopped: it wrote too much" end
  if result.timed_out then
    return string.format("was stopped after its time limit (%.1f s)", result.seconds)
  end
  if result.signal ~= 0 then return "was ended by signal " .. result.signal end
  return "ended with exit code " .. result.code
end

return M
