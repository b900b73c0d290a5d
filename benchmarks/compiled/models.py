"""Statistical models: a Gaussian mixture, a logistic regression, a hierarchical posterior."""

import numpy as np

from .workload import Workload, differentiated

# Gaussian mixture ------------------------------------------------------------------------------------------------


def mixture_data(points, dimensions, components):
    """Weights, means, packed inverse square roots of the covariances, and the points."""
    random = np.random.default_rng(8)
    packed = dimensions * (dimensions + 1) // 2
    return (
        random.standard_normal(components),
        random.uniform(size=(components, dimensions)),
        0.3 * random.standard_normal((components, packed)),
        random.standard_normal((points, dimensions)),
    )


def below_diagonal(d):
    """Where each entry of a triangular matrix is packed, and which entries there are."""
    index, mask = np.zeros((d, d), int), np.tri(d, k=-1)
    columns, rows = np.triu_indices(d, k=1)  # column by column
    index[rows, columns] = np.arange(d, d + len(rows))
    return index.ravel(), mask


def log_likelihood(system, points, dimensions, components):
    xp, d, logsumexp = system.np, dimensions, system.logsumexp
    index, mask = map(system.constant, below_diagonal(d))
    eye = system.constant(np.eye(d))

    def f(weights, means, factors, x):
        diagonal = xp.exp(factors[:, :d])
        lower = factors[:, index].reshape((components, d, d)) * mask + diagonal[:, :, None] * eye
        turned = (x[None] - means[:, None]) @ xp.swapaxes(lower, -1, -2)
        scale = weights + xp.sum(factors[:, :d], axis=1)
        density = scale[:, None] - 0.5 * xp.sum(turned * turned, axis=2)
        prior = 0.5 * (xp.sum(diagonal * diagonal) + xp.sum(factors[:, d:] ** 2))
        return xp.sum(logsumexp(density, 0)) - points * logsumexp(weights, 0) + prior

    return f


mixture = differentiated(3, "mixture")(
    mixture_data, log_likelihood, lambda w, m, f, x: (x.shape[0], x.shape[1], len(w), w, m, f, x)
)

# Logistic regression ---------------------------------------------------------------------------------------------

PENALTY = 1e-3


def logistic_data(rows, columns):
    random = np.random.default_rng(5)
    x, w = random.standard_normal((rows, columns)), 0.3 * random.standard_normal(columns)
    return 0.1 * random.standard_normal(columns), x, (random.random(rows) < 1 / (1 + np.exp(-x @ w))).astype(float)


def logistic_loss(system, **_):
    xp, softplus = system.np, system.softplus

    def loss(w, x, y):
        z = x @ w
        return xp.mean(softplus(z) - y * z) + 0.5 * PENALTY * xp.sum(w * w)

    return loss


logistic = differentiated(1, "logistic")(logistic_data, logistic_loss, lambda w, x, y: (*x.shape, PENALTY, w, x, y))

# A posterior of 20 parameters, as a sampler asks for it again and again -------------------------------------------


def posterior_data(groups):
    """The mean of all, the logarithm of the spread and a level for each group; measurements and their errors."""
    random = np.random.default_rng(21)
    levels = 2 + random.standard_normal(groups)
    errors = random.uniform(0.5, 1.5, groups)
    return np.concatenate([[1.5, 0.2], levels + 0.1]), levels + errors * random.standard_normal(groups), errors


def log_posterior(system, **_):
    xp = system.np

    def f(p, y, error):
        mean, log_spread, levels = p[0], p[1], p[2:]
        spread = xp.exp(log_spread)
        likelihood = -0.5 * xp.sum(((y - levels) / error) ** 2)
        population = -0.5 * xp.sum(((levels - mean) / spread) ** 2) - len(levels) * log_spread
        return likelihood + population + log_spread - 0.02 * mean**2 - 0.02 * spread**2

    return f


REPEATS = 100  # of the C code in one call

posterior = differentiated(1, "posterior")(posterior_data, log_posterior, lambda p, y, e: (REPEATS, len(y), p, y, e))

WORKLOADS = [
    Workload(
        "mixture",
        "Gaussian mixture, n = 1000, d = 10, K = 25",
        mixture,
        {"points": 1000, "dimensions": 10, "components": 25},
        {"points": 40, "dimensions": 3, "components": 4},
        0.6,
    ),
    Workload(
        "logistic",
        "logistic regression, 200,000 x 50",
        logistic,
        {"rows": 200_000, "columns": 50},
        {"rows": 70, "columns": 5},
        0.75,
        is_threaded=True,
    ),
    Workload(
        "posterior",
        "log-posterior, 20 parameters",
        posterior,
        {"groups": 18},
        {"groups": 4},
        0.08,
        per={"floor": REPEATS},
        above_floor=1e-6,
    ),
]
