/* Jacobian blocks of a bundle adjustment, and second derivatives of Rosenbrock's function. */
#include "floor.h"

/* The gradient of one residual of one observation: by the camera (11 numbers), the point (3) and the weight. */
struct view {
    double n[3], q[3], crossed[3], p[2];
    double angle, c, s, along, depth, square, stretch, slope;
};

static inline struct view seen(const double *camera, const double *point, double angle, double c, double s)
{
    struct view v = {.angle = angle, .c = c, .s = s};
    double turned[3];
    for (int k = 0; k < 3; k++) {
        v.n[k] = camera[k] / angle;
        v.q[k] = point[k] - camera[3 + k];
        v.along += v.n[k] * v.q[k];
    }
    for (int k = 0; k < 3; k++) {
        int next = (k + 1) % 3, last = (k + 2) % 3;
        v.crossed[k] = v.n[next] * v.q[last] - v.n[last] * v.q[next];
        turned[k] = v.q[k] * c + v.crossed[k] * s + v.n[k] * v.along * (1 - c);
    }
    v.depth = turned[2];
    v.p[0] = turned[0] / v.depth, v.p[1] = turned[1] / v.depth;
    v.square = v.p[0] * v.p[0] + v.p[1] * v.p[1];
    v.stretch = 1 + camera[9] * v.square + camera[10] * v.square * v.square;
    v.slope = 2 * (camera[9] + 2 * camera[10] * v.square);
    return v;
}

static inline void residual_back(const struct view *v, const double *camera, double w, double feature, int row,
                                 double *gcamera, double *gpoint, double *gweight)
{
    double f = camera[6], p = v->p[row], a[2], h[3], hn = 0, hq = 0, hx = 0, mn = 0, g[3], m[3];
    for (int k = 0; k < 2; k++) {
        a[k] = w * f * (p * v->slope * v->p[k] + (k == row ? v->stretch : 0));
        h[k] = a[k] / v->depth;
    }
    h[2] = -(a[0] * v->p[0] + a[1] * v->p[1]) / v->depth;
    for (int k = 0; k < 3; k++) {
        hn += h[k] * v->n[k];
        hq += h[k] * v->q[k];
        hx += h[k] * v->crossed[k];
    }
    for (int k = 0; k < 3; k++) {
        int next = (k + 1) % 3, last = (k + 2) % 3;
        double tilt = hn * (1 - v->c), rest = v->along * (1 - v->c);
        g[k] = h[k] * v->c + v->s * (h[next] * v->n[last] - h[last] * v->n[next]) + v->n[k] * tilt;
        m[k] = v->s * (v->q[next] * h[last] - v->q[last] * h[next]) + h[k] * rest + v->q[k] * tilt;
        mn += m[k] * v->n[k];
    }
    double radial = -v->s * hq + v->c * hx + v->s * hn * v->along - mn / v->angle;
    for (int k = 0; k < 3; k++) {
        gcamera[k] = m[k] / v->angle + radial * v->n[k];
        gcamera[3 + k] = -g[k];
        gpoint[k] = g[k];
    }
    gcamera[6] = w * p * v->stretch;
    gcamera[7] = row == 0 ? w : 0;
    gcamera[8] = row == 1 ? w : 0;
    gcamera[9] = w * f * p * v->square;
    gcamera[10] = gcamera[9] * v->square;
    *gweight = p * v->stretch * f + camera[7 + row] - feature;
}

double bundle(long n, const double *cameras, const double *points, const double *weights, const double *features,
              double *gcamera0, double *gpoint0, double *gweight0, double *gcamera1, double *gpoint1, double *gweight1)
{
#pragma omp parallel for schedule(static)
    for (long begin = 0; begin < n; begin += BLOCK) {
        long m = shorter(BLOCK, n - begin);
        double angle[BLOCK], cosine[BLOCK], sine[BLOCK];
        for (long i = 0; i < m; i++) {
            const double *r = cameras + 11 * (begin + i);
            angle[i] = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
        }
        for (long i = 0; i < m; i++)
            cosine[i] = cos(angle[i]);
        for (long i = 0; i < m; i++)
            sine[i] = sin(angle[i]);
        for (long i = 0; i < m; i++) {
            long k = begin + i;
            const double *camera = cameras + 11 * k, *feature = features + 2 * k;
            struct view v = seen(camera, points + 3 * k, angle[i], cosine[i], sine[i]);
            residual_back(&v, camera, weights[k], feature[0], 0, gcamera0 + 11 * k, gpoint0 + 3 * k, gweight0 + k);
            residual_back(&v, camera, weights[k], feature[1], 1, gcamera1 + 11 * k, gpoint1 + 3 * k, gweight1 + k);
        }
    }
    return 0;
}

/* The Hessian of Rosenbrock's function, and its product with a vector. */
double rosenbrock_hessian(long n, const double *x, double *H)
{
    memset(H, 0, n * n * sizeof(double));
    for (long i = 0; i + 1 < n; i++) {
        H[i * n + i] += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
        H[(i + 1) * n + i + 1] += 200;
        H[i * n + i + 1] = H[(i + 1) * n + i] = -400 * x[i];
    }
    return 0;
}

double rosenbrock_product(long n, const double *x, const double *v, double *out)
{
    for (long i = 0; i < n; i++) {
        double s = 0;
        if (i + 1 < n)
            s += (1200 * x[i] * x[i] - 400 * x[i + 1] + 2) * v[i] - 400 * x[i] * v[i + 1];
        if (i > 0)
            s += 200 * v[i] - 400 * x[i - 1] * v[i - 1];
        out[i] = s;
    }
    return 0;
}
