/* SPDX-License-Identifier: MIT
 * Draws the resolution chart that the demo enlarges.
 *
 * usage: chart OUT.png [SCALE [X Y WIDTH HEIGHT]]
 * The chart is 480 x 320 pixels, times SCALE; or that part of it, in pixels of SCALE 1.
 * What it shows: a zone plate up to the finest frequency a picture can hold, a Siemens star, edges
 * five degrees off the grid, gratings, thin lines, small text, and smooth shades and colours. Each
 * part is a function of a real point; a pixel is the mean of a grid of points, so that the picture
 * has no steps that a real one would not have. Text and gratings keep to the pixel grid.
 */
#include "font.h"
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 480, HEIGHT = 320, SAMPLES = 6 };

struct colour {
  double r, g, b;
};

struct box {
  double x, y, width, height;
};

static const double pi = 3.14159265358979323846;
static const struct colour paper = {0.965, 0.96, 0.945};
static const struct colour ink = {0.09, 0.1, 0.13};

static struct colour grey(double v) {
  return (struct colour){v, v, v};
}

static struct colour mix(struct colour a, struct colour b, double t) {
  return (struct colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

static double clamp(double v) {
  return v < 0 ? 0 : v > 1 ? 1 : v;
}

static int inside(const struct box *b, double x, double y) {
  return x >= b->x && x < b->x + b->width && y >= b->y && y < b->y + b->height;
}

/* cos(pi r^2 / 2R): half a cycle a pixel, the most there is, at the rim. */
static struct colour zone_plate(double x, double y) {
  double radius = 0.5, r = hypot(x - 0.5, y - 0.5);
  if (r > radius) return paper;
  double pixels = r * 176;
  return grey(0.5 + 0.48 * cos(pi * pixels * pixels / 176));
}

static struct colour siemens_star(double x, double y) {
  double r = hypot(x - 0.5, y - 0.5);
  if (r > 0.5) return paper;
  double turn = atan2(y - 0.5, x - 0.5) / (2 * pi);
  return fmod(turn * 36 + 36, 1.0) < 0.5 ? ink : grey(1);
}

static struct colour slanted(double x, double y, struct colour front, struct colour back) {
  double angle = 5 * pi / 180, u = x - 0.5, v = y - 0.5;
  double a = u * cos(angle) + v * sin(angle), b = v * cos(angle) - u * sin(angle);
  return fabs(a) < 0.31 && fabs(b) < 0.31 ? front : back;
}

static struct colour edge_dark(double x, double y) {
  return slanted(x, y, ink, grey(1));
}

static struct colour edge_colour(double x, double y) {
  return slanted(x, y, (struct colour){0.1, 0.25, 0.75}, (struct colour){0.98, 0.82, 0.25});
}

/* Rays of 0.8 pixels from the lower left corner, three degrees apart. */
static struct colour fan(double x, double y) {
  double across = x * 132, up = (1 - y) * 72;
  double angle = atan2(up, across), step = 3 * pi / 180;
  double nearest = floor(angle / step + 0.5) * step;
  double distance = hypot(across, up) * fabs(sin(angle - nearest));
  return distance < 0.4 && hypot(across, up) > 14 ? ink : paper;
}

static struct colour rings(double x, double y) {
  double r = hypot(x - 0.5, y - 0.5) * 72;
  return r < 36 && fabs(fmod(r, 6) - 3) < 0.4 ? (struct colour){0.7, 0.1, 0.15} : paper;
}

static struct colour hue(double x, double y) {
  struct colour c = {clamp(fabs(x * 6 - 3) - 1), clamp(2 - fabs(x * 6 - 2)),
                     clamp(2 - fabs(x * 6 - 4))};
  return y < 0.5 ? mix(grey(1), c, y * 2) : mix(c, grey(0), (y - 0.5) * 2);
}

static struct colour grey_ramp(double x, double y) {
  return grey(y < 0.5 ? x : floor(x * 12) / 11);
}

/* A lit ball on a soft ground: the smooth shades of a photograph. */
static struct colour ball(double x, double y, struct colour c) {
  double u = (x - 0.5) * 2.3, v = (y - 0.5) * 2.3, rest = 1 - u * u - v * v;
  if (rest < 0) return mix(grey(0.78), grey(0.92), clamp(1 - y));
  double w = sqrt(rest), light = clamp(0.25 - 0.5 * u - 0.6 * v + 0.55 * w);
  double shine = pow(clamp(-0.45 * u - 0.55 * v + 0.7 * w), 24);
  struct colour lit = {c.r * light, c.g * light, c.b * light};
  return mix(lit, grey(1), 0.85 * shine);
}

static struct colour ball_red(double x, double y) {
  return ball(x, y, (struct colour){0.95, 0.25, 0.2});
}

static struct colour ball_green(double x, double y) {
  return ball(x, y, (struct colour){0.25, 0.75, 0.35});
}

static struct colour ball_blue(double x, double y) {
  return ball(x, y, (struct colour){0.3, 0.45, 0.95});
}

struct part {
  struct box box;
  struct colour (*shade)(double x, double y); /* of a point, 0 to 1 across the box */
};

static const struct part parts[] = {
    {{12, 34, 176, 176}, zone_plate}, {{200, 34, 112, 112}, siemens_star},
    {{324, 34, 70, 70}, edge_dark},   {{398, 34, 70, 70}, edge_colour},
    {{396, 108, 72, 72}, rings},      {{200, 188, 132, 72}, fan},
    {{340, 188, 40, 40}, ball_red},   {{384, 188, 40, 40}, ball_green},
    {{428, 188, 40, 40}, ball_blue},  {{12, 276, 224, 32}, hue},
    {{244, 276, 224, 32}, grey_ramp},
};

static struct colour shade(double x, double y) {
  for (size_t at = 0; at < sizeof parts / sizeof *parts; at++) {
    const struct box *b = &parts[at].box;
    if (inside(b, x, y)) return parts[at].shade((x - b->x) / b->width, (y - b->y) / b->height);
  }
  return paper;
}

static unsigned char byte(double v) {
  return (unsigned char)(clamp(v) * 255 + 0.5);
}

/* A window on the chart: the picture's first pixel is pixel (x, y) of the scaled chart. */
struct canvas {
  struct picture picture;
  int x, y, scale;
};

static void put(struct canvas *to, int x, int y, struct colour c) {
  struct picture *p = &to->picture;
  x -= to->x;
  y -= to->y;
  if (x < 0 || y < 0 || x >= p->width || y >= p->height) return;
  unsigned char *at = p->rgb + ((size_t)y * (size_t)p->width + (size_t)x) * 3;
  at[0] = byte(c.r);
  at[1] = byte(c.g);
  at[2] = byte(c.b);
}

static struct colour mean(double x, double y, double step) {
  struct colour sum = {0, 0, 0};
  double apart = step / (int)SAMPLES;
  for (int v = 0; v < SAMPLES; v++) {
    for (int u = 0; u < SAMPLES; u++) {
      struct colour c = shade(x + (u + 0.5) * apart, y + (v + 0.5) * apart);
      sum.r += c.r, sum.g += c.g, sum.b += c.b;
    }
  }
  double n = SAMPLES * SAMPLES;
  return (struct colour){sum.r / n, sum.g / n, sum.b / n};
}

static void fill(struct canvas *p, int x, int y, int width, int height, struct colour c) {
  for (int v = 0; v < height; v++)
    for (int u = 0; u < width; u++) put(p, x + u, y + v, c);
}

static const struct glyph *find_glyph(char letter) {
  for (size_t at = 0; at < sizeof font / sizeof *font; at++)
    if (font[at].letter == letter) return &font[at];
  return NULL;
}

static void text(struct canvas *p, int x, int y, int size, const char *line, struct colour c) {
  for (; *line; line++, x += (GLYPH_WIDTH + 1) * size) {
    const struct glyph *g = find_glyph(*line);
    for (int v = 0; g && v < GLYPH_HEIGHT; v++)
      for (int u = 0; u < GLYPH_WIDTH; u++)
        if (g->row[v] >> (GLYPH_WIDTH - 1 - u) & 1)
          fill(p, x + u * size, y + v * size, size, size, c);
  }
}

/* Bars of one, two, three, four pixels: upright above, lying below. */
static void gratings(struct canvas *p, int x, int y) {
  int scale = p->scale;
  int side = 24 * scale, high = 16 * scale;
  for (int bar = 1; bar <= 4; bar++) {
    int left = x + (bar - 1) * 28 * scale;
    for (int at = 0; at < side; at += 2 * bar * scale) {
      int thick = bar * scale < side - at ? bar * scale : side - at;
      fill(p, left + at, y, thick, high, ink);
      if (at < high) fill(p, left, y + 18 * scale + at, side, thick, ink);
    }
  }
}

static void labels(struct canvas *p) {
  int s = p->scale;
  text(p, 12 * s, 10 * s, 2 * s, "UPWEAVE", ink);
  text(p, 108 * s, 17 * s, s, "RESOLUTION CHART", grey(0.35));
  text(p, 324 * s, 112 * s, s, "EDGES 5", ink);
  text(p, 324 * s, 124 * s, s, "LINES 0.8", ink);
  text(p, 324 * s, 136 * s, s, "BARS 1-4", ink);
  text(p, 12 * s, 220 * s, s, "PACK MY BOX WITH FIVE DOZEN", ink);
  text(p, 12 * s, 231 * s, s, "LIQUOR JUGS: 0123456789.", (struct colour){0.75, 0.1, 0.1});
  text(p, 12 * s, 242 * s, s, "ROW 6 * 8, COLUMN 3/4 - END", (struct colour){0.1, 0.3, 0.75});
  fill(p, 12 * s, 253 * s, 176 * s, 15 * s, ink);
  text(p, 18 * s, 257 * s, s, "WHITE ON BLACK, TAPS 2-4-6", grey(1));
  text(p, 340 * s, 236 * s, 2 * s, "SHADES", ink);
  text(p, 340 * s, 256 * s, s, "SMOOTH, WITH A SHINE", ink);
}

static void draw(struct canvas *to) {
  double step = 1.0 / to->scale;
  for (int y = to->y; y < to->y + to->picture.height; y++)
    for (int x = to->x; x < to->x + to->picture.width; x++)
      put(to, x, y, mean(x * step, y * step, step));
  labels(to);
  gratings(to, 200 * to->scale, 150 * to->scale);
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3 && argc != 7) {
    fprintf(stderr, "usage: chart OUT.png [SCALE [X Y WIDTH HEIGHT]]\n");
    return 2;
  }
  int scale = argc > 2 ? atoi(argv[2]) : 1;
  if (scale < 1 || scale > 16) return 2;
  int window[4] = {0, 0, WIDTH, HEIGHT};
  for (int at = 3; at < argc; at++) window[at - 3] = atoi(argv[at]);
  struct canvas to = {.x = window[0] * scale, .y = window[1] * scale, .scale = scale};
  if (picture_new(&to.picture, window[2] * scale, window[3] * scale) != 0) return 1;
  draw(&to);
  int result = picture_write(&to.picture, argv[1]);
  picture_free(&to.picture);
  return result != 0;
}
