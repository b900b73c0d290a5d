/* Statistical models. */
#include "floor.h"

/* Logistic loss of n rows in d columns, with a quadratic penalty; the matrix is read once. */
static inline __attribute__((always_inline)) double logistic_of(long n, const long d, double penalty, const double *w,
                                                                const double *X, const double *y, double *gw)
{
    double total = 0, *sums = calloc(d, sizeof(double));
#pragma omp parallel reduction(+ : total)
    {
        double own[d], z[BLOCK], residual[BLOCK];
        memset(own, 0, sizeof own);
#pragma omp for schedule(static)
        for (long begin = 0; begin < n; begin += BLOCK) {
            long m = shorter(BLOCK, n - begin);
            for (long i = 0; i < m; i++) {
                const double *row = X + (begin + i) * d;
                double s = 0;
                for (long j = 0; j < d; j++)
                    s += row[j] * w[j];
                z[i] = s;
            }
            for (long i = 0; i < m; i++) {
                double e = exp(-fabs(z[i])), label = y[begin + i];
                total += (z[i] > 0 ? z[i] : 0) + log1p(e) - label * z[i];
                residual[i] = (z[i] > 0 ? 1 : e) / (1 + e) - label;
            }
            for (long i = 0; i < m; i++) {
                const double *row = X + (begin + i) * d;
                for (long j = 0; j < d; j++)
                    own[j] += residual[i] * row[j];
            }
        }
#pragma omp critical
        for (long j = 0; j < d; j++)
            sums[j] += own[j];
    }
    double squares = 0;
    for (long j = 0; j < d; j++) {
        gw[j] = sums[j] / n + penalty * w[j];
        squares += w[j] * w[j];
    }
    free(sums);
    return total / n + 0.5 * penalty * squares;
}

double logistic(long n, long d, double penalty, const double *w, const double *X, const double *y, double *gw)
{
    return d == 50 ? logistic_of(n, 50, penalty, w, X, y, gw) : logistic_of(n, d, penalty, w, X, y, gw);
}

/* The logarithm of a sum of exponentials over a small vector, and its gradient. */
static double log_sum_exp(long n, const double *x, double *share)
{
    double top = x[0], sum = 0;
    for (long i = 1; i < n; i++)
        top = x[i] > top ? x[i] : top;
    for (long i = 0; i < n; i++)
        sum += share[i] = exp(x[i] - top);
    for (long i = 0; i < n; i++)
        share[i] /= sum;
    return log(sum) + top;
}

/* A mixture of K normal densities in d dimensions: their means, lower triangular inverse square roots of their
 * covariances, and what does not depend on the point. */
struct densities {
    long d, K;
    const double *means;
    double *L, *offset;
};

/* What one thread needs: a block of points, the same around each mean, turned by L; densities; sums of gradients. */
struct scratch {
    double (*x)[BLOCK], (*centred)[BLOCK], (*turned)[BLOCK], (*density)[BLOCK];
    double *goffset, *gmeans, *gL;
};

/* The points around one mean. */
static void centre(const struct densities *all, struct scratch *own, long k)
{
    for (long j = 0; j < all->d; j++)
        for (int i = 0; i < BLOCK; i++)
            own->centred[j][i] = own->x[j][i] - all->means[k * all->d + j];
}

/* The logarithm of one density: offset - |L (x - mean)|^2 / 2; L (x - mean) is kept. */
static void forward(const struct densities *all, struct scratch *own, long k)
{
    long d = all->d;
    const double *L = all->L + k * d * d;
    double half[BLOCK] = {0};
    centre(all, own, k);
    for (long r = 0; r < d; r++) {
        double t[BLOCK] = {0};
        for (long j = 0; j <= r; j++)
            for (int i = 0; i < BLOCK; i++)
                t[i] += L[r * d + j] * own->centred[j][i];
        for (int i = 0; i < BLOCK; i++) {
            own->turned[k * d + r][i] = t[i];
            half[i] += 0.5 * t[i] * t[i];
        }
    }
    for (int i = 0; i < BLOCK; i++)
        own->density[k][i] = all->offset[k] - half[i];
}

/* Its gradients, weighted by the shares that the points have in it. */
static void backward(const struct densities *all, struct scratch *own, long k, const double *share)
{
    long d = all->d;
    const double *L = all->L + k * d * d;
    double back[d][BLOCK], *gL = own->gL + k * d * d;
    memset(back, 0, sizeof back);
    centre(all, own, k);
    for (int i = 0; i < BLOCK; i++)
        own->goffset[k] += share[i];
    for (long r = 0; r < d; r++) {
        double t[BLOCK];
        for (int i = 0; i < BLOCK; i++)
            t[i] = share[i] * own->turned[k * d + r][i];
        for (long j = 0; j <= r; j++) {
            double s = 0;
            for (int i = 0; i < BLOCK; i++) {
                s += t[i] * own->centred[j][i];
                back[j][i] += L[r * d + j] * t[i];
            }
            gL[r * d + j] -= s;
        }
    }
    for (long j = 0; j < d; j++)
        for (int i = 0; i < BLOCK; i++)
            own->gmeans[k * d + j] += back[j][i];
}

/* The log-likelihood of one block of m points. */
static double likelihood(const struct densities *all, struct scratch *own, const double *points, long m)
{
    double total = 0, top[BLOCK], sum[BLOCK] = {0}, share[BLOCK];
    for (long j = 0; j < all->d; j++)
        for (long i = 0; i < BLOCK; i++)
            own->x[j][i] = i < m ? points[i * all->d + j] : 0;
    for (long k = 0; k < all->K; k++) {
        forward(all, own, k);
        for (int i = 0; i < BLOCK; i++)
            top[i] = k && top[i] > own->density[k][i] ? top[i] : own->density[k][i];
    }
    for (long k = 0; k < all->K; k++)
        for (int i = 0; i < BLOCK; i++)
            sum[i] += own->density[k][i] = exp(own->density[k][i] - top[i]);
    for (long i = 0; i < m; i++)
        total += log(sum[i]) + top[i];
    for (long i = 0; i < BLOCK; i++)
        sum[i] = i < m ? 1 / sum[i] : 0;
    for (long k = 0; k < all->K; k++) {
        for (int i = 0; i < BLOCK; i++)
            share[i] = own->density[k][i] * sum[i];
        backward(all, own, k, share);
    }
    return total;
}

/* The log-likelihood of all points; `sums` gets the gradients of offsets, means and L, one after the other. */
static double likelihoods(const struct densities *all, long n, const double *points, double *sums)
{
    long d = all->d, K = all->K, size = K * (1 + d + d * d);
    double total = 0;
#pragma omp parallel reduction(+ : total)
    {
        double(*blocks)[BLOCK] = aligned_alloc(64, (2 * d + K * d + K) * sizeof *blocks);
        double *own_sums = calloc(size, sizeof(double));
        struct scratch own = {blocks,          blocks + d,   blocks + 2 * d,  blocks + 2 * d + K * d,
                              own_sums, own_sums + K, own_sums + K + K * d};
#pragma omp for schedule(static)
        for (long begin = 0; begin < n; begin += BLOCK)
            total += likelihood(all, &own, points + begin * d, shorter(BLOCK, n - begin));
#pragma omp critical
        for (long i = 0; i < size; i++)
            sums[i] += own_sums[i];
        free(blocks), free(own_sums);
    }
    return total;
}

/* The same with a prior. `factors` holds for each density the logarithms of L's diagonal, then the rest by columns. */
double mixture(long n, long d, long K, const double *weights, const double *means, const double *factors,
               const double *points, double *gweights, double *gmeans, double *gfactors)
{
    long packed = d * (d + 1) / 2;
    double *L = calloc(K * d * d, sizeof(double)), *offset = malloc(K * sizeof(double));
    double *share = malloc(K * sizeof(double)), *sums = calloc(K * (1 + d + d * d), sizeof(double));
    for (long k = 0; k < K; k++) {
        const double *f = factors + k * packed;
        offset[k] = weights[k];
        for (long j = 0, next = d; j < d; j++) {
            offset[k] += f[j];
            L[(k * d + j) * d + j] = exp(f[j]);
            for (long i = j + 1; i < d; i++)
                L[(k * d + i) * d + j] = f[next++];
        }
    }
    struct densities all = {d, K, means, L, offset};
    double total = likelihoods(&all, n, points, sums) - n * log_sum_exp(K, weights, share);
    const double *gL = sums + K + K * d;
    memcpy(gmeans, sums + K, K * d * sizeof(double));
    for (long k = 0; k < K; k++) {
        const double *f = factors + k * packed;
        double *gf = gfactors + k * packed;
        gweights[k] = sums[k] - n * share[k];
        for (long j = 0, next = d; j < d; j++) {
            double diagonal = L[(k * d + j) * d + j];
            gf[j] = sums[k] + (gL[(k * d + j) * d + j] + diagonal) * diagonal;
            total += 0.5 * diagonal * diagonal;
            for (long i = j + 1; i < d; i++, next++) {
                gf[next] = gL[(k * d + i) * d + j] + f[next];
                total += 0.5 * f[next] * f[next];
            }
        }
    }
    free(L), free(offset), free(share), free(sums);
    return total;
}

/* Log-posterior of groups of measurements around one mean: p = mean, log of the spread, a level for each group. Many
 * times over, so that the way into C does not count. */
double posterior(long times, long groups, const double *p, const double *y, const double *error, double *gp)
{
    double total = 0;
    for (long t = 0; t < times; t++) {
        double mean = p[0], spread = exp(p[1]), square = 1 / (spread * spread);
        double gmean = -0.04 * mean, gspread = 1 - 0.04 * spread * spread;
        total = p[1] - 0.02 * mean * mean - 0.02 * spread * spread;
        for (long j = 0; j < groups; j++) {
            double level = p[2 + j], miss = (y[j] - level) / error[j], away = level - mean;
            total -= 0.5 * miss * miss + 0.5 * away * away * square + p[1];
            gmean += away * square;
            gspread += away * away * square - 1;
            gp[2 + j] = miss / error[j] - away * square;
        }
        gp[0] = gmean;
        gp[1] = gspread;
        __asm__ volatile("" ::: "memory"); /* the next time is not the same to the compiler */
    }
    return total;
}
