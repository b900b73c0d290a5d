"""Probabilities: likelihoods, filters, samplers."""

import numpy as np
from scipy import special
from tests.compiler.programs.table import program

import wengert as wg


def _mixture(r):
    n, d, k = 12, 3, 4
    return r.normal(size=k), r.normal(size=(k, d)), r.normal(size=(k, d * (d + 1) // 2)), r.normal(size=(n, d))


@program(_mixture, argnums=(0, 1, 2))
def gaussian_mixture(alphas, means, factors, x):
    """The ADBench objective: factors hold the logarithms of the diagonal, then the strict lower part by columns."""
    n, d = x.shape
    total = 0.0
    diagonals = np.exp(factors[:, :d])
    main = []
    for k in range(len(alphas)):
        lower = np.zeros_like(x, shape=(d, d)) * diagonals[0, 0]
        at = d
        for i in range(d):
            lower[i, i] = diagonals[k, i]
            for j in range(i + 1, d):
                lower[j, i] = factors[k, at]
                at += 1
        moved = (x - means[k]) @ lower.T
        main.append(alphas[k] + np.sum(factors[k, :d]) - 0.5 * np.sum(moved**2, axis=1))
        total = total + 0.5 * np.sum(lower**2) - 2 * np.sum(factors[k, :d])
    main = np.stack(main)
    peak = np.max(main, axis=0)
    rows = np.log(np.sum(np.exp(main - peak), axis=0)) + peak
    return np.sum(rows) - n * np.log(np.sum(np.exp(alphas))) - total


def _chain(r):
    return r.normal(size=(3, 3)), r.normal(size=3), r.integers(0, 4, 9), r.normal(size=(3, 4))


@program(_chain, argnums=(0, 1, 3))
def hidden_markov_forward(transition, start, seen, emission):
    """The likelihood of observations, by the recursion in logarithms."""
    log_t = transition - wg.logsumexp(transition, axis=1, keepdims=True)
    log_e = emission - wg.logsumexp(emission, axis=1, keepdims=True)
    alpha = start - wg.logsumexp(start) + log_e[:, seen[0]]
    for symbol in seen[1:]:
        alpha = wg.logsumexp(alpha[:, None] + log_t, axis=0) + log_e[:, symbol]
    return wg.logsumexp(alpha)


@program(_chain, argnums=None)
def viterbi(transition, start, seen, emission):
    """The likeliest states: choices by the largest value, followed back."""
    best = start + emission[:, seen[0]]
    back = []
    for symbol in seen[1:]:
        scores = best[:, None] + transition
        back.append(np.argmax(scores, axis=0))
        best = np.max(scores, axis=0) + emission[:, symbol]
    state = int(np.argmax(best))
    path = [state]
    for pointers in reversed(back):
        state = int(pointers[state])
        path.append(state)
    return np.array(path[::-1]), np.max(best)


def _tracking(r):
    return 0.1 + r.random(2), r.normal(size=(8, 1)).cumsum(0), 0.1


@program(_tracking)
def kalman_filter(noise, seen, dt):
    """The likelihood of a walk seen through noise."""
    move = np.array([[1.0, dt], [0.0, 1.0]])
    look = np.array([[1.0, 0.0]])
    mean, cov = np.zeros(2), np.eye(2)
    loss = 0.0
    for y in seen:
        mean = move @ mean
        cov = move @ cov @ move.T + noise[0] * np.eye(2)
        rest = y - look @ mean
        spread = look @ cov @ look.T + noise[1] * np.eye(1)
        gain = np.linalg.solve(spread, look @ cov).T
        mean = mean + gain @ rest
        cov = (np.eye(2) - gain @ look) @ cov
        loss = loss + 0.5 * (rest @ np.linalg.solve(spread, rest) + np.log(np.linalg.det(spread)))
    return loss


def _process(r):
    return r.normal(size=3), r.normal(size=(7, 2)), r.normal(size=7)


@program(_process, second=True)
def gaussian_process(p, x, y):
    """The negative log marginal likelihood of a squared-exponential kernel."""
    scale, length, noise = np.exp(p)
    apart = x[:, None, :] - x[None, :, :]
    k = scale * np.exp(-0.5 * np.sum(apart**2, axis=-1) / length**2) + (noise + 1e-6) * np.eye(len(x))
    factor = np.linalg.cholesky(k)
    white = np.linalg.solve(factor, y)
    return 0.5 * white @ white + np.sum(np.log(np.diag(factor))) + 0.5 * len(x) * np.log(2 * np.pi)


def _regression(r):
    return (
        {"w": r.normal(size=4), "b": r.normal(), "log_s": 0.1 * r.normal()},
        r.normal(size=(10, 4)),
        r.normal(size=10),
    )


@program(_regression)
def bayesian_regression(p, x, y):
    """A log-posterior over a dictionary of parameters."""
    error = (y - x @ p["w"] - p["b"]) / np.exp(p["log_s"])
    return -0.5 * np.sum(error**2) - len(y) * p["log_s"] - 0.5 * np.sum(p["w"] ** 2) - 0.05 * p["b"] ** 2


@program(lambda r: (r.normal(size=3), r.normal(size=3), r.random(), 0.1), argnums=None)
def hamiltonian_step(q, p, u, size):
    """Leapfrog steps by the gradient of the energy, and the choice whether to go there."""

    def energy(x):
        return 0.5 * np.sum(x**2) + np.sum(np.cos(x[1:] - x[:-1]))

    force = wg.grad(energy)
    before = energy(q) + 0.5 * p @ p
    x, v = q, p - 0.5 * size * force(q)
    for _ in range(4):
        x = x + size * v
        v = v - size * force(x)
    v = v + 0.5 * size * force(x)
    if np.log(u) < before - energy(x) - 0.5 * v @ v:
        return x, True
    return q, False


@program(lambda r: (r.normal(size=5), r.integers(0, 3, 8), r.normal(size=(8, 5))), argnums=0, second=True)
def ordered_choice(w, level, x):
    """An ordered logit model: categories between cut points."""
    cuts = np.array([-np.inf, -0.5, 0.7, np.inf])
    score = x @ w
    above, below = special.expit(cuts[level + 1] - score), special.expit(cuts[level] - score)
    return -np.sum(np.log(np.maximum(above - below, 1e-12)))


@program(lambda r: (r.normal(size=2), r.poisson(3, 20)), second=True)
def negative_binomial(p, counts):
    """Counts with a spread of their own: the gamma function's logarithm."""
    mean, size = np.exp(p)
    return -np.sum(
        special.gammaln(counts + size)
        - special.gammaln(size)
        - special.gammaln(counts + 1.0)
        + size * np.log(size / (size + mean))
        + counts * np.log(mean / (size + mean))
    )


@program(lambda r: (r.normal(size=(6, 2)), r.integers(0, 2, 6).astype(bool)))
def censored_survival(p, died):
    """A Weibull model where some have only been watched for a while."""
    shape, scale = np.exp(0.2 * p[:, 0]), np.exp(p[:, 1])
    t = np.linspace(0.5, 3.0, len(p))
    hazard = (t / scale) ** shape
    density = np.log(shape / scale) + (shape - 1) * np.log(t / scale) - hazard
    return np.sum(np.where(died, density, -hazard))


@program(lambda r: (r.normal(size=4), r.normal(size=(4, 4)), r.normal(size=(5, 4))))
def black_box_variational(mean, spread, draws):
    """The evidence bound of a Gaussian with a full covariance, by reparametrised draws."""
    factor = np.tril(spread, -1) + np.diag(np.exp(np.diag(spread)))
    z = mean + draws @ factor.T
    target = -0.5 * np.sum(z**2, axis=1) - 0.1 * np.sum(z**4, axis=1)
    return np.mean(target) + np.sum(np.diag(spread))


@program(lambda r: (r.normal(size=(6,)), r.normal(size=(9, 6)), r.random(9)))
def importance_weights(w, features, u):
    """Systematic resampling: positions found in a cumulated distribution."""
    score = features @ w
    weights = np.exp(score - np.max(score))
    weights = weights / np.sum(weights)
    edges = np.cumsum(weights)
    places = np.minimum(np.searchsorted(edges, (np.arange(9) + u[0]) / 9), 8)
    return np.sum(score[places]) - 1 / np.sum(weights**2)
