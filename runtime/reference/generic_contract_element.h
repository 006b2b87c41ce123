// SPDX-License-Identifier: MIT
// No guard: generic_contract.c includes this once for each dtype, with these defined, and they are
// undefined at its end:
//
//   NAME(x)           x with the dtype's name
//   ELEMENT, NUMBER   what is stored, what is computed on
//   LOAD(e), STORE(n) between them
//   FUNCTION(name)    the library's function of NUMBERs
//
// Written as one writes it by hand when the shape is unknown until run time. Planar tensors: a
// plane of sums for each output channel, to which every input channel and kernel position adds one
// row after the other. Interleaved ones: for each kernel position the weights as a matrix, one
// multiply-add of a row of it for each input channel of a pixel.

struct NAME(layer) {
  const struct upw_ref_contract *p;
  struct geometry at;
  const NUMBER *x;      // one image
  const NUMBER *weight; // planar: as given; interleaved: [group][tap][ci][co]
  NUMBER *sums;         // planar: one plane; interleaved: one image
};

static inline void NAME(add_row)(NUMBER *restrict sums, const NUMBER *restrict x, NUMBER weight,
                                 struct span w, const struct geometry *a) {
  const int64_t in_step = a->in_step[2], out_step = a->out_step[2];
  sums += w.out;
  x += w.in;
  if (in_step == 1 && out_step == 1)
    for (int64_t n = 0; n < w.count; n++) sums[n] += weight * x[n];
  else
    for (int64_t n = 0; n < w.count; n++) sums[n * out_step] += weight * x[n * in_step];
}

static void NAME(add_plane)(const struct NAME(layer) * l, const NUMBER *x, const NUMBER *weight) {
  const struct geometry *a = &l->at;
  for (int64_t kd = 0; kd < a->kernel[0]; kd++)
    for (int64_t kh = 0; kh < a->kernel[1]; kh++)
      for (int64_t kw = 0; kw < a->kernel[2]; kw++, weight++) {
        struct span d = span_of(a, 0, kd), h = span_of(a, 1, kh), w = span_of(a, 2, kw);
        for (int64_t i = 0; i < d.count; i++)
          for (int64_t j = 0; j < h.count; j++) {
            int64_t from = (d.in + i * a->in_step[0]) * a->in[1] + h.in + j * a->in_step[1];
            int64_t to = (d.out + i * a->out_step[0]) * a->out[1] + h.out + j * a->out_step[1];
            NAME(add_row)(l->sums + to * a->out[2], x + from * a->in[2], *weight, w, a);
          }
      }
}

static inline void NAME(add_pixel)(NUMBER *restrict sums, const NUMBER *restrict x,
                                   const NUMBER *restrict weight, int64_t ci, int64_t co) {
  for (int64_t i = 0; i < ci; i++, weight += co)
    for (int64_t o = 0; o < co; o++) sums[o] += x[i] * weight[o];
}

// One kernel position of one group, over the whole image.
static void NAME(add_matrix)(const struct NAME(layer) * l, int64_t g, const int64_t k[3],
                             const NUMBER *weight) {
  const struct geometry *a = &l->at;
  const int64_t ci = l->p->ci, co = l->p->co, groups = l->p->groups;
  struct span d = span_of(a, 0, k[0]), h = span_of(a, 1, k[1]), w = span_of(a, 2, k[2]);
  for (int64_t i = 0; i < d.count; i++)
    for (int64_t j = 0; j < h.count; j++) {
      int64_t from = (d.in + i * a->in_step[0]) * a->in[1] + h.in + j * a->in_step[1];
      int64_t to = (d.out + i * a->out_step[0]) * a->out[1] + h.out + j * a->out_step[1];
      for (int64_t n = 0; n < w.count; n++) {
        const NUMBER *x = l->x + ((from * a->in[2] + w.in + n * a->in_step[2]) * groups + g) * ci;
        NUMBER *sums = l->sums + ((to * a->out[2] + w.out + n * a->out_step[2]) * groups + g) * co;
        NAME(add_pixel)(sums, x, weight, ci, co);
      }
    }
}

// ---- epilogues, over `n` sums that lie in y from `at` on: of one channel, or of as many channels
// side by side

static inline NUMBER NAME(bend)(const struct upw_ref_post *post, NUMBER v) {
  const NUMBER root = (NUMBER)0.7071067811865476, twice = (NUMBER)1.5957691216057308;
  switch (post->kind) {
  case UPW_REF_RELU:
    return v < 0 ? 0 : v;
  case UPW_REF_LEAKY_RELU:
    return v < 0 ? v * (NUMBER)post->a : v;
  case UPW_REF_CLAMP:
    return v<(NUMBER)post->a ? (NUMBER)post->a : v>(NUMBER) post->b ? (NUMBER)post->b : v;
  case UPW_REF_SIGMOID:
    return 1 / (1 + FUNCTION(exp)(-v));
  case UPW_REF_TANH:
    return FUNCTION(tanh)(v);
  case UPW_REF_GELU:
    return v * FUNCTION(erfc)(-v * root) / 2;
  default:
    return v / (1 + FUNCTION(exp)(-twice * (v + (NUMBER)0.044715 * v * v * v)));
  }
}

static inline NUMBER NAME(parameter)(const void *from, int64_t channel) {
  const ELEMENT e = ((const ELEMENT *)from)[channel];
  return LOAD(e);
}

static void NAME(post)(const struct upw_ref_contract *p, NUMBER *v, int64_t n, int64_t channel,
                       int side_by_side, const void *const *inputs, int64_t at) {
  const void *const *residual = inputs + 1;
  const void *const *q = inputs + upw_ref_tensors(p) + (p->bias ? 2 : 1);
  for (int s = 0; s < p->post_count; s++) {
    const struct upw_ref_post *post = &p->post[s];
    const int kind = post->kind;
    for (int64_t i = 0; i < n; i++) {
      int64_t c = side_by_side ? channel + i : channel;
      if (kind == UPW_REF_ADD)
        v[i] += NAME(parameter)(*residual, at + i);
      else if (kind == UPW_REF_PRELU)
        v[i] *= v[i] < 0 ? NAME(parameter)(q[0], c) : 1;
      else if (kind == UPW_REF_BATCH_NORM)
        v[i] = (v[i] - NAME(parameter)(q[2], c)) *
                   (NAME(parameter)(q[0], c) /
                    FUNCTION(sqrt)(NAME(parameter)(q[3], c) + (NUMBER)p->eps)) +
               NAME(parameter)(q[1], c);
      else
        v[i] = NAME(bend)(post, v[i]);
    }
    residual += kind == UPW_REF_ADD;
    q += kind == UPW_REF_PRELU ? 1 : kind == UPW_REF_BATCH_NORM ? 4 : 0;
  }
}

static void NAME(put)(const struct upw_ref_contract *p, NUMBER *v, int64_t n, int64_t channel,
                      int side_by_side, const void *const *inputs, ELEMENT *y, int64_t at) {
  NAME(post)(p, v, n, channel, side_by_side, inputs, at);
  for (int64_t i = 0; i < n; i++) y[at + i] = STORE(v[i]);
}

// ---- one image

static void NAME(planar)(const struct NAME(layer) * l, const void *const *inputs, ELEMENT *y,
                         int64_t image) {
  const struct upw_ref_contract *p = l->p;
  const struct geometry *a = &l->at;
  const void *bias = p->bias ? inputs[upw_ref_tensors(p) + 1] : NULL;
  for (int64_t c = 0; c < p->groups * p->co; c++) {
    int64_t g = c / p->co, o = c % p->co;
    NUMBER start = bias ? NAME(parameter)(bias, c) : 0;
    for (int64_t i = 0; i < a->outputs; i++) l->sums[i] = start;
    for (int64_t i = 0; i < p->ci; i++) {
      int64_t pair = p->transposed ? (g * p->ci + i) * p->co + o : c * p->ci + i;
      NAME(add_plane)(l, l->x + (g * p->ci + i) * a->inputs, l->weight + pair * a->taps);
    }
    int64_t at = (image * p->groups * p->co + c) * a->outputs;
    NAME(put)(p, l->sums, a->outputs, c, 0, inputs, y, at);
  }
}

static void NAME(interleaved)(const struct NAME(layer) * l, const void *const *inputs, ELEMENT *y,
                              int64_t image) {
  const struct upw_ref_contract *p = l->p;
  const struct geometry *a = &l->at;
  const void *bias = p->bias ? inputs[upw_ref_tensors(p) + 1] : NULL;
  const int64_t channels = p->groups * p->co;
  const NUMBER *weight = l->weight;
  int64_t k[3];
  for (int64_t i = 0; i < a->outputs; i++)
    for (int64_t c = 0; c < channels; c++)
      l->sums[i * channels + c] = bias ? NAME(parameter)(bias, c) : 0;
  for (int64_t g = 0; g < p->groups; g++)
    for (k[0] = 0; k[0] < a->kernel[0]; k[0]++)
      for (k[1] = 0; k[1] < a->kernel[1]; k[1]++)
        for (k[2] = 0; k[2] < a->kernel[2]; k[2]++, weight += p->ci * p->co)
          NAME(add_matrix)(l, g, k, weight);
  for (int64_t i = 0; i < a->outputs; i++) NAME(put)
  (p, l->sums + i * channels, channels, 0, 1, inputs, y, (image * a->outputs + i) * channels);
}

// ---- the whole

static void NAME(numbers)(NUMBER *to, const ELEMENT *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = LOAD(from[i]);
}

// The weights in the order in which `interleaved` takes them.
static void NAME(reorder)(NUMBER *to, const struct upw_ref_contract *p, int64_t taps,
                          const ELEMENT *from) {
  for (int64_t g = 0; g < p->groups; g++)
    for (int64_t k = 0; k < taps; k++)
      for (int64_t i = 0; i < p->ci; i++)
        for (int64_t o = 0; o < p->co; o++) {
          int64_t pair = p->transposed ? (g * p->ci + i) * p->co + o : (g * p->co + o) * p->ci + i;
          *to++ = LOAD(from[pair * taps + k]);
        }
}

static int NAME(run)(const struct upw_ref_contract *p, const void *const *inputs, void *output) {
  struct NAME(layer) l = {.p = p, .at = geometry_of(p)};
  const ELEMENT *weight = inputs[upw_ref_tensors(p)];
  int64_t weights = p->groups * p->ci * p->co * l.at.taps, in = p->groups * p->ci * l.at.inputs;
  int64_t out = l.at.outputs * (p->planar ? 1 : p->groups * p->co);
  NUMBER *x = calloc((size_t)in + 1, sizeof *x), *w = calloc((size_t)weights + 1, sizeof *w);
  NUMBER *sums = calloc((size_t)out + 1, sizeof *sums);
  int status = x && w && sums ? UPW_OK : UPW_NO_MEMORY;
  l.x = x;
  l.weight = w;
  l.sums = sums;
  if (status == UPW_OK && p->planar) NAME(numbers)(w, weight, weights);
  if (status == UPW_OK && !p->planar) NAME(reorder)(w, p, l.at.taps, weight);
  for (int64_t n = 0; n < p->batch && status == UPW_OK; n++) {
    NAME(numbers)(x, (const ELEMENT *)inputs[0] + n * in, in);
    (p->planar ? NAME(planar) : NAME(interleaved))(&l, inputs, output, n);
  }
  free(x);
  free(w);
  free(sums);
  return status;
}

#undef NAME
#undef ELEMENT
#undef NUMBER
#undef LOAD
#undef STORE
#undef FUNCTION
