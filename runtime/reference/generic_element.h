// SPDX-License-Identifier: MIT
// No guard: generic.c includes this once for each dtype, with these defined, and they are undefined
// at its end:
//
//   NAME(x)           x with the dtype's name
//   ELEMENT, NUMBER   what is stored, what is computed on
//   LOAD(e)           an element as a number
//   STORE(n, bits)    a number as an element; integers are n times 2^-bits
//   PLAIN             1: an element is a number, and needs no conversion
//   FIXED             1: integers, the width is blended first and stored before the height
//
// Written as one writes it by hand when the shape is unknown until run time, and not slowed down:
// tables of indices and weights per axis, the rows that an output row reads blended first, then the
// columns; the usual tap counts get their own copy of the column loop.

struct NAME(columns) {
  int out, taps, channels, bits;
  const int *at;        // [taps][out] offset in a row
  const NUMBER *weight; // [taps][out], 0 where an output has fewer taps
};

// One output row of a planar tensor: `taps` is a constant where it matters. Left to itself Clang
// vectorises the loop with gathers, which cost two to three times its scalar code (Zen 4).
static inline void NAME(planar_row)(ELEMENT *restrict y, const NUMBER *row,
                                    const struct NAME(columns) * c, int taps) {
  const int *at = c->at, out = c->out;
  const NUMBER *weight = c->weight;
#pragma clang loop vectorize(disable)
  for (int o = 0; o < out; o++) {
    NUMBER sum = weight[o] * row[at[o]];
    for (int t = 1; t < taps; t++) sum += weight[t * out + o] * row[at[t * out + o]];
    y[o] = STORE(sum, c->bits);
  }
}

static inline void NAME(interleaved_row)(ELEMENT *restrict y, const NUMBER *row,
                                         const struct NAME(columns) * c, int taps) {
  const int channels = c->channels, out = c->out;
  for (int o = 0; o < out; o++, y += channels)
    for (int k = 0; k < channels; k++) {
      NUMBER sum = c->weight[o] * row[c->at[o] + k];
      for (int t = 1; t < taps; t++) sum += c->weight[t * out + o] * row[c->at[t * out + o] + k];
      y[k] = STORE(sum, c->bits);
    }
}

static inline void NAME(one_row)(ELEMENT *restrict y, const NUMBER *row,
                                 const struct NAME(columns) * c, int taps) {
  if (c->channels == 1)
    NAME(planar_row)(y, row, c, taps);
  else
    NAME(interleaved_row)(y, row, c, taps);
}

static void NAME(blend_columns)(ELEMENT *y, const NUMBER *row, const struct NAME(columns) * c) {
  if (c->taps == 1)
    NAME(one_row)(y, row, c, 1);
  else if (c->taps == 2)
    NAME(one_row)(y, row, c, 2);
  else if (c->taps == 4)
    NAME(one_row)(y, row, c, 4);
  else
    NAME(one_row)(y, row, c, c->taps);
}

static void NAME(add_row)(NUMBER *restrict row, const ELEMENT *restrict x, NUMBER weight, size_t n,
                          int first) {
  if (first)
    for (size_t i = 0; i < n; i++) row[i] = weight * LOAD(x[i]);
  else
    for (size_t i = 0; i < n; i++) row[i] += weight * LOAD(x[i]);
}

// The blend of the rows of x, n elements long, that output row (d, h) reads; the row itself where
// it is only one.
static const NUMBER *NAME(blend_rows)(NUMBER *row, const ELEMENT *x,
                                      const struct upw_ref_axis *axis, int64_t d, int64_t h,
                                      size_t n) {
  const struct upw_ref_tap *depth = axis[0].taps + (size_t)d * axis[0].most;
  const struct upw_ref_tap *height = axis[1].taps + (size_t)h * axis[1].most;
  int first = 1, only = axis[0].count[d] * axis[1].count[h] == 1;
  for (size_t a = 0; a < axis[0].count[d]; a++)
    for (size_t b = 0; b < axis[1].count[h]; b++, first = 0) {
      const ELEMENT *from = x + (size_t)(depth[a].index * axis[1].in + height[b].index) * n;
      NUMBER weight = (NUMBER)(depth[a].weight * height[b].weight);
      if (PLAIN && only && depth[a].weight * height[b].weight == 1) return (const void *)from;
      NAME(add_row)(row, from, weight, n, first);
    }
  return row;
}

// One plane: rows, then columns.
static void NAME(plane)(const struct upw_ref_axis *axis, const struct NAME(columns) * c,
                        const ELEMENT *x, ELEMENT *y, NUMBER *row) {
  size_t n = (size_t)axis[2].in * (size_t)c->channels;
  for (int64_t d = 0; d < axis[0].out; d++)
    for (int64_t h = 0; h < axis[1].out; h++, y += (size_t)c->out * (size_t)c->channels) {
      NAME(blend_columns)(y, NAME(blend_rows)(row, x, axis, d, h, n), c);
    }
}

// One plane in fixed point: columns of every input row into `between`, then rows of that.
static void NAME(fixed_plane)(const struct upw_ref_axis *axis, const struct NAME(columns) * c,
                              const ELEMENT *x, ELEMENT *y, NUMBER *row, ELEMENT *between) {
  size_t in = (size_t)axis[2].in * (size_t)c->channels;
  size_t out = (size_t)c->out * (size_t)c->channels;
  for (int64_t h = 0; h < axis[1].in; h++) {
    NAME(add_row)(row, x + (size_t)h * in, 1, in, 1);
    NAME(blend_columns)(between + (size_t)h * out, row, c);
  }
  for (int64_t h = 0; h < axis[1].out; h++, y += out) {
    NAME(blend_rows)(row, between, axis, 0, h, out);
    for (size_t i = 0; i < out; i++) y[i] = STORE(row[i], axis[1].bits);
  }
}

static int NAME(run)(const struct upw_ref_axis *axis, const struct upw_ref_interpolate *p,
                     const void *input, void *output) {
  const struct upw_ref_axis *w = &axis[2];
  const ELEMENT *x = input;
  ELEMENT *y = output;
  size_t out = (size_t)w->out, channels = p->planar ? 1 : (size_t)p->channels, taps = 1;
  size_t longest = (size_t)(w->in > w->out ? w->in : w->out);
  for (size_t o = 0; o < out; o++) taps = w->count[o] > taps ? w->count[o] : taps;
  int *at = calloc(out, taps * sizeof *at);
  NUMBER *weight = calloc(out, taps * sizeof *weight);
  NUMBER *row = calloc(longest, channels * sizeof *row);
  ELEMENT *between = calloc(FIXED ? (size_t)axis[1].in * out : 1, channels * sizeof *between);
  int status = at && weight && row && between ? UPW_OK : UPW_NO_MEMORY;
  for (size_t o = 0; o < out && status == UPW_OK; o++)
    for (size_t t = 0; t < w->count[o]; t++) {
      at[t * out + o] = (int)((size_t)w->taps[o * w->most + t].index * channels);
      weight[t * out + o] = (NUMBER)w->taps[o * w->most + t].weight;
    }
  struct NAME(columns) c = {(int)out, (int)taps, (int)channels, w->bits, at, weight};
  int64_t planes = p->planar ? p->batch * p->channels : p->batch;
  size_t from = (size_t)(axis[0].in * axis[1].in * w->in) * channels;
  size_t to = (size_t)(axis[0].out * axis[1].out * w->out) * channels;
  for (int64_t n = 0; n < planes && status == UPW_OK; n++, x += from, y += to)
    if (FIXED)
      NAME(fixed_plane)(axis, &c, x, y, row, between);
    else
      NAME(plane)(axis, &c, x, y, row);
  free(at);
  free(weight);
  free(row);
  free(between);
  return status;
}

#undef NAME
#undef ELEMENT
#undef NUMBER
#undef LOAD
#undef STORE
#undef PLAIN
#undef FIXED
