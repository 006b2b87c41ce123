-- VERIFY
-- ======
-- Safety of a finished module, always run: every value is defined before it is used and in scope,
-- no value is wider than a register (two where the lowering works on pairs), every view lies
-- inside its buffer, every access too, for all values of the loop variables.  A violation is a bug
-- of a lowering, so it is an `error`.
-- Verify is safety; that the result is right is shown by eval against the reference.

local index = require "upweave.ir.index"
local walk = require "upweave.ir.walk"

-- Offset of base[at] in the buffer.  Offsets are summed before the interval is taken, so terms of
-- the same loop variable cancel.
local function absolute(n, at)
  local base = n.base
  while base.op == "view" do
    at = at + base.offset
    base = base.base
  end
  return base, at
end

local function check_view(n)
  local root, at = absolute(n, n.offset)
  local lo, hi = index.interval(at)
  if lo < 0 or hi > root.size then
    error(("view %s points to %s[%d..%d], size %d"):format(n.hint, root.name, lo, hi, root.size))
  end
end

local function in_bounds(n, root, lo, hi)
  if lo < 0 or hi >= root.size then
    error(("%s of %s[%d..%d], size %d"):format(n.op, root.name, lo, hi, root.size))
  end
end

local function aligned(root, at, lanes)
  if not index.divisible(at, lanes) then
    error(("streaming store to %s is not aligned to %d lanes"):format(root.name, lanes))
  end
end

local function check_access(n, lanes)
  local root, at = absolute(n, n.index)
  local lo, hi = index.interval(at)
  in_bounds(n, root, lo, hi + lanes - 1)
  if n.streaming then
    aligned(root, at, lanes)
    root.aligned_lanes = lanes         -- callers of a routine have to keep it
  end
end

-- The entries of a gather are those of the whole table: it holds element numbers of one row.
local function check_gather(n)
  local root, at = absolute(n, n.index)
  local first, last = index.interval(n.first)
  in_bounds(n, n.entries, first, last + n.ty.lanes - 1)
  local lo, hi = index.table_bounds(n.entries, 0, n.entries.size - 1)
  local base_lo, base_hi = index.interval(at)
  in_bounds(n, root, base_lo + lo, base_hi + hi)
end

-- Each argument leaves room for all of its parameter.
local function check_call(n)
  for i, parameter in ipairs(n.routine.parameters) do
    local argument = n.arguments[i]
    local root, at = absolute(argument, argument.index)
    local lo, hi = index.interval(at)
    in_bounds(n, root, lo, hi + parameter.size - 1)
    if parameter.mode == "output" then
      if root.mode ~= "output" and root.mode ~= "scratch" then
        error(("%s writes to %s"):format(n.routine.name, root.name))
      end
      if parameter.aligned_lanes then aligned(root, at, parameter.aligned_lanes) end
    end
  end
end

local checks = {
  call = check_call,
  view = check_view,
  load = function(n) check_access(n, n.ty.lanes) end,
  store = function(n) check_access(n, n[1].ty.lanes) end,
  gather = check_gather,
}

-- The interval of a loop variable; nil if the loop cannot run.
local function open_loop(n)
  local lo, last = index.interval(n.lo), select(2, index.interval(n.hi)) - 1
  if last < lo then return false end
  n.var.min, n.var.max = lo, last
  return true
end

local function define(scope, v)
  v.in_scope = true
  scope[#scope + 1] = v
end

local function check_operands(event)
  for _, v in ipairs(walk.operands(event)) do
    if v.op ~= "const" and not v.in_scope then
      error(("%s uses %s out of scope"):format(event.item.op, v.op))
    end
  end
end

local function check_item(n, width)
  for _, pointer in ipairs(walk.pointers(n)) do
    if pointer.base.op == "view" and not pointer.base.in_scope then
      error(n.op .. " uses view " .. pointer.base.hint .. " out of scope")
    end
  end
  if n.ty and n.ty.lanes > 1 and n.ty.bytes > width then
    error(("%s %s is wider than a register"):format(n.op, n.ty.name))
  end
  if checks[n.op] then checks[n.op](n) end
end

-- Walk one block; blocks of loops that never run are not checked for bounds: they have none.
local walk_block

local function walk_body(n, width)
  if n.op ~= "for" then return walk_block(n.body, width, {}) end
  check_operands { kind = "open", item = n }
  if open_loop(n) then
    local scope = {}
    for _, p in ipairs(n.phis) do define(scope, p) end
    walk_block(n.body, width, scope, function() check_operands { kind = "close", item = n } end)
    n.var.min, n.var.max = nil, nil
  end
end

function walk_block(block, width, scope, at_end)
  for _, n in ipairs(block) do
    if n.body then
      walk_body(n, width)
      for _, out in ipairs(n.outs or {}) do define(scope, out) end
    else
      check_operands { kind = "item", item = n }
      check_item(n, width)
      define(scope, n)
    end
  end
  if at_end then at_end() end
  for _, v in ipairs(scope) do v.in_scope = nil end
end

--- Check a module for a machine with registers of `width` bytes; errors on a violation.
---@param module ir.Builder
---@param width integer
---@return ir.Builder
local function verify(module, width)
  if module.paired then width = 2 * width end
  for _, unit in ipairs(walk.units(module)) do walk_block(unit.body, width, {}) end
  return module
end

return { verify = verify }
