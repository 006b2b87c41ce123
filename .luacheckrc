-- Static checks of all Lua in the repository (`make lint`), and with them the rule that the same
-- spec gives the same bytes: what iterates in no fixed order, tells the time or draws random
-- numbers does not exist in generator/. The sole exemption is util/ordered.lua, inline.
-- (luacheck itself runs on Lua 5.1: no attributes, no table.move here.)

std = "lua54"
codes = true
ignore = { "581" } -- "not (a < b)" is not "a >= b": it minds NaN
self = false -- a method need not use its object
max_line_length = 100
max_cyclomatic_complexity = 12
exclude_files = { "build/" }

-- Fields that luacheck knows by their full name are banned by it, too.
local NOT_DETERMINISTIC = {
  "pairs", "next", "os.time", "os.date", "os.clock", "os.tmpname", "math.random",
  "math.randomseed",
}
-- A user's string never reaches a shell: processes are started through luv with argument lists.
local SHELL = { "os.execute", "io.popen" }
-- No stage but the loader and the file writer touches files, environment or the process.
local WORLD = {
  "io.open", "io.lines", "io.read", "io.input", "io.output", "os.getenv", "os.remove", "os.rename",
  "os.exit", "dofile", "loadfile", "print",
}

local function join(...)
  local list = {}
  for _, part in ipairs { ... } do
    for _, name in ipairs(part) do list[#list + 1] = name end
  end
  return list
end

files["generator/"] = { not_globals = join(NOT_DETERMINISTIC, SHELL) }
for _, layer in ipairs { "ir", "plan", "resample", "ops", "draw", "target", "lower", "schedule",
  "spec" } do
  files["generator/" .. layer .. "/"] = { not_globals = join(NOT_DETERMINISTIC, SHELL, WORLD) }
end

-- Specs are evaluated in an environment of their own.
local SPEC = { "kernel", "graph", "sweep", "tensor", "npy" }
files["examples/*.lua"] = { read_globals = SPEC }
files["examples/decoder/decoder.lua"] = { read_globals = SPEC }
files["examples/demo/kernels.lua"] = { read_globals = SPEC }
files["generated/showcase.lua"] = { read_globals = SPEC }
