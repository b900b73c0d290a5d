/* Programs with loops over time. */
#include "floor.h"

/* A stack of LSTM layers without products of matrices, which predicts the next letter. A layer keeps for the way back:
 * its gates, what would go into the cell, its input, its state before, and tanh of the cell. */
enum { FORGET, TAKE, GIVE, NEW, INPUT, HIDDEN, CELL, TANH, KEPT };

static double logistic_function(double x) { return 1 / (1 + exp(-x)); }

static void layer(long b, const double *w, double *x, double *hidden, double *cell, double *kept)
{
    const double *bias = w + 4 * b;
    for (long i = 0; i < b; i++) {
        kept[INPUT * b + i] = x[i], kept[HIDDEN * b + i] = hidden[i], kept[CELL * b + i] = cell[i];
        kept[FORGET * b + i] = logistic_function(x[i] * w[i] + bias[i]);
        kept[TAKE * b + i] = logistic_function(hidden[i] * w[b + i] + bias[b + i]);
        kept[GIVE * b + i] = logistic_function(x[i] * w[2 * b + i] + bias[2 * b + i]);
        kept[NEW * b + i] = tanh(hidden[i] * w[3 * b + i] + bias[3 * b + i]);
        cell[i] = cell[i] * kept[FORGET * b + i] + kept[TAKE * b + i] * kept[NEW * b + i];
        kept[TANH * b + i] = tanh(cell[i]);
        hidden[i] = x[i] = kept[GIVE * b + i] * kept[TANH * b + i];
    }
}

/* `back` comes as the gradient of the layer's output, and goes as that of its input. */
static void layer_back(long b, const double *w, const double *kept, double *back, double *ghidden, double *gcell,
                       double *gw)
{
    double *gbias = gw + 4 * b;
    for (long i = 0; i < b; i++) {
        double f = kept[FORGET * b + i], t = kept[TAKE * b + i], o = kept[GIVE * b + i], h = kept[NEW * b + i];
        double tanh_cell = kept[TANH * b + i], x = kept[INPUT * b + i], hidden = kept[HIDDEN * b + i];
        double g = ghidden[i] + back[i], gc = gcell[i] + g * o * (1 - tanh_cell * tanh_cell);
        double gf = gc * kept[CELL * b + i] * f * (1 - f), gt = gc * h * t * (1 - t);
        double go = g * tanh_cell * o * (1 - o), gh = gc * t * (1 - h * h);
        gw[i] += gf * x, gw[b + i] += gt * hidden, gw[2 * b + i] += go * x, gw[3 * b + i] += gh * hidden;
        gbias[i] += gf, gbias[b + i] += gt, gbias[2 * b + i] += go, gbias[3 * b + i] += gh;
        ghidden[i] = gt * w[b + i] + gh * w[3 * b + i];
        gcell[i] = gc * f;
        back[i] = gf * w[i] + go * w[2 * b + i];
    }
}

/* How well the next letter is predicted, and the gradient of that by the prediction. */
static double prediction(long b, const double *x, const double *extra, const double *next, double *gy)
{
    double y[b], sum = 2, wanted = 0, total = 0;
    for (long i = 0; i < b; i++) {
        y[i] = x[i] * extra[b + i] + extra[2 * b + i];
        sum += gy[i] = exp(y[i]);
    }
    double normaliser = log(sum);
    for (long i = 0; i < b; i++) {
        total += next[i] * (y[i] - normaliser);
        wanted += next[i];
    }
    for (long i = 0; i < b; i++)
        gy[i] = next[i] - wanted * gy[i] / sum;
    return total;
}

double lstm(long layers, long T, long b, const double *weights, const double *extra, const double *start,
            const double *letters, double *gweights, double *gextra)
{
    long record = (layers * KEPT + 2) * b, state = 2 * layers * b;
    double *tape = malloc((T - 1) * record * sizeof(double)), *now = malloc(state * sizeof(double));
    double *gnow = calloc(state, sizeof(double)), x[b], total = 0, scale = -1.0 / ((T - 1) * b);
    memcpy(now, start, state * sizeof(double));
    for (long t = 0; t + 1 < T; t++) {
        double *kept = tape + t * record, *last = kept + layers * KEPT * b;
        for (long i = 0; i < b; i++)
            x[i] = letters[t * b + i] * extra[i];
        for (long k = 0; k < layers; k++)
            layer(b, weights + 8 * k * b, x, now + 2 * k * b, now + (2 * k + 1) * b, kept + k * KEPT * b);
        memcpy(last, x, b * sizeof(double));
        total += prediction(b, x, extra, letters + (t + 1) * b, last + b);
    }
    memset(gweights, 0, 8 * layers * b * sizeof(double));
    memset(gextra, 0, 3 * b * sizeof(double));
    for (long t = T - 2; t >= 0; t--) {
        const double *kept = tape + t * record, *last = kept + layers * KEPT * b;
        for (long i = 0; i < b; i++) {
            double g = last[b + i] * scale;
            gextra[2 * b + i] += g;
            gextra[b + i] += g * last[i];
            x[i] = g * extra[b + i];
        }
        for (long k = layers - 1; k >= 0; k--)
            layer_back(b, weights + 8 * k * b, kept + k * KEPT * b, x, gnow + 2 * k * b, gnow + (2 * k + 1) * b,
                       gweights + 8 * k * b);
        for (long i = 0; i < b; i++)
            gextra[i] += x[i] * letters[t * b + i];
    }
    free(tape), free(now), free(gnow);
    return total * scale;
}

/* Halve while above 1, then take one of two turns; what was taken is remembered for the way back. */
double orbit(long steps, double x, double y, double *slope_x, double *slope_y)
{
    struct step { double before, inside; int halved, turned; } *tape = malloc(steps * sizeof *tape);
    double a = x, total = x, ga = 0, gx = 1, gy = 0;
    for (long i = 0; i < steps; i++) {
        struct step *now = tape + i;
        now->before = a;
        now->halved = 0;
        a = a * y + x;
        for (; a > 1; a *= 0.5)
            now->halved++;
        now->inside = a;
        now->turned = a > 0.6;
        a = now->turned ? sin(a) - x : a + 0.25;
        total += a;
    }
    for (struct step *now = tape + steps; now-- > tape;) {
        ga += 1;
        if (now->turned) {
            gx -= ga;
            ga *= cos(now->inside);
        }
        for (int i = 0; i < now->halved; i++)
            ga *= 0.5;
        gy += ga * now->before;
        gx += ga;
        ga *= y;
    }
    *slope_x = gx + ga;
    *slope_y = gy;
    free(tape);
    return total;
}
