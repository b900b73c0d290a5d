"""Algorithms: loops that end by values, tables that are filled, factorisations, options."""

import numpy as np
from scipy import special
from tests.compiler.programs.table import program

import wengert as wg


@program(lambda r: (1 + 9 * r.random(),), second=True)
def newton_root(a):
    """A square root by Newton's steps, until it is one."""
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@program(lambda r: (r.random(), 1 + r.random()), argnums=None)
def bisection(a, b):
    """Halves, as long as they are too wide."""
    low, high, turns = 0.0, 2.0, 0
    while high - low > 1e-4:
        middle = 0.5 * (low + high)
        if a * np.exp(middle) > b + 1:
            high = middle
        else:
            low = middle
        turns += 1
    return middle, turns


@program(lambda r: (r.normal(size=3),), argnums=None)
def line_search(x):
    """Backtracking along the steepest descent, the steps counted."""

    def f(x):
        return np.sum(x**4 - 3 * x**2 + x)

    for _ in range(4):
        g = wg.grad(f)(x)
        step = 1.0
        while f(x - step * g) > f(x) - 1e-4 * step * g @ g and step > 1e-8:
            step /= 2
        x = x - step * g
    return x, step


@program(lambda r: (r.normal(size=5), r.normal(size=7)))
def edit_distance(a, b):
    """Soft dynamic time warping's hard cousin: a table filled row by row from the least of three."""
    table = np.full_like(a, np.inf, shape=(len(a) + 1, len(b) + 1))
    table[0, 0] = 0.0
    for i in range(len(a)):
        for j in range(len(b)):
            least = np.minimum(np.minimum(table[i, j + 1], table[i + 1, j]), table[i, j])
            table[i + 1, j + 1] = (a[i] - b[j]) ** 2 + least
    return table[-1, -1]


@program(lambda r: (r.random(6), r.integers(1, 5, 6)))
def knapsack(worth, weight):
    """The best worth for each room that is left, items by whole weights."""
    best = np.zeros_like(worth, shape=10)
    for v, w in zip(worth, weight, strict=True):
        taken = np.concatenate([np.full(w, -np.inf), best[: 10 - w] + v])
        best = np.maximum(best, taken)
    return best[-1]


@program(lambda r: (90 + 20 * r.random(), 100.0, 0.05, 0.2 + 0.1 * r.random(), 1.0), argnums=(0, 2, 3, 4), second=True)
def black_scholes(s, k, rate, vol, t):
    """A call by the normal distribution."""
    d1 = (np.log(s / k) + (rate + vol**2 / 2) * t) / (vol * np.sqrt(t))
    return s * special.ndtr(d1) - k * np.exp(-rate * t) * special.ndtr(d1 - vol * np.sqrt(t))


@program(lambda r: (90 + 20 * r.random(), 0.2 + 0.1 * r.random()), argnums=(0, 1))
def american_put(s, vol):
    """A binomial tree folded back, where it may be exercised at each node."""
    n, k = 12, 100.0
    up = np.exp(vol * np.sqrt(1 / n))
    p = (np.exp(0.05 / n) - 1 / up) / (up - 1 / up)
    prices = s * up ** np.arange(-n, n + 1, 2)
    value = np.maximum(k - prices, 0)
    for step in range(n - 1, -1, -1):
        prices = s * up ** np.arange(-step, step + 1, 2)
        value = np.maximum(k - prices, np.exp(-0.05 / n) * (p * value[1:] + (1 - p) * value[:-1]))
    return value[0]


@program(lambda r: (0.2 + 0.1 * r.random(), r.normal(size=(20, 8))))
def asian_option(vol, noise):
    """Paths by cumulated products, a payoff of their means."""
    dt = 1 / noise.shape[1]
    paths = 100 * np.cumprod(np.exp((0.05 - vol**2 / 2) * dt + vol * np.sqrt(dt) * noise), axis=1)
    return np.exp(-0.05) * np.mean(np.maximum(paths.mean(axis=1) - 100, 0))


@program(lambda r: (r.normal(size=4), r.normal(size=(30, 4))))
def portfolio(w, returns):
    """Weights that sum to one, a Sharpe ratio, and the deepest fall."""
    share = np.exp(w) / np.sum(np.exp(w))
    growth = np.cumsum(returns @ share)
    fall = np.max(np.maximum.accumulate(growth) - growth)
    return np.mean(returns @ share) / np.std(returns @ share) - 0.1 * fall


@program(lambda r: (r.normal(size=9),))
def sorted_spread(x):
    """Ranks and quantiles: the Gini index, the median, what lies between."""
    s = np.sort(x)
    n = len(x)
    gini = np.sum((2 * np.arange(1, n + 1) - n - 1) * s) / n
    return gini + np.median(x) + np.percentile(x, 80) - s[np.argsort(-x)[0] // 2]


@program(lambda r: (r.normal(size=(5, 3)), r.normal(size=5)), argnums=(0, 1))
def least_squares(a, b):
    """A fit through lstsq, the normal equations and QR; what they have in common."""
    one = np.linalg.lstsq(a, b, rcond=None)[0]
    two = np.linalg.solve(a.T @ a, a.T @ b)
    q, r = np.linalg.qr(a)
    three = np.linalg.solve(r, q.T @ b)
    return np.sum(one * two) + np.sum(three)


@program(lambda r: (r.normal(size=(4, 4)),))
def spectra(a):
    """Eigenvalues of a symmetric matrix, singular values, a determinant."""
    sym = a @ a.T + np.diag(np.arange(4.0))
    w, v = np.linalg.eigh(sym)
    u, s, vt = np.linalg.svd(a)
    sign, logdet = np.linalg.slogdet(sym)
    return np.sum(w * (v[0] ** 2)) + np.sum(np.log1p(s)) + sign * logdet + np.abs(np.sum(u * vt.T)) * 0


@program(lambda r: (r.normal(size=(3, 3)), r.normal(size=3)), argnums=(0, 1))
def power_iteration(a, x):
    """The largest eigenvalue, until it stays."""
    sym = a @ a.T + np.eye(3)
    before, value = 0.0, 1.0
    while abs(value - before) > 1e-6 * abs(value):
        y = sym @ x
        before, value = value, np.linalg.norm(y)
        x = y / value
    return value


@program(lambda r: (r.normal(size=(6, 6)), r.normal(size=6)), argnums=(0, 1))
def conjugate_gradients(m, b):
    """As many steps as the residual asks for."""
    a = m @ m.T + 6 * np.eye(6)
    x = np.zeros_like(b)
    r = b - a @ x
    p, rs = r, r @ r
    for _ in range(20):
        ap = a @ p
        alpha = rs / (p @ ap)
        x, r = x + alpha * p, r - alpha * ap
        new = r @ r
        if np.sqrt(new) < 1e-6:
            break
        p, rs = r + new / rs * p, new
    return np.sum(x**2)


@program(lambda r: (r.normal(size=(4, 4)), r.normal(size=4)), argnums=(0, 1))
def gaussian_elimination(a, b):
    """Rows changed by the pivot, and all in place."""
    a, b = a.copy(), b + 0 * a[0]
    n = len(b)
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(a[k:, k])))
        if pivot != k:
            a[[k, pivot]] = a[[pivot, k]]
            b[[k, pivot]] = b[[pivot, k]]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] -= factor * a[k, k:]
            b[i] -= factor * b[k]
    x = np.zeros_like(b)
    for k in range(n - 1, -1, -1):
        x[k] = (b[k] - a[k, k + 1 :] @ x[k + 1 :]) / a[k, k]
    return np.sum(x)


@program(lambda r: (r.normal(size=7), r.normal()), argnums=(0, 1), second=True)
def horner(c, x):
    """A polynomial, its value and its slope side by side."""
    p, slope = c[0], 0.0
    for k in c[1:]:
        slope = slope * x + p
        p = p * x + k
    return p + slope**2


@program(lambda r: (r.normal(size=6), int(r.integers(0, 4))))
def tree_by_recursion(x, depth):
    """A function of itself, on halves."""

    def fold(y, d):
        if d == 0 or len(y) < 2:
            return np.sum(y**2)
        half = len(y) // 2
        return np.tanh(fold(y[:half], d - 1)) + fold(y[half:], d - 1) * fold(y[:half], d - 1)

    return fold(x, depth)


@program(lambda r: (r.normal(size=5), ["sum", "mean", "max"][r.integers(3)]))
def by_name(x, how):
    """A text chooses; generators, comprehensions and an exception on the way."""
    try:
        if how == "max":
            raise KeyError(how)
        reduce = {"sum": np.sum, "mean": np.mean}[how]
    except KeyError:
        reduce = np.max
    squares = {i: v**2 for i, v in enumerate(x) if v > 0}
    return reduce(x) + sum(v for v in squares.values()) + len(squares)


@program(lambda r: (r.normal(size=16), r.normal(size=5)), argnums=(0, 1))
def filters(signal, kernel):
    """Convolution two ways, and a spectrum."""
    direct = np.convolve(signal, kernel, mode="same")
    n = len(signal) + len(kernel) - 1
    fast = np.fft.irfft(np.fft.rfft(signal, n) * np.fft.rfft(kernel, n), n)
    power = np.abs(np.fft.rfft(signal)) ** 2
    return np.sum(direct**2) + np.sum(fast[2:8]) + np.sum(np.log(power[1:] + 1e-3))


@program(lambda r: (r.normal(size=(3, 4)) + 1j * r.normal(size=(3, 4)), r.normal(size=4)), argnums=1)
def complex_amplitudes(m, x):
    """Real in, complex between, real out."""
    y = m @ x
    return np.sum(y.real**2 + y.imag) + np.sum(np.abs(y)) + np.real(np.vdot(y, y * 1j + y)) + np.sum(np.angle(y))


@program(lambda r: (r.normal(size=(4, 5)), r.integers(-5, 5, (4, 5)), r.random((4, 5)) < 0.5), argnums=None)
def masks_and_whole_numbers(x, k, mask):
    """Integers divided, shifted and compared; booleans summed; results of many dtypes."""
    halves = k // 2 + (k % 3) * (k << 1)
    kept = np.where(mask & (k > 0), x, -1.0)
    counts = np.bincount(k.ravel() + 5, minlength=10)
    return (
        halves,
        kept,
        mask.sum(axis=0),
        counts,
        np.any(mask),
        k.astype(np.float32) / 3,
        ~mask,
        k.min(),
        np.sign(x) * k,
    )


@program(lambda r: (r.normal(size=(3, 1, 4)), r.normal(size=(5, 1)), r.normal()), argnums=(0, 1, 2))
def broadcasts_of_every_kind(a, b, c):
    """New axes, stretched ones, scalars and rows, and back again."""
    grid = a * b + c
    outer = np.multiply.outer(a[:, 0, 0], b[:, 0])
    tiled = np.tile(b.T, (4, 1))[:, None] + np.broadcast_to(c, (4, 2, 5))
    return np.sum(grid[..., ::-2] ** 2) + np.sum(np.tanh(outer)) + np.prod(1 + 0.1 * tiled[0, 0])


@program(lambda r: (r.normal(size=(4, 3)), r.normal(size=(3, 5)), r.normal(size=(2, 4, 5))), argnums=(0, 1, 2))
def contractions(a, b, c):
    """einsum, tensordot, a trace and a kron."""
    ab = np.einsum("ij,jk->ik", a, b)
    d = np.tensordot(c, ab, axes=([1, 2], [0, 1]))
    e = np.einsum("bij,bkj->bik", c, c)
    return np.sum(d) + np.trace(e[0]) + np.sum(np.kron(a[:2, :2], b[:2, :2])) + np.einsum("ii", e[1])
