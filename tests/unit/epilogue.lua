-- SPDX-License-Identifier: MIT
-- Epilogues: values of every kind as PyTorch gives them, order, what is read, what is folded into
-- weights and bias, and what packing calculates.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local builder = require "upweave.ir.builder"
local epilogue = require "upweave.lower.epilogue"
local eval = require "upweave.ir.eval"
local types = require "upweave.ir.types"

local inf, nan = math.huge, 0 / 0
local function f32(v) return types.round("f32", v) end

local function plan(post, fields)
  local p = { post = post, bias = false, work = "f32" }
  for _, name in ipairs { "bias", "work" } do
    if fields and fields[name] ~= nil then p[name] = fields[name] end
  end
  return p
end

-- the epilogue of `post` on a list of four numbers; read[name] is a list of four, or nothing
local function apply(post, list, read, fma)
  local e = epilogue.new(plan(post))
  local b = builder.new("kernel", { name = "test", fma = fma or false }, "f32")
  local memory = { x = ir.array(list), y = {} }
  local x = b:input("x", "f32", 4)
  local function vector(name)
    memory[name] = ir.array(read[name])
    return b:load(b:input(name, "f32", 4), 0, 4)
  end
  local y = b:output("y", "f32", 4)
  b:store(y, 0, e:apply(b, b:load(x, 0, 4), {
    channel = function(i) return vector(e.parameters[i].name) end,
    residual = function(i) return vector("residual" .. i) end,
  }))
  eval.eval(b, memory)
  return memory.y
end

local function gives(name, post, list, want, read, fma)
  local got, same = apply(post, list, read, fma), true
  for i, v in ipairs(want) do same = same and ir.bits(got[i - 1]) == ir.bits(v) end
  if not tap.ok(same, name) then tap.diag(table.concat(got, " ", 0, 3)) end
end

-- values, as torch 2.13 gives them ---------------------------------------------------------------

local tiny = 2.0 ^ -149
gives("relu", { { name = "relu" } }, { nan, -0.0, -1.5, 2.5 }, { nan, -0.0, 0.0, 2.5 })
gives("relu of infinities", { { name = "relu" } }, { inf, -inf, 0.0, -tiny },
  { inf, 0.0, 0.0, 0.0 })
gives("clamp", { { name = "clamp", a = 0, b = 6 } }, { nan, -0.0, 7.0, -1.0 },
  { nan, -0.0, 6.0, 0.0 })
gives("clamp of infinities", { { name = "clamp", a = -2, b = 6 } }, { inf, -inf, 1.0, -2.5 },
  { 6.0, -2.0, 1.0, -2.0 })
gives("clamp from -0", { { name = "clamp", a = -0.0, b = 6 } }, { 0.0, -0.0, -1.0, 3.0 },
  { 0.0, -0.0, -0.0, 3.0 })

local function leaky(slope) return { { name = "leaky_relu", a = slope } } end
gives("leaky_relu", leaky(0.1), { 3.0, -3.0, nan, -0.0 }, { 3.0, f32(f32(0.1) * -3), nan, -0.0 })
gives("leaky_relu of infinities", leaky(0.1), { inf, -inf, 0.0, -tiny }, { inf, -inf, 0.0, -0.0 })
gives("leaky_relu of slope 0", leaky(0.0), { inf, -inf, -0.0, -5.0 }, { inf, nan, -0.0, -0.0 })
gives("leaky_relu of slope 1", leaky(1.0), { inf, -inf, -0.0, nan }, { inf, -inf, -0.0, nan })
gives("leaky_relu of slope 2", leaky(2.0), { 3.0, -3.0, nan, -0.0 }, { 3.0, -6.0, nan, -0.0 })
gives("leaky_relu of a negative slope", leaky(-0.5), { 3.0, -3.0, 0.0, -0.0 },
  { 3.0, 1.5, -0.0, 0.0 })
gives("leaky_relu of a negative slope: infinities", leaky(-0.5), { inf, -inf, nan, -tiny },
  { inf, inf, nan, 0.0 })

gives("prelu", { { name = "prelu" } }, { 3.0, -3.0, -0.0, nan }, { 3.0, -0.75, 0.0, nan },
  { slope = { 9.0, 0.25, -1.0, 0.25 } })
gives("prelu of unusual slopes", { { name = "prelu" } }, { -inf, 0.0, -1.0, 2.0 },
  { nan, nan, nan, 2.0 }, { slope = { 0.0, inf, nan, nan } })
gives("add", { { name = "add" } }, { 1.0, inf, -0.0, 3.0 }, { 3.0, nan, -0.0, nan },
  { residual1 = { 2.0, -inf, -0.0, nan } })
gives("two residuals", { { name = "add" }, { name = "relu" }, { name = "add" } },
  { 1.0, -5.0, 2.0, 0.0 }, { 12.0, 20.0, 35.0, 44.0 },
  { residual1 = { 1.0, 2.0, 3.0, 4.0 }, residual2 = { 10.0, 20.0, 30.0, 40.0 } })

-- the order counts
local read = { residual1 = { 1.0, 1.0, 1.0, 1.0 } }
gives("relu, then add", { { name = "relu" }, { name = "add" } }, { -3.0, 3.0, 0.0, -1.0 },
  { 1.0, 4.0, 1.0, 1.0 }, read)
gives("add, then relu", { { name = "add" }, { name = "relu" } }, { -3.0, 3.0, 0.0, -1.0 },
  { 0.0, 4.0, 1.0, 0.0 }, read)
gives("nothing", {}, { nan, 1.0, -0.0, inf }, { nan, 1.0, -0.0, inf })

gives("sigmoid", { { name = "sigmoid" } }, { 0.0, inf, -inf, nan }, { 0.5, 1.0, 0.0, nan })
gives("tanh", { { name = "tanh" } }, { -0.0, inf, -inf, nan }, { -0.0, 1.0, -1.0, nan })
gives("gelu", { { name = "gelu" } }, { -0.0, inf, -inf, nan }, { -0.0, inf, -0.0, nan })
gives("gelu(tanh)", { { name = "gelu_tanh" } }, { -0.0, inf, -inf, nan }, { -0.0, inf, -0.0, nan })
local function near(name, x, want)
  local got = apply({ { name = name } }, { x, x, x, x })[3]
  tap.ok(math.abs(got - want) < 2.0 ^ -22, ("%s(%g) = %.9g"):format(name, x, got))
end
near("gelu", 2.0, 1.9544997361036416)
near("gelu_tanh", 2.0, 1.954597694087775)
near("sigmoid", 2.0, 0.8807970779778823)
near("tanh", 2.0, 0.9640275800758169)

local after = { { name = "relu" }, { name = "batch_norm", eps = 0.5 } }
local affine = { scale = { 2.0, -1.0, 0.5, nan }, shift = { 1.0, 1.0, 0.25, 0.0 } }
gives("a batch_norm that is not folded", after, { 3.0, 4.0, -5.0, 1.0 }, { 7.0, -3.0, 0.25, nan },
  affine)
gives("with fma", after, { 3.0, 4.0, -5.0, 1.0 }, { 7.0, -3.0, 0.25, nan }, affine, true)

-- what is read -----------------------------------------------------------------------------------

local function shape(post, bias)
  local e = epilogue.new(plan(post, { bias = bias }))
  local names = {}
  for i, p in ipairs(e.parameters) do names[i] = p.name end
  return ("%s | %s | %d | %d | %s"):format(table.concat(names, " "), table.concat(e.tensors, " "),
    e.residuals, e.folded and #e.folded or 0, e.bias)
end
local function post(...)
  local list = {}
  for i, name in ipairs { ... } do list[i] = { name = name, a = 0.5, b = 1, eps = 1e-5 } end
  return list
end
tap.is(shape {}, " |  | 0 | 0 | false", "nothing")
tap.is(shape({}, true), " |  | 0 | 0 | true", "a bias")
tap.is(shape(post("relu", "clamp", "gelu")), " |  | 0 | 0 | false", "nothing to read")
tap.is(shape(post("prelu", "add", "prelu", "add")), "slope slope2 | slope slope2 | 2 | 0 | false",
  "slopes and residuals")
tap.is(shape(post "batch_norm"), " | gamma beta mean var | 0 | 1 | true",
  "a folded batch_norm makes a bias")
tap.is(shape(post("batch_norm", "batch_norm", "relu"), true),
  " | gamma beta mean var gamma2 beta2 mean2 var2 | 0 | 2 | true", "two are folded")
tap.is(shape(post("batch_norm", "add", "batch_norm")),
  "scale2 shift2 | gamma beta mean var gamma2 beta2 mean2 var2 | 1 | 1 | true",
  "behind a residual it is packed")
tap.is(shape(post("prelu", "batch_norm"), true),
  "slope scale shift | slope gamma beta mean var | 0 | 0 | true", "and behind a slope")

-- packing ----------------------------------------------------------------------------------------

-- what pack(e, b, load) gives, where load(name) is the number tensors[name]
local function packed(records, tensors, work, pack)
  local e = epilogue.new(plan(records, { work = work }))
  local b = builder.new("pack", { name = "test", fma = true }, work)
  local memory, buffers = { y = {} }, {}
  local function load(name)
    memory[name] = { [0] = tensors[name] }
    buffers[name] = buffers[name] or b:input(name, work, 1)
    return b:load(buffers[name], 0)
  end
  local y = b:output("y", work, 1)
  b:store(y, 0, pack(e, b, load))
  eval.eval(b, memory)
  return memory.y[0]
end

local numbers = {
  weight = f32(0.3), bias = f32(0.7), gamma = f32(1.1), beta = f32(-0.2), mean = f32(0.4),
  var = f32(2.3), gamma2 = f32(0.9), beta2 = 0.125, mean2 = f32(-1.2), var2 = f32(0.01),
  slope = f32(0.2),
}
local eps, eps2 = 1e-5, 1e-3
local scale = numbers.gamma / math.sqrt(numbers.var + eps)
local shift = numbers.beta - numbers.mean * scale
local scale2 = numbers.gamma2 / math.sqrt(numbers.var2 + eps2)
local shift2 = numbers.beta2 - numbers.mean2 * scale2
local one, two = { { name = "batch_norm", eps = eps } }, {
  { name = "batch_norm", eps = eps }, { name = "batch_norm", eps = eps2 },
}
local function weight(e, b, load) return e:weight(b, load "weight", load) end
local function bias(e, b, load) return e:packed_bias(b, load "bias", load) end
local function no_bias(e, b, load) return e:packed_bias(b, nil, load) end
local function nth(i) return function(e, b, load) return e:packed(b, i, load) end end

tap.is(packed({}, numbers, "f32", weight), numbers.weight, "a weight of nothing")
tap.is(packed({}, numbers, "f32", bias), numbers.bias, "a bias of nothing")
for _, work in ipairs { "f32", "f64" } do
  local function number(v) return types.round(work, v) end
  tap.is(packed(one, numbers, work, weight), number(numbers.weight * scale), work .. ": weight")
  tap.is(packed(one, numbers, work, bias), number(numbers.bias * scale + shift), work .. ": bias")
  tap.is(packed(one, numbers, work, no_bias), number(shift), work .. ": no bias")
  tap.is(packed(two, numbers, work, weight), number(numbers.weight * (scale * scale2)),
    work .. ": weight of two")
  tap.is(packed(two, numbers, work, bias),
    number((numbers.bias * scale + shift) * scale2 + shift2), work .. ": bias of two")
  tap.is(packed(two, numbers, work, no_bias), number(shift * scale2 + shift2),
    work .. ": no bias of two")
  local mixed = { one[1], { name = "prelu" }, { name = "batch_norm", eps = eps2 } }
  tap.is(packed(mixed, numbers, work, nth(1)), numbers.slope, work .. ": slope")
  tap.is(packed(mixed, numbers, work, nth(2)), number(scale2), work .. ": scale")
  tap.is(packed(mixed, numbers, work, nth(3)), number(shift2), work .. ": shift")
end

tap.done()
