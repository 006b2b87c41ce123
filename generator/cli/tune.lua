-- SPDX-License-Identifier: MIT
-- Verb: tune.
--
-- Purpose: finds the best schedule of each kernel on each target by measuring candidates, and keeps
-- all that is measured in the tuning database, from which builds take the winners. Invariants: a
-- trial is kept the moment it is measured, so that nothing is lost whatever ends this program; what
-- is known is not measured again.

local database = require "upweave.tune.database"
local diagnostics = require "upweave.util.diagnostics"
local measure = require "upweave.tune.measure"
local output = require "upweave.cli.output"
local parameters = require "upweave.spec.parameters"
local progress = require "upweave.toolchain.progress"
local store = require "upweave.tune.store"
local tools = require "upweave.cli.tools"
local tune = require "upweave.tune"
local uv = require "luv"
local winners = require "upweave.cli.winners"

local M = {
  name = "tune", summary = "finds the best schedules for this CPU and keeps them", takes = "spec",
  groups = { "spec", "target", "compile", "database" },
  options = {
    { "--budget", "budget", "TIME", false, "how long to search in all: 90s, 5m, 1h (60s)" },
    { "--trials", "trials", "N", false, "instead: this many candidates of each kernel" },
    { "--seed", "seed", "N", false, "of the random data (1)" },
  },
}

local BUDGET <const> = 60
local COMPILE_SECONDS <const> = 30 -- of a candidate: what takes longer is not worth the wait

local function now() return uv.hrtime() * 1e-9 end

local function seconds_left(state, begun)
  if state.left then return state.left end
  local done, rest = state.measured, state.total - #state.trials
  return done > 0 and (now() - begun) / done * rest or 0
end

-- The state of a search in words.
local function told(label, state, begun)
  local shown = { state.total and ("%d of %d trials"):format(#state.trials, state.total)
    or ("%d trials"):format(#state.trials) }
  shown[2] = ("%.0f s left"):format(math.max(seconds_left(state, begun), 0))
  local best = state.best
  if best then
    shown[3] = ("best %s, %.2f of the first: %s"):format(store.time(best.result.median_ns),
      best.result.relative, best.candidate.schedule)
  end
  return ("%s: %s"):format(label, table.concat(shown, ", "))
end

-- One kernel on one target.
local function tune_one(work, options, problems, target, seconds)
  local session = { kind = "trial", kernel = problems[1].name, target = target,
    compiler = work.tools.compiler, seed = options.seed or 1 }
  local label = ("%s, %s"):format(session.kernel, target.name)
  local status, begun = label, now()
  local contents, faults = winners.read(work.database)
  if not contents then return nil, faults end
  local kit
  kit, faults = measure.new(work.tools, problems, target, session.seed)
  if not kit then return nil, faults end
  local known = store.known(database.records(contents))
  local found
  found, faults = tune.run {
    problems = problems, target = target, trials = options.trials, seconds = seconds, clock = now,
    known = function(candidate, anchor)
      session.anchor = anchor.c_sha256
      return known(session, candidate)
    end,
    watch = function(state)
      status = told(label, state, begun)
      progress.status(status)
    end,
    measure = function(batch, rounds) return kit:run(batch, rounds, status) end,
    keep = function(candidate, result)
      return database.add(work.database, store.record(session, candidate, result))
    end,
  }
  kit.close()
  progress.clear()
  if not found then return nil, faults end
  session.kind = "final"
  local winner = found.winner
  local record = store.record(session, winner.candidate, winner.result)
  record.trials = #found.trials
  record.any = #problems > 1 and store.identity(problems[1]) or nil
  local kept
  kept, faults = database.add(work.database, record)
  if not kept then return nil, faults end
  record.times_first = found.anchor.result.median_ns / record.median_ns
  record.measured = found.measured
  record.per_second = found.measured / math.max(found.seconds, 1e-9)
  return record
end

local HEAD <const> = { "kernel", "layout", "target", "median", "spread", "gain", "trials",
  "schedule" }

local function row_of(record)
  return { record.kernel, record.layout, record.target, store.time(record.median_ns),
    ("%.1f %%"):format(record.spread * 100), ("%.2f x"):format(record.times_first),
    ("%d"):format(record.trials), record.schedule }
end

-- All kernels on all targets; each gets its share of what is left of the budget.
local function tune_all(work, options)
  local records, left = {}, #work.document.kernels * #work.targets
  local finish = now() + (options.budget or BUDGET)
  for _, target in ipairs(work.targets) do
    for index, problem in ipairs(work.document.kernels) do
      if problem.schedule then
        progress.note(problem.name .. ": its schedule is given, which comes before a tuned one")
      end
      local problems = work.document.open[index] or { problem }
      for place, one in ipairs(problems) do problems[place] = parameters.unbaked(one) end
      local seconds = not options.trials and (finish - now()) / left or nil
      local record, faults = tune_one(work, options, problems, target, seconds)
      if not record then return nil, faults end
      records[#records + 1], left = record, left - 1
    end
  end
  return records
end

function M.run(options)
  if options.budget and options.trials then
    return nil, { diagnostics.new("E007", { first = "--budget", second = "--trials",
      hint = "leave one of them out" }) }
  end
  local work, records, faults
  options.compile_seconds = options.compile_seconds or COMPILE_SECONDS
  work, faults = tools.start(options, M.name)
  if not work then return nil, faults end
  work.database = options.db or database.default_path()
  records, faults = tune_all(work, options)
  if not records then return nil, faults end
  if options.json then
    output.json { database = work.database, results = records }
  elseif not options.quiet then
    local rows = {}
    for index, record in ipairs(records) do rows[index] = row_of(record) end
    output.write(output.table(HEAD, rows))
  end
  return 0
end

return M
