-- SPDX-License-Identifier: MIT
-- Attributes of interpolate.
--
-- Purpose: what a spec may say, with the frameworks' names, defaults and rules. `profiles` are the
-- frameworks that know an attribute; a name may stand here once for each meaning it has.
-- Invariants: order is that of the documentation; within one profile a name is unique; what `per`
-- names, a list whose length others have, stands before them.

local list = require "upweave.util.list"
local modes = require "upweave.resample.modes"
local onnx = require "upweave.resample.profiles.onnx"
local paddle = require "upweave.resample.profiles.paddle"
local tflite = require "upweave.resample.profiles.tflite"

local ALL <const> = { "torch", "onnx", "tflite", "paddle" }

return {
  {
    name = "mode",
    profiles = { "torch" },
    kind = "enum",
    values = list.column(modes.list, "name"),
    default = "nearest",
    doc = "linear needs rank 1, bilinear and bicubic 2, trilinear 3; area is the mean of the"
      .. " pixels that an output touches",
  },
  {
    name = "mode",
    profiles = { "onnx" },
    kind = "enum",
    values = { "nearest", "linear", "cubic" },
    default = "nearest",
    doc = "of any rank; cubic from opset 11 on",
  },
  {
    name = "mode",
    profiles = { "tflite" },
    kind = "enum",
    values = list.column(tflite.modes, "name"),
    default = "nearest",
    doc = "ResizeNearestNeighbor or ResizeBilinear; of rank 2",
  },
  {
    name = "mode",
    profiles = { "paddle" },
    kind = "enum",
    values = list.column(paddle.modes, "name"),
    default = "nearest",
    doc = "linear needs rank 1, bilinear and bicubic 2, trilinear 3, nearest 2 or 3; area, which"
      .. " takes no scale_factor, is the mean of the pixels that an output touches",
  },
  {
    name = "axes",
    profiles = { "onnx" },
    kind = "ints",
    doc = "the axes of x, as its shape counts them from 0, that size, scale_factor and roi speak"
      .. " of; by default all spatial ones; the others stay as they are",
  },
  {
    name = "size",
    profiles = ALL,
    kind = "int_list",
    per = "axes",
    min = 1,
    doc = "output size; either this or scale_factor",
  },
  {
    name = "scale_factor",
    profiles = { "torch", "onnx" },
    kind = "number_list",
    per = "axes",
    above = 0,
    doc = "output size is trunc(input * scale_factor), computed in double; without"
      .. " recompute_scale_factor the coordinates use 1 / scale_factor, not input / output",
  },
  {
    name = "scale_factor",
    profiles = { "paddle" },
    kind = "number_list",
    above = 0,
    doc = "output size is trunc(input * scale_factor), both in float32; without align_corners the"
      .. " coordinates use 1 / scale_factor, not input / output",
  },
  {
    name = "align_corners",
    profiles = { "torch" },
    kind = "bool",
    doc = "the centres of the corner pixels coincide; for linear, bilinear, bicubic and trilinear"
      .. " only, there false if not given; scale_factor then decides the output size only",
  },
  {
    name = "align_corners",
    profiles = { "tflite", "paddle" },
    kind = "bool",
    default = false,
    doc = "the centres of the corner pixels coincide; nearest then rounds to the nearest pixel,"
      .. " ties to the right; not for area",
  },
  {
    name = "recompute_scale_factor",
    profiles = { "torch" },
    kind = "bool",
    default = false,
    doc = "coordinates use input / output; needs scale_factor; area always does",
  },
  {
    name = "antialias",
    profiles = { "torch" },
    kind = "bool",
    default = false,
    doc = "the filter widens over the pixels that a smaller output skips; bilinear and bicubic of"
      .. " rank 2 only; bicubic then has Keys' a = -0.5 instead of -0.75",
  },
  {
    name = "half_pixel_centers",
    profiles = { "tflite" },
    kind = "bool",
    default = false,
    doc = "coordinates are those of pixel centres; not with align_corners in bilinear",
  },
  {
    name = "align_mode",
    profiles = { "paddle" },
    kind = "int",
    min = 0,
    max = 1,
    default = 0,
    doc = "0: coordinates are those of pixel centres, 1: of their left borders; for linear,"
      .. " bilinear and trilinear without align_corners, elsewhere without effect",
  },
  {
    name = "opset",
    profiles = { "onnx" },
    kind = "int",
    min = 7,
    max = 22,
    default = 22,
    doc = "the version of the operator: Upsample up to 9, Resize from 10 on",
  },
  {
    name = "coordinate_transformation_mode",
    profiles = { "onnx" },
    kind = "enum",
    values = list.column(onnx.coordinates, "name"),
    doc = "half_pixel from opset 11 on; before, asymmetric is the only one; half_pixel_symmetric"
      .. " from opset 19 on, tf_half_pixel_for_nn in 11 and 12",
  },
  {
    name = "nearest_mode",
    profiles = { "onnx" },
    kind = "enum",
    values = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple" },
    doc = "round_prefer_floor from opset 11 on; before, simple is the only one: ceil where the"
      .. " scale is below 1, else floor; without effect unless mode is nearest",
  },
  {
    name = "cubic_coeff_a",
    profiles = { "onnx" },
    kind = "number",
    min = -100,
    max = 100,
    default = -0.75,
    doc = "the parameter of Keys' kernel; without effect unless mode is cubic",
  },
  {
    name = "exclude_outside",
    profiles = { "onnx" },
    kind = "bool",
    default = false,
    doc = "taps outside the input do not count; the others are normalised again",
  },
  {
    name = "extrapolation_value",
    profiles = { "onnx" },
    kind = "number",
    default = 0.0,
    doc = "the value of outputs outside the input; of tf_crop_and_resize only",
  },
  {
    name = "roi",
    profiles = { "onnx" },
    kind = "numbers",
    min = -1000000,
    max = 1000000,
    doc = "starts of all axes, then ends, as shares of the input; tf_crop_and_resize needs it, the"
      .. " others do not look at it",
  },
  {
    name = "keep_aspect_ratio_policy",
    profiles = { "onnx" },
    kind = "enum",
    values = { "stretch", "not_larger", "not_smaller" },
    default = "stretch",
    doc = "how size is meant: as it is, or as a limit to one scale for all axes, rounded half up",
  },
  {
    name = "antialias",
    profiles = { "onnx" },
    kind = "bool",
    default = false,
    doc = "the filter widens over the pixels that a smaller output skips; linear and cubic only;"
      .. " taps outside fall on the border pixel unless exclude_outside is set",
  },
}
