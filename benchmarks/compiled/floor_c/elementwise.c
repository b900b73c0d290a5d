/* A chain of operations, and option prices. */
#include <omp.h>

#include "floor.h"

void use_threads(long number) { omp_set_num_threads(number); }

/* a = sin(a * y + x) - y, fifty times; the sum of a. */
double chain(long n, const double *x, const double *y, double *gx, double *gy)
{
    enum { STEPS = 50 };
    double total = 0;
#pragma omp parallel for schedule(static) reduction(+ : total) if (n > 2048)
    for (long begin = 0; begin < n; begin += BLOCK) {
        double a[STEPS + 1][BLOCK], p[STEPS][BLOCK], g[BLOCK], dx[BLOCK], dy[BLOCK];
        const double *X = x + begin, *Y = y + begin;
        long m = shorter(BLOCK, n - begin);
        for (long i = 0; i < m; i++) {
            a[0][i] = X[i];
            g[i] = 1;
            dx[i] = dy[i] = 0;
        }
        for (int k = 0; k < STEPS; k++)
            for (long i = 0; i < m; i++) {
                p[k][i] = a[k][i] * Y[i] + X[i];
                a[k + 1][i] = sin(p[k][i]) - Y[i];
            }
        for (long i = 0; i < m; i++)
            total += a[STEPS][i];
        for (int k = STEPS - 1; k >= 0; k--)
            for (long i = 0; i < m; i++) {
                double slope = g[i] * cos(p[k][i]);
                dy[i] += slope * a[k][i] - g[i];
                dx[i] += slope;
                g[i] = slope * Y[i];
            }
        for (long i = 0; i < m; i++) {
            gx[begin + i] = dx[i] + g[i];
            gy[begin + i] = dy[i];
        }
    }
    return total;
}

/* Prices of European calls, summed; the gradients are five greeks. */
double options(long n, const double *spot, const double *strike, const double *rate, const double *volatility,
               const double *time, double *gspot, double *gstrike, double *grate, double *gvolatility, double *gtime)
{
    const double HALF = 0.7071067811865476, DENSITY = 0.3989422804014327;
    double total = 0;
#pragma omp parallel for schedule(static) reduction(+ : total)
    for (long begin = 0; begin < n; begin += 4 * BLOCK) {
        double root[4 * BLOCK], d[4 * BLOCK], e[4 * BLOCK], discount[4 * BLOCK], density[4 * BLOCK];
        double above[4 * BLOCK], below[4 * BLOCK];
        const double *S = spot + begin, *K = strike + begin, *r = rate + begin, *v = volatility + begin, *T = time + begin;
        long m = shorter(4 * BLOCK, n - begin);
        for (long i = 0; i < m; i++)
            d[i] = log(S[i] / K[i]);
        for (long i = 0; i < m; i++) {
            root[i] = sqrt(T[i]);
            double width = v[i] * root[i];
            d[i] = (d[i] + (r[i] + 0.5 * v[i] * v[i]) * T[i]) / width;
            e[i] = d[i] - width;
        }
        for (long i = 0; i < m; i++)
            discount[i] = exp(-r[i] * T[i]);
        for (long i = 0; i < m; i++)
            density[i] = exp(-0.5 * d[i] * d[i]);
        for (long i = 0; i < m; i++)
            above[i] = erf(d[i] * HALF);
        for (long i = 0; i < m; i++)
            below[i] = erf(e[i] * HALF);
        for (long i = 0; i < m; i++) {
            double delta = 0.5 + 0.5 * above[i], held = discount[i] * (0.5 + 0.5 * below[i]), owed = K[i] * held;
            double vega = S[i] * DENSITY * density[i];
            total += S[i] * delta - owed;
            gspot[begin + i] = delta;
            gstrike[begin + i] = -held;
            grate[begin + i] = T[i] * owed;
            gvolatility[begin + i] = vega * root[i];
            gtime[begin + i] = vega * v[i] * 0.5 / root[i] + r[i] * owed;
        }
    }
    return total;
}
