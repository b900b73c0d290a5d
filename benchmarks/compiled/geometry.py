"""Derivatives beyond a gradient: Jacobian blocks of a bundle adjustment, Hessians of Rosenbrock's function."""

import numpy as np

from ..transforms import rosenbrock
from .workload import Workload

# Bundle adjustment -----------------------------------------------------------------------------------------------


def observations(n):
    """For each observation its camera (rotation, centre, focal length, offset, distortion), point, weight, feature."""
    random = np.random.default_rng(10)
    normal = random.standard_normal
    parts = [0.3 * normal((49, 3)), 0.1 * normal((49, 3)), 500 + 10 * normal((49, 1)), normal((49, 2))]
    cameras = np.concatenate([*parts, 0.05 * normal((49, 2))], axis=1)
    points = normal((2000, 3)) + np.array([0, 0, 8])
    seen_by, seen = random.integers(0, 49, n), random.integers(0, 2000, n)
    return cameras[seen_by], points[seen], random.uniform(0.5, 1.5, n), 10 * normal((n, 2))


def residuals(system):
    """Where the camera sees the point, but for where the picture has it."""
    xp = system.np

    def f(cameras, points, weights, features):
        r, q = cameras[:, :3], points - cameras[:, 3:6]
        angle = xp.sqrt(xp.sum(r * r, axis=1, keepdims=True))
        cosine, sine, n = xp.cos(angle), xp.sin(angle), r / angle
        crossed = [n[:, i - 2] * q[:, i - 1] - n[:, i - 1] * q[:, i - 2] for i in range(3)]
        along = xp.sum(n * q, axis=1, keepdims=True) * (1.0 - cosine)
        turned = q * cosine + xp.stack(crossed, axis=1) * sine + n * along
        flat = turned[:, :2] / turned[:, 2:3]
        square = xp.sum(flat * flat, axis=1, keepdims=True)
        flat = flat * (1.0 + cameras[:, 9:10] * square + cameras[:, 10:11] * square * square)
        return weights[:, None] * (flat * cameras[:, 6:7] + cameras[:, 7:9] - features)

    return f


def bundle(system, n):
    arrays = observations(n)
    if system.name == "floor":
        call = system.gradient("bundle", n, *arrays, like=arrays[:3] * 2)
        return lambda: call()[1]
    blocks, arguments = system.rows(residuals(system), 3, 2), system.arguments(arrays, 3)
    return lambda: blocks(*arguments)


# Rosenbrock ------------------------------------------------------------------------------------------------------


def hessian(system, n):
    x = np.random.default_rng(13).standard_normal(n)
    if system.name == "floor":
        call = system.gradient("rosenbrock_hessian", n, x, like=[np.empty((n, n))])
        return lambda: call()[1]
    total, point = system.np.sum, system.constant(x)
    function = system.hessian(lambda x: rosenbrock(x, total))
    return lambda: function(point)


def product(system, n):
    random = np.random.default_rng(15)
    x, v = random.standard_normal(n), random.standard_normal(n)
    if system.name == "floor":
        call = system.gradient("rosenbrock_product", n, x, v, like=[x])
        return lambda: call()[1]
    total = system.np.sum
    function = system.hvp(lambda x: rosenbrock(x, total))
    point, direction = system.constant(x), system.constant(v)
    return lambda: function(point, direction)


WORKLOADS = [
    Workload("bundle", "bundle adjustment, 5,000 Jacobian blocks", bundle, {"n": 5000}, {"n": 30}, 0.2),
    Workload("hessian", "Hessian of Rosenbrock, n = 100", hessian, {"n": 100}, {"n": 6}, 0.9),
    Workload("hvp", "Hessian-vector product, n = 10⁵", product, {"n": 100_000}, {"n": 9}, 0.9),
]
