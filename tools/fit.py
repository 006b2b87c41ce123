#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints generator/lower/coefficients.lua: the numbers of the functions of the epilogues.

    python3 tools/fit.py > generator/lower/coefficients.lua      (needs mpmath; ten seconds)

Each function is the quotient of two polynomials P/Q, or a polynomial, whose greatest weighted
error on an interval is the least (Remez' exchange). For m + n + 2 points of alternating error the
level E and Q solve a definite eigenvalue problem: with lambda = 1 / prod(x_i - x_k) the sums
sum_i lambda_i x_i^j P(x_i) vanish for all j <= n, which leaves A q = E B q. Of its solutions the
one counts whose Q has no zero between the points. Everything is calculated with 70 digits and
rounded once, at the end; nothing is random.
"""

import re

import mpmath as mp

mp.mp.dps = 70
GRID = 800


def value(c, x):
    """The polynomial of ascending coefficients c at x."""
    return mp.polyval(c[::-1], x)


def levelled(points, m, n):
    """P, Q of degrees m, n whose errors at the points (x, f, weight) are equal and alternate."""
    lam = [mp.fprod(1 / (a[0] - b[0]) for b in points if b is not a) for a in points]
    size = n + 1
    a, b = mp.matrix(size), mp.matrix(size)
    for j in range(size):
        for k in range(size):
            a[j, k] = mp.fsum(s * f * x ** (j + k) for s, (x, f, w) in zip(lam, points))
            b[j, k] = mp.fsum(abs(s) * w * x ** (j + k) for s, (x, f, w) in zip(lam, points))
    inverse = mp.cholesky(b) ** -1
    levels, vectors = mp.eigsy(inverse * a * inverse.T)
    for t in sorted(range(size), key=lambda t: abs(levels[t])):
        q = list(inverse.T * vectors[:, t])
        signs = {mp.sign(value(q, x)) for x, _, _ in points}
        if len(signs) == 1:
            break
    chosen = list(zip(lam, points))[: m + 1]
    powers = mp.matrix([[x ** k for k in range(m + 1)] for _, (x, f, w) in chosen])
    wanted = mp.matrix([(f - mp.sign(s) * levels[t] * w) * value(q, x) for s, (x, f, w) in chosen])
    p = list(mp.lu_solve(powers, wanted))
    return [c / q[0] for c in p], [c / q[0] for c in q], abs(levels[t])


def extrema(points, p, q):
    """The points of the greatest error of each sign in turn, and the greatest error of all."""
    found, worst = [], 0
    for point in points:
        x, f, w = point
        error = (value(p, x) / value(q, x) - f) / w
        worst = max(worst, abs(error))
        if found and (found[-1][0] > 0) == (error > 0):
            if abs(error) > abs(found[-1][0]):
                found[-1] = (error, point)
        else:
            found.append((error, point))
    return found, worst


def fit(f, weight, lo, hi, m, n=0, squares=False):
    """P, Q and the greatest error on [lo, hi]; `squares` puts more points near lo."""
    def at(t):
        x = lo + (hi - lo) * ((1 - mp.cos(mp.pi * t)) / 2) ** (2 if squares else 1)
        return x, f(x), weight(x)
    points = [at(mp.mpf(i) / GRID) for i in range(GRID + 1)]
    count = m + n + 2
    reference = [at(mp.mpf(i) / (count - 1)) for i in range(count)]
    for _ in range(40):
        p, q, level = levelled(reference, m, n)
        found, worst = extrema(points, p, q)
        if worst < level * 1.001:
            return p, q, worst
        while len(found) > count:
            del found[0 if abs(found[0][0]) < abs(found[-1][0]) else -1]
        reference = [point for _, point in found]
    raise ArithmeticError("no convergence")


def tanh_ratio(z):
    return mp.tanh(mp.sqrt(z)) / mp.sqrt(z) if z else mp.mpf(1)


def normal_ratio(z):
    return mp.ncdf(mp.sqrt(z)) / mp.sqrt(z) - 1 / (2 * mp.sqrt(z)) if z else 1 / mp.sqrt(2 * mp.pi)


def decay_ratio(r):
    return mp.expm1(-r) / r if r else mp.mpf(-1)


TYPES = {   # degrees, ends of the intervals, digits of the first part of ln 2, format
    "f32": dict(tanh=(5, 4, 9.1), normal=(5, 5, 5.5), decay=5, digits=12, bits=24),
    "f64": dict(tanh=(10, 9, 19.1), normal=(13, 13, 8.4), decay=11, digits=40, bits=53),
}


def text(c, bits):
    """A number rounded to a format, as Lua writes it."""
    with mp.workprec(bits):
        return re.sub(r"\.?0*p\+?", "p", float(+mp.mpf(c)).hex())


def rows(name, coefficients, bits):
    words = [text(c, bits) for c in coefficients]
    per = 3 if bits > 24 else 5
    lines = [", ".join(words[i:i + per]) for i in range(0, len(words), per)]
    return f"    {name} = {{\n" + "".join(f"      {line},\n" for line in lines) + "    },\n"


def quotient(name, f, weight, m, n, reach, bits):
    p, q, error = fit(f, weight, 0, mp.mpf(reach) ** 2, m, n, squares=True)
    return (f"    -- to |x| = {reach}, error 2^{float(mp.log(error, 2)):.1f}\n"
            + rows(name + "_p", p, bits) + rows(name + "_q", q, bits))


def exponential(degree, digits, bits):
    half = mp.log(2) / 2 * mp.mpf("1.01")
    p, _, error = fit(decay_ratio, lambda r: mp.exp(-r) / max(abs(r), mp.mpf("1e-4")), -half, half,
                      degree - 1)
    with mp.workprec(digits):
        high = mp.log(2) + 0
    return (f"    -- to |r| = ln(2)/2 and a little more, error 2^{float(mp.log(error, 2)):.1f}\n"
            + rows("decay", [1] + p, bits)
            + f"    log2e = {text(1 / mp.log(2), bits)},\n"
            + f"    ln2 = {{ {text(high, bits)}, {text(mp.log(2) - high, bits)} }},\n")


print("""-- COEFFICIENTS
-- ============
-- Polynomials of lower/functions.lua in ascending powers, made by tools/fit.py (which says how): do
-- not edit.  decay is e^-r, with ln 2 in two parts; tanh and normal are quotients p/q in x^2 that
-- x is multiplied by: tanh x (relative error), and the normal distribution less a half (absolute
-- error, that of small x times x).

return {""")
for elem, t in TYPES.items():
    print(f"  {elem} = {{\n"
          + exponential(t["decay"], t["digits"], t["bits"])
          + quotient("tanh", tanh_ratio, tanh_ratio, *t["tanh"], t["bits"])
          + quotient("normal", normal_ratio, lambda z: 1 / max(1, mp.sqrt(z)), *t["normal"],
                     t["bits"])
          + "  },")
print("}")
