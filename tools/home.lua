-- SPDX-License-Identifier: MIT
-- upweave.home of an installation: the folder that holds generator/, templates/ and runtime/.
--
-- Purpose: installed as generator/home.lua, so that `require "upweave.driver"` works through
-- package.path alone; in a checkout generator/searcher.lua says it. Invariant: follows the file's
-- own place, so an installation may be moved.

local _, path = ...
local generator = path:match("^(.*)/[^/]+$")
return generator .. "/.."
