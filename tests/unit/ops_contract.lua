-- SPDX-License-Identifier: MIT
-- What conv and conv_transpose tell the rest of the compiler: epilogues, tensors, formula,
-- reference, plan.

local tap = dofile "tests/lib/tap.lua"
local contract = require "upweave.plan.contract"
local ops = require "upweave.ops"
local post = require "upweave.ops.contract.post"
local problems = dofile "tests/lib/problems.lua"

local conv, transposed = ops.find "conv", ops.find "conv_transpose3d"
tap.is(conv.name .. transposed.name, "convconv_transpose", "found, by an alias, too")
for _, op in ipairs { conv, transposed } do
  tap.same(op.ranks, { 1, 2, 3 }, op.name .. ": ranks")
  tap.same(op.dtypes, { "f32", "f64", "f16", "bf16" }, op.name .. ": dtypes")
  for _, attribute in ipairs(op.attributes) do
    tap.ok(#attribute.doc > 10, op.name .. "." .. attribute.name .. " says its rule")
  end
end

-- Epilogues ---------------------------------------------------------------------------------------

local TEXTS <const> = {
  { "relu", "relu", "relu" }, { " relu ", "relu", "relu" }, { "gelu( tanh )", "gelu(tanh)",
    "gelu_tanh" }, { "gelu", "gelu", "gelu" }, { "leaky_relu", "leaky_relu(0.01)", "leaky_relu" },
  { "leaky_relu( .5 )", "leaky_relu(0.5)", "leaky_relu" }, { "leaky_relu(-1e-1)",
    "leaky_relu(-0.1)", "leaky_relu" }, { "clamp(-1, 6.0)", "clamp(-1,6)", "clamp" },
  { "clamp(+2,2)", "clamp(2,2)", "clamp" }, { "add", "add", "add" },
  { "batch_norm", "batch_norm", "batch_norm" }, { "prelu", "prelu", "prelu" },
  { "sigmoid", "sigmoid", "sigmoid" }, { "tanh", "tanh", "tanh" },
}
for _, case in ipairs(TEXTS) do
  local record = post.parse_one(case[1], "f32")
  tap.is(record and record.name, case[3], case[1] .. " is read")
  tap.is(record and post.text(record), case[2], case[1] .. " as canonical text")
end
for _, text in ipairs { "", "relu()", "relu(", "gelu(x)", "gelu_tanh", "clamp", "clamp(0,6,7)",
  "clamp(0 6)", "clamp(nan,6)", "leaky_relu(1e400)", "leaky_relu(1e99999999)", "leaky_relu(0x1p3)",
  "leaky_relu(.)", "leaky_relu(1e)", "leaky_relu()", "add(residual)", "RELU", "tanh)" } do
  tap.ok(not post.parse_one(text, "f32"), ("`%s` is none"):format(text))
end
tap.ok(post.parse_one("leaky_relu(1e300)", "f64"), "numbers beyond f32 are numbers of f64")
local clamp = post.parse_one("clamp(-1,6)", "f32")
tap.is(clamp.a .. " " .. clamp.b, "-1.0 6.0", "the numbers of an epilogue")

-- Tensors -----------------------------------------------------------------------------------------

local many = problems.make { op = "conv", x = { shape = { 2, 7, 9, 6 }, layout = "NHWC",
  dtype = "f16" }, out_channels = 4, kernel_size = { 3, 2 }, groups = 2, stride = { 2, 1 },
  dilation = { 1, 3 }, padding = { 1, 0, 2, 3 }, eps = 1e-3,
  post = { "prelu", "add", "batch_norm", "clamp(0,6)", "prelu", "add" } }
local function described(problem)
  local texts = {}
  for i, one in ipairs(ops.find(problem.op).tensors(problem)) do
    texts[i] = ("%s %s %s %s%s"):format(one.name, one.role, table.concat(one.shape, "x"), one.dtype,
      one.layout == "" and "" or " " .. one.layout)
  end
  return texts
end
tap.same(described(many), {
  "x input 2x7x9x6 f16 NHWC", "residual input 2x4x9x4 f16 NHWC",
  "residual2 input 2x4x9x4 f16 NHWC", "y output 2x4x9x4 f16 NHWC",
  "weight parameter 4x3x3x2 f16", "bias parameter 4 f16", "slope parameter 4 f16",
  "gamma parameter 4 f16", "beta parameter 4 f16", "mean parameter 4 f16", "var parameter 4 f16",
  "slope2 parameter 4 f16",
}, "tensors in the order of the arguments")
local spread = problems.make { op = "conv_transpose", x = { shape = { 1, 6, 5 } }, bias = false,
  out_channels = 4, kernel_size = 4, stride = 2, padding = { 1, 0 }, groups = 2, post = "gelu" }
tap.same(described(spread), { "x input 1x6x5 f32 NCW", "y output 1x4x11 f32 NCW",
  "weight parameter 6x2x4 f32" }, "conv_transpose without bias")

-- Formulas ----------------------------------------------------------------------------------------

local function formula(fields)
  fields.x = { shape = { 1, fields.channels or 4, 9 } }
  fields.channels, fields.kernel_size = nil, 3
  return ops.find(fields.op).formula(problems.make(fields))
end
tap.is(conv.formula(many), "y[n,o,h,w] = bias[o] + sum weight[o,i,kh,kw] * x[n,o/2*3 + i,"
  .. "2*h + kh - 1,w + 3*kw]; prelu, add, batch_norm, clamp(0,6), prelu, add", "conv with groups")
tap.is(transposed.formula(spread), "y[n,o,w] = sum weight[o/2*3 + i,o%2,kw] *"
  .. " x[n,o/2*3 + i,(w - kw + 1)/2] over whole quotients; gelu", "conv_transpose with groups")
tap.is(formula { op = "conv", out_channels = 4, groups = 4, bias = false },
  "y[n,o,w] = sum weight[o,i,kw] * x[n,o,w + kw]", "depthwise")
tap.is(formula { op = "conv", out_channels = 8, groups = 4, bias = false },
  "y[n,o,w] = sum weight[o,i,kw] * x[n,o/2,w + kw]", "depthwise, two outputs each")
tap.is(formula { op = "conv", channels = 8, out_channels = 4, groups = 4, bias = false },
  "y[n,o,w] = sum weight[o,i,kw] * x[n,o*2 + i,w + kw]", "one output a group")
tap.is(formula { op = "conv_transpose", out_channels = 3, dilation = 2, padding = 1 },
  "y[n,o,w] = bias[o] + sum weight[i,o,kw] * x[n,i,w - 2*kw + 1]", "conv_transpose, stride 1")

-- The reference -----------------------------------------------------------------------------------

tap.same(conv.reference(many), {
  func = "upw_ref_contract", type = "struct upw_ref_contract",
  fields = {
    { "dtype", "UPW_REF_F16" }, { "rank", "2" }, { "planar", "0" }, { "transposed", "0" },
    { "bias", "1" }, { "batch", "2" }, { "groups", "2" }, { "ci", "3" }, { "co", "2" },
    { "in", "{7, 9, 0}" }, { "out", "{4, 9, 0}" }, { "kernel", "{3, 2, 0}" },
    { "stride", "{2, 1, 0}" }, { "dilation", "{1, 3, 0}" }, { "pad", "{1, 0, 0}" },
    { "eps", "0.001" }, { "post_count", "6" },
    { "post", "{{UPW_REF_PRELU, 0, 0}, {UPW_REF_ADD, 0, 0}, {UPW_REF_BATCH_NORM, 0, 0},"
      .. " {UPW_REF_CLAMP, 0, 6}, {UPW_REF_PRELU, 0, 0}, {UPW_REF_ADD, 0, 0}}" },
    { "numerics", "UPW_REF_DEFAULT" },
  },
}, "the parameters of the reference")
tap.same(transposed.reference(spread).fields[16], { "eps", "0" }, "no batch norm, no eps")
tap.is(transposed.reference(spread).fields[18][2], "{{UPW_REF_GELU, 0, 0}}", "one epilogue")

-- The plan ----------------------------------------------------------------------------------------

local plan = conv.plan(many)
tap.is(("%s %s %s %d %d %d %s"):format(plan.form, plan.dtype, plan.work, plan.groups, plan.ci,
  plan.co, plan.transposed), "contract f16 f32 2 3 2 false", "the plan")
tap.same({ plan.post[3], plan.post[4] }, { { name = "batch_norm", eps = 1e-3 },
  { name = "clamp", a = 0.0, b = 6.0 } }, "its epilogues")
tap.is(plan.bytes_read, 2 * (2 * 7 * 9 * 6 + 2 * 2 * 4 * 9 * 4 + 4 * 3 * 3 * 2 + 7 * 4),
  "all that is read")
tap.is(plan.bytes_written, 2 * 2 * 4 * 9 * 4, "and written")
-- Inside are 2, 3, 3 and 2 taps along h; along w both of 6 outputs and one of 3.
tap.is(plan.flops .. " " .. plan.limit_flops .. " " .. plan.terms, "7200 7200 18", "operations")
tap.is(conv.plan(problems.make { op = "conv", x = { shape = { 0, 3, 4 } }, out_channels = 2,
  kernel_size = 2 }).bytes_read, 0, "an empty batch reads nothing")
tap.is(conv.reference(problems.make { op = "conv", x = { shape = { 1, 1, 4 } }, out_channels = 2,
  kernel_size = 2 }).fields[18][2], "{{0, 0, 0}}", "no epilogue")
tap.is(plan.axes[1].name .. plan.axes[2].name, "hw", "the axes' names")
tap.is(tostring(transposed.plan(spread).axes[1]), "axis w: 5 -> 11, kernel 4, 19 taps, at most 2,"
  .. " period 2 outputs = 1 inputs\n y[2n] = w3 x[n-1] + w1 x[n]\n y[2n+1] = w2 x[n] + w0 x[n+1]\n"
  .. " interior y[1..8]; the others read zeros beyond x", "an axis as text")

tap.is(tostring(contract.conv_axis { name = "w", input = 90, output = 62, kernel = 25, stride = 1,
  dilation = 1, pad = 0 }):match("w24 x%[n%+24%]"), "w24 x[n+24]", "25 taps are written out")
local cut = tostring(contract.conv_axis { name = "w", input = 90, output = 62, kernel = 26,
  stride = 1, dilation = 1, pad = 0 })
tap.like(cut, "w11 x[n+11] + … 2 more … + w14 x[n+14]", "of 26 two are left out")
tap.is(tostring(contract.conv_axis { name = "w", input = 2, output = 2, kernel = 5, stride = 1,
  dilation = 1, pad = 2 }):match("\n interior.*"), "\n interior: none; every output may read zeros"
  .. " beyond x", "no interior")
local plain = contract.conv_axis { name = "w", input = 5, output = 3, kernel = 3, stride = 1,
  dilation = 1, pad = 0 }
tap.is(tostring(plain), "axis w: 5 -> 3, kernel 3, 9 taps, at most 3, period 1 outputs = 1 inputs\n"
  .. " y[n] = w0 x[n] + w1 x[n+1] + w2 x[n+2]", "nothing but interior")

-- Axes against counting: taps inside, the most of an output, the interior.
local seed = 3
local function draw(from, to)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return from + seed // 65536 % (to - from + 1)
end

-- The input that tap k of output o reads, by the definition of the operator.
local function read_by(f, spreads, o, k)
  if not spreads then return o * f.stride + k * f.dilation - f.pad end
  local reach = o + f.pad - k * f.dilation
  return reach % f.stride == 0 and reach // f.stride or nil
end

local function count(f, spreads)
  local total, most, whole = 0, 0, {}
  for o = 0, f.output - 1 do
    local n, all = 0, true
    for k = 0, f.kernel - 1 do
      local i = read_by(f, spreads, o, k)
      local inside = i and i >= 0 and i < f.input
      n = n + (inside and 1 or 0)
      all = all and (i == nil or inside)
    end
    total, most, whole[o] = total + n, math.max(most, n), all
  end
  return total, most, whole
end

local function is_right(axis, total, most, whole)
  local cost, interior = axis:cost(), axis:interior()
  local right = cost.taps == total and cost.widest == most
  for o = interior.first, interior.last do right = right and whole[o] end
  local some = interior.last >= interior.first
  return right and not (some and (whole[interior.first - 1] or whole[interior.last + 1]))
end

local wrong = 0
for i = 1, 1500 do
  local f = { name = "w", input = draw(1, 12), output = draw(1, 40), kernel = draw(1, 7),
    stride = draw(1, 6), dilation = draw(1, 4), pad = draw(-2, 8) }
  local spreads = i % 2 == 0
  local axis = (spreads and contract.conv_transpose_axis or contract.conv_axis)(f)
  if not is_right(axis, count(f, spreads)) then wrong = wrong + 1 end
end
tap.is(wrong, 0, "taps and interiors of 1500 axes are those that counting gives")

-- Long ones take no longer.
local long = contract.conv_axis { name = "w", input = 2000000000, output = 1000000000, kernel = 3,
  stride = 2, dilation = 1, pad = 1 }
tap.is(long:cost().taps, 2999999999, "taps of a long axis")
local sparse = contract.conv_transpose_axis { name = "w", input = 1, output = 3, kernel = 3,
  stride = 1000000000, dilation = 1, pad = 0 }
tap.is(sparse.phases, 3, "a phase for each output at most")

tap.done()
