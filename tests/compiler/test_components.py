"""Values with a short last axis, computed column by column."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tests.compiler.test_lowering import both, compare

import wengert as wg
from wengert.compiler import components

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(components, "ROWS", 2)
    monkeypatch.setattr(components, "WORTH", 1)


def kernels(plan):
    return sum(launch.name is not None for launch, _, _ in plan.launches)


def rotated(axes, points):
    """Points turned about axes (Rodrigues)."""
    angle = np.sqrt(np.sum(axes * axes, axis=1, keepdims=True))
    n = axes / angle
    crossed = [n[:, i - 2] * points[:, i - 1] - n[:, i - 1] * points[:, i - 2] for i in range(3)]
    along = np.sum(n * points, axis=1, keepdims=True) * (1 - np.cos(angle))
    return points * np.cos(angle) + np.stack(crossed, axis=1) * np.sin(angle) + n * along


def forces(x, masses):
    """Gravity between bodies."""
    apart = x[:, None] - x[None]
    distance = np.sum(apart**2, axis=-1) + 0.1
    return np.sum(apart * (masses / distance**1.5)[..., None], axis=1)


def filled_in(x, y):
    z = np.zeros((len(x), 5))
    z = wg.tensor(z) if isinstance(x, wg.Tensor) else z
    z[:, 1:3] = x[:, :2] * y[:, None]
    z[:, 4] += np.cos(x[:, 2])
    z[:, ::-2] += x
    z[3:, 0] = y[3:]
    return z * z[:, [0]]


PROGRAMS = {
    "rotation": (rotated, (9, 3), (9, 3)),
    "forces": (forces, (7, 3), (7,)),
    "filled": (filled_in, (8, 3), (8,)),
    "blocks": (lambda x, y: np.einsum("nij,nj->ni", x, y) + x[:, 0] * x[:, 1:, 1].sum(-1)[:, None], (9, 3, 3), (9, 3)),
    "joined": (lambda x, y: np.concatenate([x[:, 1:] * y[:, :1], y**2], axis=1) @ np.ones((5, 4)), (9, 3), (9, 3)),
    "stacked": (lambda x, y: np.concatenate([x * 2, np.stack([y, y, y * y], 1)])[2:-2] ** 2, (9, 3), (9,)),
    "largest": (lambda x, y: np.max(x * y, axis=-1) - np.min(x / y, axis=(0, 1)), (9, 3), (9, 3)),
    "over rows": (lambda x, y: np.sum(x * y, axis=0) * np.prod(x, axis=1).sum(), (9, 3), (9, 3)),
    "shifted": (lambda x, y: (x[1:, ::-1] - x[:-1]) * y[:-1].T.reshape(-1, 3), (9, 3), (9, 3)),
    "chosen": (lambda x, y: np.where(x[:, :1] > y, x, 0)[:, [2, 0, 1]] + (x > y).any(axis=1)[:, None], (9, 3), (9, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_columns(name):
    f, *shapes = PROGRAMS[name]
    both(f, *[rng.uniform(0.5, 2, shape) for shape in shapes])


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.bool_])
def test_other_dtypes(dtype):
    x, y = (rng.integers(0, 3, (9, 3)).astype(dtype) for _ in range(2))
    compare(lambda x, y: np.sum(x * y, axis=1), x, y)
    compare(
        lambda x, y: np.stack([x[:, 2] * y[:, 0], x[:, 1] | y[:, 1]] if dtype != np.float32 else [x[:, 1]], 1), x, y
    )
    compare(lambda x, y: np.maximum(x, y)[:, 1:] * x[:, :1], x, y)


def test_no_columns():
    x, y = np.zeros((9, 0)), rng.uniform(0.5, 2, (9, 3))
    both(lambda x, y: np.sum(np.concatenate([2 * x, y * y[:, :1]], axis=1) ** 2, axis=1) + np.sum(x * x, axis=1), x, y)


def test_all_is_one_kernel():
    x, p = rng.uniform(0.5, 2, (2, 200, 3))
    plan = compare(rotated, x, p)
    assert kernels(plan) == 1


def test_pairs_on_several_axes():
    x = rng.uniform(0.5, 2, (6, 2, 3, 4))
    both(lambda x: np.sum(x[..., 0] * x[..., 1:2, 1] - x[:, ::-1, ::-1, 3], axis=(1, 2)), x)


def test_sums_of_negative_zeros_have_the_sign_that_numpy_gives():
    x = np.full((9, 3), -0.0)
    plan = compare(lambda x: np.sum(x + 0 * x, axis=1), x)
    (found,) = plan(x)
    assert np.array_equal(np.signbit(found), np.signbit(np.sum(x + 0 * x, axis=1)))


def test_results_have_memory_of_their_own():
    def f(x):
        y = x[:, ::-1] * 2
        return y, y, y[:, 0], y[:, 1:], y @ np.ones((3, 2)), np.linalg.norm(y, axis=1)

    x = rng.uniform(0.5, 2, (9, 3))
    found = compare(f, x)(x)
    for i, a in enumerate(found):
        assert not any(np.shares_memory(a, b) for b in [x, *found[:i]])
