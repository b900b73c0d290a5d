"""Distributions of vectors, by SciPy's names and parameters."""

from typing import Any

import numpy as np
import scipy.special as sp

from wengert.errors import ArgumentError, ShapeError
from wengert.primitive import is_wrapper
from wengert.protocol import anywhere, everywhere, spec_of
from wengert.rules.scipy_linalg import solve_triangular
from wengert.rules.scipy_stats import HALF_LOG_TAU, gamma_entropy
from wengert.rules.scipy_tools import constant, primal
from wengert.scipy.stats.distribution import Frozen, real, where


class Multivariate:
    """A family of distributions of vectors; what is not here is SciPy's own, which refuses recorded values."""

    def __init__(self, name: str | None = None):
        self.name = name or type(self).__name__.strip("_")

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        """The distribution with these parameters."""
        return Frozen(self, args, kwds)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._scipys, name)

    def __repr__(self) -> str:
        return f"<wengert.scipy.stats.{self.name}>"

    @property
    def _scipys(self) -> Any:
        import scipy.stats

        return getattr(scipy.stats, self.name)


# The normal distribution -----------------------------------------------------------------------------------------


class MultivariateNormal(Multivariate):
    """The normal distribution of vectors, through Cholesky's factor of the covariance.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert.scipy import stats
    >>> x, cov = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[2.0, 0.5], [0.5, 1.0]])
    >>> gradient = wg.grad(lambda mean: stats.multivariate_normal.logpdf(x, mean, cov).sum())(np.zeros(2))
    >>> np.allclose(gradient, np.linalg.solve(cov, x.sum(0)))
    True
    """

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The logarithm of the density; the components of a point are along the last axis of `x`."""
        return self._evaluated("logpdf", _log_normal, (x, mean, cov, allow_singular))

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The density."""
        return self._evaluated("pdf", lambda *values: np.exp(_log_normal(*values)), (x, mean, cov, allow_singular))

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """The differential entropy, in nats."""
        return self._evaluated("entropy", _normal_entropy, (mean, cov))

    def _evaluated(self, method: str, function: Any, args: tuple) -> Any:
        cov = args[2] if len(args) > 2 else args[1]
        own = getattr(self._scipys, method)
        if len(args) > 3 and args[3] and not any(map(is_wrapper, args)):
            return own(*args)
        if type(cov).__module__.startswith("scipy."):
            return own(*args)  # an object in the place of the matrix
        try:
            return function(f"{self.name}.{method}", *args)
        except np.linalg.LinAlgError as error:
            if not any(is_wrapper(v) for v in args):
                return own(*args)
            raise ArgumentError(
                f"[{self.name}.{method}] a positive definite cov=, or a semidefinite one and allow_singular=True, was "
                f"required of recorded values; received {spec_of(cov)!r}, which is none"
            ) from error


def _normal_parameters(operation: str, mean: Any, cov: Any, *others: Any) -> tuple:
    """Mean and covariance as a vector and a matrix, and other values, in one dtype."""
    cov = 1.0 if cov is None else cov
    if mean is None:
        mean = np.zeros(spec_of(cov).shape[:1] if spec_of(cov).ndim == 2 else 1, spec_of(cov).dtype)
    *others, mean, cov = real(operation, *others, mean, cov)
    size = spec_of(mean).size
    if size == 1:
        mean, cov = np.reshape(mean, (1,)), np.reshape(cov, (1, 1))
    shape = spec_of(cov).shape
    if len(shape) < 2:
        cov = cov * np.eye(size, dtype=cov.dtype) if not shape else np.diag(cov)
    if spec_of(mean).ndim != 1 or spec_of(cov).shape != (size, size):
        raise ShapeError(
            f"[{operation}] a mean of one dimension and a cov= that fits were required; received {spec_of(mean)!r} and "
            f"shape {shape}; give a vector, and a matrix, its diagonal or a number"
        )
    return (mean, cov, *others)


def _log_normal(operation: str, x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Any:
    mean, cov, x = _normal_parameters(operation, mean, cov, x)
    size = mean.shape[0]
    x = np.reshape(x, (-1, 1)) if size == 1 and x.ndim < 2 else x
    away, outside = x - mean, np.False_
    if allow_singular:
        away, cov, outside = _in_range(away, cov)
        size = cov.shape[0]
    factor = np.linalg.cholesky(cov)
    white = solve_triangular(factor, np.reshape(away, (-1, size)).T, lower=True)
    squares = np.reshape(np.einsum("ij,ij->j", white, white), away.shape[:-1])
    y = -0.5 * squares - np.sum(np.log(np.diagonal(factor))) - size * HALF_LOG_TAU
    return _squeezed(where(outside, -np.inf, y) if anywhere(outside) else y)


def _in_range(away: Any, cov: Any) -> tuple[Any, Any, Any]:
    """Deviations and covariance in an orthonormal basis of the covariance's range, and which deviations are not in it.

    The range itself is a constant: derivatives are those along covariances with the same null space.
    """
    values, vectors = np.linalg.eigh(primal(cov))
    small = (1e3 if cov.dtype == np.float32 else 1e6) * np.finfo(cov.dtype).eps * np.max(np.abs(values))
    if anywhere(values < -small):
        raise np.linalg.LinAlgError("negative eigenvalues")
    kept, null = vectors[:, values > small], vectors[:, values <= small]
    outside = np.linalg.norm(primal(away) @ null, axis=-1) >= 1e3 * small
    return away @ kept, kept.T @ cov @ kept, np.logical_and(outside, null.shape[1] > 0)


def _normal_entropy(operation: str, mean: Any, cov: Any) -> Any:
    mean, cov = _normal_parameters(operation, mean, cov)
    return np.sum(np.log(np.diagonal(np.linalg.cholesky(cov)))) + mean.shape[0] * (HALF_LOG_TAU + 0.5)


def _squeezed(y: Any) -> Any:
    """Without axes of length 1, as SciPy gives its results; a number if none is left."""
    y = np.squeeze(y)
    return y[()] if y.__class__ is np.ndarray and not y.ndim else y


# Dirichlet's distribution ----------------------------------------------------------------------------------------


class Dirichlet(Multivariate):
    """Dirichlet's distribution; the entries of a point are along the *first* axis, and one of them may be left out.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert.scipy import stats
    >>> alpha = np.array([1.0, 2.0, 3.0])
    >>> wg.grad(stats.dirichlet.logpdf)(np.array([0.25, 0.25, 0.5]), alpha)
    array([0., 4., 4.])
    """

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density, with the entries of `x` as independent variables."""
        x, alpha = real("dirichlet.logpdf", x, alpha)
        _check_concentrations("dirichlet.logpdf", alpha)
        x = _simplex_points("dirichlet.logpdf", x, alpha)
        exponents = np.reshape(alpha - 1, (-1, *(1,) * (x.ndim - 1)))
        constant = np.sum(sp.gammaln(alpha)) - sp.gammaln(np.sum(alpha))
        return _squeezed(np.sum(sp.xlogy(exponents, x), axis=0) - constant)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, alpha))

    def entropy(self, alpha: Any) -> Any:
        """The differential entropy, in nats."""
        alpha, total = self._concentrations("entropy", alpha)
        rest = gamma_entropy(total) + (alpha.shape[0] - 1) * sp.psi(total)
        return np.sum(gamma_entropy(alpha)) - rest

    def mean(self, alpha: Any) -> Any:
        """The mean."""
        alpha, total = self._concentrations("mean", alpha)
        return _squeezed(alpha / total)

    def var(self, alpha: Any) -> Any:
        """The variance of each entry."""
        alpha, total = self._concentrations("var", alpha)
        return _squeezed(alpha / total * ((total - alpha) / total) / (total + 1))

    def cov(self, alpha: Any) -> Any:
        """The covariance matrix."""
        alpha, total = self._concentrations("cov", alpha)
        a = alpha / total
        return _squeezed((np.diag(a) - np.outer(a, a)) / (total + 1))

    def _concentrations(self, method: str, alpha: Any) -> tuple[Any, Any]:
        (alpha,) = real(f"dirichlet.{method}", alpha)
        _check_concentrations(f"dirichlet.{method}", alpha)
        return alpha, np.sum(alpha)


def _check_concentrations(operation: str, alpha: Any) -> None:
    if alpha.ndim != 1 or anywhere(alpha <= 0):
        raise ArgumentError(
            f"[{operation}] a vector alpha of positive numbers was required; received {spec_of(alpha)!r}"
            f"{', with others among them' if alpha.ndim == 1 else ''}; the density is defined for no other"
        )


def _simplex_points(operation: str, x: Any, alpha: Any) -> Any:
    """The points with all of their entries; an error unless they are on the simplex."""
    n = alpha.shape[0]
    if x.ndim == 0 or x.shape[0] not in (n, n - 1):
        raise ShapeError(
            f"[{operation}] {n} or {n - 1} entries along the first axis of x were required, as alpha has {n}; "
            f"received {spec_of(x)!r}; transpose x if its points are rows"
        )
    if x.shape[0] == n - 1:
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    plain, least = primal(x), np.reshape(primal(alpha), (-1, *(1,) * (x.ndim - 1)))
    far = np.abs(np.sum(plain, axis=0) - 1) > max(1e-9, 10 * float(np.finfo(plain.dtype).eps))
    if anywhere(far | (plain < 0) | (plain > 1) | ((plain == 0) & (least < 1))):
        raise ArgumentError(
            f"[{operation}] points of the simplex were required (numbers of 0 to 1 with the sum 1; not 0 where alpha "
            f"is less than 1); received {spec_of(x)!r} with others; divide by their sum"
        )
    return x


# The multinomial distribution ------------------------------------------------------------------------------------


class Multinomial(Multivariate):
    """Numbers of n drawn things that are of each kind; the kinds are along the last axis.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert.scipy import stats
    >>> wg.grad(lambda p: stats.multinomial.logpmf([1, 2, 1], 4, p))(np.array([0.25, 0.5, 0.25]))
    array([4., 4., 4.])
    """

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """The logarithm of the probability of the counts `x`, with the entries of `p` as independent variables.

        As in SciPy, where `p` does not sum to 1 its last entry is taken to be what the others leave.
        """
        x = np.asarray(constant("multinomial.logpmf", "x", x))
        n, p, possible = _multinomial_parameters("multinomial.logpmf", n, p)
        if x.ndim == 0 or (x.size and x.shape[-1] != p.shape[-1]):
            raise ShapeError(
                f"[multinomial.logpmf] as many counts in x as probabilities in p were required; received "
                f"{spec_of(x)!r} and {spec_of(p)!r}; the last axis of both is that of the kinds"
            )
        counts = np.all((x >= 0) & (x == np.floor(x)), axis=-1) & (np.sum(x, axis=-1) == n)
        k = np.where(x >= 0, x, 0).astype(p.dtype)
        y = sp.gammaln(n + 1).astype(p.dtype) + np.sum(sp.xlogy(k, p) - sp.gammaln(k + 1), axis=-1)
        y = y if everywhere(counts) else where(counts, y, -np.inf)
        return y if everywhere(possible) else where(possible, y, np.nan)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """The probability of the counts `x`."""
        return np.exp(self.logpmf(x, n, p))

    def cov(self, n: Any, p: Any) -> Any:
        """The covariance matrix."""
        n, p, possible = _multinomial_parameters("multinomial.cov", n, p)
        own = p[..., :, None] * np.eye(p.shape[-1], dtype=p.dtype)
        result = n.astype(p.dtype)[..., None, None] * (own - p[..., :, None] * p[..., None, :])
        return result if everywhere(possible) else where(np.asarray(possible)[..., None, None], result, np.nan)


def _multinomial_parameters(operation: str, n: Any, p: Any) -> tuple[Any, Any, Any]:
    """The number of things, probabilities whose sum is 1, and where both are possible."""
    n = np.asarray(constant(operation, "n", n), int)
    (p,) = real(operation, p)
    sums = np.sum(primal(p), axis=-1, keepdims=True)
    off = np.abs(1 - sums) > 10 * max(float(np.finfo(p.dtype).eps), 1e-16)
    if anywhere(off):
        last = np.arange(p.shape[-1]) == p.shape[-1] - 1
        p = np.where(np.logical_and(off, last), 1 - np.sum(p[..., :-1], axis=-1, keepdims=True), p)
    possible = np.logical_and(np.all(np.logical_and(p >= 0, p <= 1), axis=-1), n >= 0)
    return n, p, possible


multivariate_normal = MultivariateNormal("multivariate_normal")
dirichlet = Dirichlet("dirichlet")
multinomial = Multinomial("multinomial")
