-- SPDX-License-Identifier: MIT
-- Names of kernels.
--
-- Purpose: a kernel's name becomes C functions, macros and file names; this says which names can,
-- and which names a shell wildcard selects.
-- Invariant: an accepted name has only letters, digits and single underscores, so it is harmless in
-- every path, command and comment.

local library_names = require "upweave.spec.library_names"

local M = {}

local LONGEST <const> = 63 -- the significant characters of a C identifier

local function set_of(words)
  local set = {}
  for word in words:gmatch("%S+") do
    set[word] = true
  end
  return set
end

local KEYWORDS <const> = set_of [[
  alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
  char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
  constinit continue decltype default delete do double dynamic_cast else enum explicit export
  extern false final float for friend goto if import inline int long module mutable namespace new
  noexcept not not_eq nullptr operator or or_eq override private protected public register
  reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast
  struct switch template this thread_local throw true try typedef typeid typename typeof
  typeof_unqual union unsigned using virtual void volatile wchar_t while xor xor_eq
]]

-- Functions that the compiler knows without a header, macros that it defines, names of the headers.
local TAKEN <const> = set_of [[
  abort abs acos acosh alloca asin asinh atan atan2 atanh bcmp bcopy bzero cabs calloc carg cbrt
  ceil cexp cimag clog conj copysign cos cosh cpow cproj creal csin csqrt ctan erf erfc exit exp
  exp2 expm1 fabs fclose fdim ffs fgets fgetc fflush floor fma fmax fmin fmod fopen fork fprintf
  fputc fputs fread free frexp fscanf fwrite gamma getcontext getc getenv hypot ilogb index
  isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit
  j0 j1 jn labs ldexp lgamma llabs llrint llround log log10 log1p log2 logb longjmp lrint lround
  main malloc memalign memchr memcmp memcpy memmove mempcpy memset modf nan nearbyint nextafter
  nexttoward pow printf putc putchar puts realloc remainder remquo rindex rint round scalbln
  scalbn scanf setjmp signbit sin sinh snprintf sprintf sqrt sscanf stpcpy stpncpy strcasecmp
  strcat strchr strcmp strcpy strcspn strdup strerror strlcat strlcpy strlen strncasecmp strncat
  strncmp strncpy strndup strpbrk strrchr strspn strstr strtod strtof strtok strtol strtold
  strtoll strtoul strtoull strxfrm tan tanh tgamma tolower toupper trunc va_arg va_copy va_end
  va_start vfprintf vfscanf vfork vprintf vscanf vsnprintf vsprintf vsscanf y0 y1 yn NULL offsetof
  size_t ptrdiff_t max_align_t nullptr_t linux unix i386
]]

local SUFFIXES <const> = { "_range", "_kernel", "_pack", "_parallel" }

-- A name as like the wanted one as C allows.
local function mended(name)
  local word = name:sub(1, LONGEST):gsub("[^%w]+", "_"):gsub("_+", "_"):gsub("^_", "")
  word = word:gsub("_$", "")
  if word == "" or word:find("^%d") then
    word = "k" .. word
  end
  return word
end

local function fault_of_form(name)
  if name == "" then
    return "it is empty"
  elseif #name > LONGEST then
    return ("it has %d characters; C tells %d apart"):format(#name, LONGEST)
  elseif not name:find("^[%a_][%w_]*$") then
    return "it must be a C identifier: letters, digits and underscores, no digit first"
  elseif name:find("^_") or name:find("__", 1, true) then
    return "underscores at the beginning or in pairs are reserved in C and C++"
  end
end

local function fault_of_meaning(name)
  if KEYWORDS[name] then
    return "it is a keyword of C or C++"
  elseif TAKEN[name] or library_names[name] or name:find("^u?int%w*_t$") then
    return "C or its library has the name"
  elseif name:find("[fi]%d+x%d+$") or name:find("^P%d+$") then
    return "the emitted C gives such names to vector types and shuffles"
  elseif name:lower():find("^upw_") then
    return "names that begin with upw_ are Upweave's own"
  end
end

--- Why a string cannot be the name of a kernel, and one that can; nil if it can.
---@param name string
---@return string? reason
---@return string? instead
function M.fault(name)
  local fault = fault_of_form(name)
  if fault then
    local instead = mended(name)
    return fault, fault_of_meaning(instead) and "my_" .. instead or instead
  end
  fault = fault_of_meaning(name)
  if fault then
    return fault, "my_" .. name:gsub("^[uU][pP][wW]_", "")
  end
end

--- The identifiers that a kernel of this name takes, as one file system or header sees them:
--- macros bear the name in capitals, so case does not tell kernels apart.
---@param name string
---@return string[]
function M.taken_by(name)
  local taken = { name:lower() }
  for _, suffix in ipairs(SUFFIXES) do
    taken[#taken + 1] = name:lower() .. suffix
  end
  return taken
end

-- One [set] of a wildcard at `at`: whether the character is in it, and where it ends.
local function in_set(pattern, at, character)
  local stop = pattern:find("]", at + 2, true)
  if not stop then
    return character == "[", at
  end
  local set = pattern:sub(at + 1, stop - 1)
  local negated = set:find("^[!^]") ~= nil
  local found, i = false, negated and 2 or 1
  while i <= #set do
    local low, high = set:sub(i, i), set:match("^%-(.)", i + 1)
    found = found or (character >= low and character <= (high or low))
    i = i + (high and 3 or 1)
  end
  return found ~= negated, stop
end

local function match_one(pattern, at, character)
  local p = pattern:sub(at, at)
  if p == "[" then
    return in_set(pattern, at, character)
  end
  return p == "?" or p == character, at
end

--- Whether a shell wildcard (`*`, `?`, `[a-z]`) matches a whole name. Only the last `*` is ever
--- retried, so the time is at most the product of the lengths.
---@param pattern string
---@param name string
---@return boolean
function M.matches(pattern, name)
  local p, n, star, resume = 1, 1, nil, nil
  while n <= #name do
    local here, stop = match_one(pattern, p, name:sub(n, n))
    if p <= #pattern and pattern:sub(p, p) == "*" then
      star, resume, p = p, n, p + 1
    elseif p <= #pattern and here then
      p, n = stop + 1, n + 1
    elseif star then
      resume = resume + 1
      p, n = star + 1, resume
    else
      return false
    end
  end
  return pattern:find("^%**$", p) ~= nil
end

return M
