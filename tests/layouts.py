"""What NumPy's functions give, and how it lies in memory: whether a reshape is a view, and in which order."""

import numpy as np


def columns(x):
    """The same numbers, with gaps along the last axis."""
    return np.repeat(x, 2, axis=-1)[..., ::2]


def rows(x):
    """The same, with gaps along the first one."""
    return np.repeat(x, 2, axis=0)[::2]


def backwards(x):
    """The same, from the last row to the first one."""
    return x[::-1].copy()[::-1]


PLAIN = (np.arange(1.0, 13).reshape(3, 4) * 7.3) % 5 + 0.1
CUBE = (np.arange(1.0, 25).reshape(2, 3, 4) * 7.3) % 5 + 0.1
LAYOUTS = {
    "C": np.copy,
    "Fortran": np.asfortranarray,
    "columns": columns,
    "rows": rows,
    "backwards": backwards,
    "Fortran, with gaps": lambda x: columns(x.T.copy()).T,
}
CUBES = LAYOUTS | {
    "middle axis last": lambda x: x.transpose(0, 2, 1).copy().transpose(0, 2, 1),
    "last axis first": lambda x: x.transpose(2, 0, 1).copy().transpose(1, 2, 0),
}

MATRICES = """
np.take(x, [0, 1], axis=0) | np.take(x, [0, 1], axis=1) | np.take(x, [[0, 1], [1, 0]], axis=1) | np.take(x, [[0, 1]])
np.take(x, [0, 1], axis=1, mode="clip") | x.take([1, 0], 1) | np.compress([True, False, True], x, axis=1)
np.take_along_axis(x, np.argsort(x, axis=0), axis=0) | np.extract(x > 2, x) | x[[0, 1]] | x[:, [0, 1]] | x[[0, 1], 1:]
x[:, np.array([True, False, True, False])] | x[1:, ::2] | x[::-1] | x[:, [[0, 1], [1, 0]]] | x[None, :, [0, 1]]
np.meshgrid(x[0], x[:, 0])[0] | np.meshgrid(x[0], x[:, 0])[1] | np.meshgrid(x[0], x[:, 0], indexing="ij")[1]
np.meshgrid(x[0], x[:, 0], x[1])[0] | np.meshgrid(x[0], x[:, 0], sparse=True)[0]
np.modf(x)[0] | np.modf(x)[1] | np.divmod(x, 2.0)[0] | np.gradient(x, axis=0) | np.gradient(x)[1]
np.insert(x, 1, 5.0, axis=0) | np.insert(x, 1, 5.0, axis=1) | np.insert(x, [0, 2], 5.0, axis=1) | np.insert(x, 1, 5.0)
np.delete(x, 1, axis=0) | np.delete(x, 1, axis=1) | np.delete(x, [0, 2], axis=1) | np.delete(x, [1], axis=1)
np.delete(x, slice(0, 1), axis=1) | np.append(x, x, axis=1) | np.append(x, x)
np.piecewise(x, [x > 2], [1, lambda q: q]) | np.select([x > 2], [x], 0) | np.select([x > 2, x > 1], [x, 2 * x], 0)
np.choose((x > 2).astype(int), [x, x * 2]) | np.where(x > 2, x, 0.0) | np.where(x > 2, x, np.copy(x, "C"))
np.concatenate([x, x]) | np.concatenate([x, x], axis=1) | np.concatenate([x, np.copy(x, "C")], axis=1)
np.stack([x, x]) | np.stack([x, x], axis=1) | np.stack([x, x], axis=-1) | np.hstack([x, x]) | np.dstack([x, x])
np.column_stack([x, x]) | np.column_stack([x[0], x[1]]) | np.block([[x, x], [x, x]])
np.tile(x, 2) | np.tile(x, (2, 1)) | np.tile(x, (1, 1)) | np.tile(x, (2, 1, 1)) | np.repeat(x, 2, axis=0)
np.repeat(x, 2, axis=1) | np.roll(x, 1) | np.roll(x, 1, axis=0) | np.flip(x) | np.flip(x, 0) | np.rot90(x)
np.fliplr(x)
np.pad(x, 1) | np.pad(x, 1, mode="edge") | np.pad(x, 1, mode="linear_ramp") | np.pad(x, 1, mode="mean")
np.pad(x, 1, constant_values=2.0) | np.sort(x) | np.sort(x, axis=0) | np.partition(x, 1, axis=0) | np.argsort(x, axis=0)
np.cumsum(x, axis=0) | np.cumsum(x, axis=1) | np.cumprod(x, axis=0) | np.add.accumulate(x, axis=0)
np.outer(x[0], x[:, 0]) | np.multiply.outer(x, x[0]) | np.kron(x, np.ones((2, 2))) | np.kron(x, x)
np.einsum("ij,kj->ik", x, x) | np.einsum("ij->ji", x) | np.einsum("ij,kj->ki", x, x) | np.einsum("ij,k->ijk", x, x[0])
x @ x.T | x.T @ x | np.dot(x.T, x) | np.tensordot(x, x, axes=([0], [0])) | np.inner(x, x)
x + x | x * x[0] | x[:, :1] * x | x[0] + x[:, :1] | x + np.copy(x, "C") | x[:, None] + x | x**2 | -x | abs(x) | x > 2
np.exp(x) | np.maximum(x, 2) | np.arctan2(x, x) | np.sinc(x) | x.astype(float) | x.astype(np.float32) | x.astype(int)
x.copy() | x.copy("K") | x.copy("F") | np.copy(x) | np.clip(x, 1, 3) | np.nan_to_num(x) | np.round(x) | np.round(x, 1)
np.tril(x) | np.triu(x) | np.diag(x[0]) | np.vander(x[0]) | np.conj(x) | np.real(x * 1j) | np.conj(x * 1j)
(x * 1j).copy() | np.square(x, out=np.empty_like(x)) | np.cumsum(x, axis=0, out=np.empty_like(x))
x.T | x.reshape(4, 3) | x.reshape(2, 6) | x.reshape(2, 6, order="F") | x.reshape(4, 3, order="A") | x.ravel()
x.ravel("F")
x.ravel("A") | x.ravel("K") | x.flatten("K") | np.atleast_3d(x) | np.squeeze(x[None]) | np.hsplit(x, 2)[1]
np.zeros_like(x) + 1.0 | np.full_like(x, 2.0) | np.zeros_like(x, shape=(4, 3)) | np.zeros_like(x, order="C")
np.linspace(x[0], x[1], 3, axis=1) | np.resize(x, (2, 3)) | np.apply_along_axis(lambda r: r * 2, 0, x)
np.diff(x, axis=0) | np.unwrap(x, axis=0) | np.cross(x[:, :3], x[:, 1:]) | np.quantile(x, [0.1, 0.5], axis=1)
np.fft.fft(x, axis=0) | np.fft.irfft(x) | np.linalg.inv(x @ x.T + np.eye(3)) | np.linalg.solve(x @ x.T + np.eye(3), x)
np.linalg.cholesky(x @ x.T + np.eye(3)) | np.linalg.cholesky(x @ x.T + np.eye(3), upper=True)
"""
BLOCKS = """
np.take(x, [0, 1], axis=1) | np.take(x, [0, 1], axis=0) | np.insert(x, [0, 2], 5.0, axis=1) | np.delete(x, 1, axis=1)
np.gradient(x, axis=1) | np.select([x > 2], [x], 0) | np.concatenate([x, x], axis=1) | np.stack([x, x], axis=1)
np.tile(x, (1, 2, 1)) | np.repeat(x, 2, axis=1) | np.roll(x, 1, axis=1) | np.pad(x, 1, mode="mean") | np.sort(x, axis=0)
np.cumsum(x, axis=1) | np.sum(x, axis=1) | np.mean(x, axis=0) | np.max(x, axis=1) | np.prod(x, axis=1)
np.std(x, axis=0)
np.median(x, axis=1) | np.median(x, axis=0) | np.nanmedian(x, axis=1) | np.percentile(x, 30, axis=1) | np.ptp(x, axis=1)
np.average(x, axis=1, weights=[1.0, 2, 3]) | np.linalg.norm(x, axis=1) | x + x[0] | x + np.ones(4) | np.round(x, 1)
x.copy() | x.copy("K") | x.astype(np.float32) | np.where(x > 2, x, np.copy(x, "C")) | x.reshape(6, 4) | x.reshape(2, 12)
x.reshape(2, 12, order="A") | x.ravel("K") | x.swapaxes(0, 1) | x.transpose(2, 0, 1) | x @ x.swapaxes(1, 2)
np.tensordot(x, x, axes=([1], [1])) | np.einsum("ijk->kij", x) | np.einsum("ijk,ilk->lji", x, x)
np.einsum("ijk->ki", x)
np.diff(x, axis=1) | np.trapezoid(x, axis=1) | np.take_along_axis(x, np.argsort(x, axis=1), axis=1) | x[:, [0, 1]]
x[:, [0, 1], [1, 2]] | x[:, :, [0, 1]] | np.fft.fft(x, axis=1) | np.zeros_like(x) + 1.0
np.zeros_like(x, shape=(5, 2, 2))
np.apply_along_axis(np.sum, 1, x) | np.modf(x)[0] | np.moveaxis(x, -1, 0) * 2
np.meshgrid(x[0, 0], x[0, :, 0], x[:, 0, 0], indexing="ij")[2]
"""
"""Expressions of an operand."""


def parts(text):
    """The expressions of a text."""
    return [part.strip() for line in text.strip().splitlines() for part in line.split("|")]


def probe(expression):
    """A function that gives the elements as they lie in memory, and what a write into them as one axis leaves."""

    def function(x):
        y = value(x)
        lying = y.ravel("K").copy()
        flat = y.reshape(-1)
        flat[...] = 7
        return lying, y + 0

    value = eval(f"lambda x: {expression}", {"np": np})
    return function
