-- SPDX-License-Identifier: MIT
-- Entry of the command.
--
-- Purpose: finds the generator's folder from its own path, makes its modules loadable and hands the
-- arguments to the command line. Invariant: a machine without the three rocks gets a sentence that
-- says how to install them, not a traceback.

local home = arg[0]:match("^(.*)/generator/[^/]*$")
  or arg[0]:match("^generator/[^/]*$") and "." or ".."

dofile(home .. "/generator/searcher.lua")(home)
require "upweave.util.strict"

local PACKAGES <const> = { { "luv", "lua-luv" }, { "dkjson", "lua-dkjson" },
  { "argparse", "lua-argparse" } }

for _, package_of in ipairs(PACKAGES) do
  if not pcall(require, package_of[1]) then
    io.stderr:write(string.format(
      "upweave: the Lua module %s is missing; install it with `make deps` or apt-get install %s\n",
      package_of[1], package_of[2]))
    os.exit(5)
  end
end

os.exit(require("upweave.cli").main(table.move(arg, 1, #arg, 1, {})))
