-- TRANSFORM
-- =========
-- Constant matrices applied to values as straight-line code: Winograd's transforms of inputs, of
-- outputs and, in double, of weights.  Values may be vectors or scalars; nil is a known zero, costs
-- nothing and makes what depends on it alone nil.
--
-- Points come in pairs ±p, and so do rows of Bt and G (equal or opposite entry by entry: a common
-- and an opposite part, added and subtracted) and columns of At (sum and difference of the values
-- serve all rows).  The opposite part is calculated up to a factor, which the last FMA multiplies
-- with: its own multiplication disappears.

local M = {}

local function constant(b, v, c) return b:const(v.ty.elem, v.ty.lanes, c:number()) end

-- sum + c·v; without a sum c·v.
local function plus(b, sum, c, v)
  if not sum then return b:mul(constant(b, v, c), v) end
  if c:is_unit() and c.num < 0 then return b:sub(sum, v) end
  return b:fma(constant(b, v, c), v, sum)
end

-- Positions of the terms of a row that are not known to be 0.
local function terms(row, values)
  local list = {}
  for k = 1, #row do
    if values[k] and not row[k]:is_zero() then list[#list + 1] = k end
  end
  return list
end

-- Σ row[k]·values[k], nil if nothing is left of it.  It starts with a term of factor 1, which is no
-- operation, if there is one.
local function sum(b, row, values)
  local list = terms(row, values)
  for i, k in ipairs(list) do
    if row[k]:is_unit() and row[k].num > 0 then
      table.insert(list, 1, table.remove(list, i))
      break
    end
  end
  local acc
  for _, k in ipairs(list) do acc = plus(b, acc, row[k], values[k]) end
  return acc
end

-- Lists of numbers that are equal or opposite, place by place: the common part and the opposite one
-- (as in `x`), each with zeros for the other; nil if one of the parts is empty.
local function halves(x, y)
  local common, opposite, commons, opposites = {}, {}, 0, 0
  for k, v in ipairs(x) do
    local zero = v - v
    if v ~= y[k] and v ~= -y[k] then return nil end
    common[k], opposite[k] = zero, zero
    if v == y[k] then common[k] = v else opposite[k] = v end
    commons = commons + (common[k]:is_zero() and 0 or 1)
    opposites = opposites + (opposite[k]:is_zero() and 0 or 1)
  end
  if commons > 0 and opposites > 0 then return common, opposite end
end

-- For every list of numbers the partner it makes a pair with.
local function partners(lists)
  local of = {}
  for i = 1, #lists do
    for j = i + 1, #lists do
      if not of[i] and not of[j] and halves(lists[i], lists[j]) then of[i], of[j] = j, i end
    end
  end
  return of
end

-- A row as a factor times a row that needs one multiplication less; the factor is nil if it is 1.
local function normalised(row, values)
  local list = terms(row, values)
  for _, k in ipairs(list) do
    if row[k]:is_unit() then return row end
  end
  for _, k in ipairs(list) do
    local quotients, exact = {}, true
    for j, v in ipairs(row) do
      quotients[j] = v / row[k]
      exact = exact and quotients[j]:is_dyadic()
    end
    if exact then return quotients, row[k] end
  end
  return row
end

-- common + opposite and common - opposite.
local function both(b, common, opposite, values)
  local even = sum(b, common, values)
  local row, factor = normalised(opposite, values)
  local odd = sum(b, row, values)
  if not odd then return even, even end
  if factor and not b.target.fma then odd, factor = plus(b, nil, factor, odd), nil end
  if factor then return plus(b, even, factor, odd), plus(b, even, -factor, odd) end
  if even then return b:add(even, odd), b:sub(even, odd) end
  return odd, b:mul(b:const(odd.ty.elem, odd.ty.lanes, -1), odd)
end

local function column(matrix, k)
  local list = {}
  for i, row in ipairs(matrix) do list[i] = row[k] end
  return list
end

-- The matrix and the values with every pair of columns replaced by those of sum and difference.
local function paired_columns(b, matrix, values)
  local columns, rows, out = {}, {}, {}
  for k = 1, #matrix[1] do columns[k] = column(matrix, k) end
  local partner = partners(columns)
  for i = 1, #matrix do rows[i] = {} end
  for k, list in ipairs(columns) do
    local j, v = partner[k], values[k]
    if j and v and values[j] then
      local common, opposite = halves(columns[math.min(j, k)], columns[math.max(j, k)])
      list = k < j and common or opposite
      v = k < j and b:add(v, values[j]) or b:sub(values[j], v)
    end
    out[k] = v
    for i, c in ipairs(list) do rows[i][k] = c end
  end
  return rows, out
end

--- A matrix times a column of values.
---@param b ir.Builder
---@param matrix upweave.fraction[][]
---@param values table   as many as the matrix has columns; nil for 0
---@return table   as many as it has rows; nil for 0
function M.column(b, matrix, values)
  local out = {}
  matrix, values = paired_columns(b, matrix, values)
  local partner = partners(matrix)
  for i, row in ipairs(matrix) do
    local j = partner[i]
    if not j then
      out[i] = sum(b, row, values)
    elseif i < j then
      local common, opposite = halves(row, matrix[j])
      out[i], out[j] = both(b, common, opposite, values)
    end
  end
  return out
end

--- One matrix per axis applied to an array.  Elements are numbered from 0, the last axis fastest.
--- What is fetched first is calculated with first: the first axis column by column, then all other
--- axes row by row.
---@param b ir.Builder
---@param matrices upweave.fraction[][][]
---@param fetch fun(i: integer): table?         element of the array, nil for 0
---@param emit fun(i: integer, value: table?)   called for every element of the result, in order
function M.apply(b, matrices, fetch, emit)
  local first, rest = matrices[1], { table.unpack(matrices, 2) }
  local inner, results = 1, 1
  for _, matrix in ipairs(rest) do inner, results = inner * #matrix[1], results * #matrix end
  local columns = {}
  for j = 0, inner - 1 do
    local values = {}
    for k = 1, #first[1] do values[k] = fetch((k - 1) * inner + j) end
    columns[j] = M.column(b, first, values)
  end
  for i = 1, #first do
    if #rest == 0 then
      emit(i - 1, columns[0][i])
    else
      M.apply(b, rest, function(j) return columns[j][i] end,
        function(k, value) emit((i - 1) * results + k, value) end)
    end
  end
end

--- The transform of a filter's taps: what `apply` does with the matrices G, in double.  An absent
--- tap is nil, as is a product that absent taps make 0.
---@param b ir.Builder
---@param matrices upweave.fraction[][][]
---@param fetch fun(i: integer): table?
---@param emit fun(i: integer, value: table?)   a value of f64, to be rounded once
function M.weights(b, matrices, fetch, emit)
  M.apply(b, matrices, function(i)
    local tap = fetch(i)
    return tap and b:convert(tap, "f64")
  end, emit)
end

return M
