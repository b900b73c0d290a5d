"""Simulations: particles, waves, fluids, rays."""

from dataclasses import dataclass

import numpy as np
from tests.compiler.programs.table import program

import wengert as wg


@program(lambda r: (r.normal(size=(4, 3)), r.normal(size=(4, 3)), 1 + r.random(4)), argnums=(0, 1))
def n_bodies(x, v, mass):
    """Kicks and drifts under softened gravity; what is left of the energy."""
    for _ in range(3):
        apart = x[None] - x[:, None]
        distance = np.sqrt(np.sum(apart**2, axis=-1) + 0.01)
        pull = np.sum(mass[None, :, None] * apart / distance[..., None] ** 3, axis=1)
        v = v + 0.01 * pull
        x = x + 0.01 * v
    i, j = np.triu_indices(len(mass), 1)
    potential = np.sum(mass[i] * mass[j] / np.linalg.norm(x[i] - x[j], axis=1))
    return 0.5 * np.sum(mass[:, None] * v**2) - potential


@program(lambda r: (r.normal(size=17), 0.3), argnums=(0, 1))
def wave_equation(u, c):
    """Two time levels, the ends held, written in place."""
    before, now = np.copy(u), np.copy(u)
    for _ in range(6):
        after = np.zeros_like(now)
        after[1:-1] = 2 * now[1:-1] - before[1:-1] + c**2 * (now[2:] - 2 * now[1:-1] + now[:-2])
        before, now = now, after
    return np.sum(now**2)


@program(lambda r: (r.normal(size=(6, 6)), r.normal(size=(6, 6))))
def fluid_projection(vx, vy):
    """Autograd's fluid example in small: pressure by Jacobi steps on a torus, then advection between cells."""

    def project(vx, vy):
        p = np.zeros(vx.shape)
        h = 1.0 / vx.shape[0]
        div = -0.5 * h * (np.roll(vx, -1, 0) - np.roll(vx, 1, 0) + np.roll(vy, -1, 1) - np.roll(vy, 1, 1))
        for _ in range(4):
            p = (div + np.roll(p, 1, 0) + np.roll(p, -1, 0) + np.roll(p, 1, 1) + np.roll(p, -1, 1)) / 4
        vx = vx - 0.5 * (np.roll(p, -1, 0) - np.roll(p, 1, 0)) / h
        return vx, vy - 0.5 * (np.roll(p, -1, 1) - np.roll(p, 1, 1)) / h

    def advect(f, vx, vy):
        rows, cols = f.shape
        ys, xs = np.meshgrid(np.arange(rows), np.arange(cols))
        x, y = (xs - vx).ravel(), (ys - vy).ravel()
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        rw, bw = x - left, y - top
        left, right, top, bottom = left % rows, (left + 1) % rows, top % cols, (top + 1) % cols
        flat = (1 - rw) * ((1 - bw) * f[left, top] + bw * f[left, bottom])
        return np.reshape(flat + rw * ((1 - bw) * f[right, top] + bw * f[right, bottom]), (rows, cols))

    vx, vy = project(vx, vy)
    return np.mean(advect(vx, vx, vy) ** 2 + advect(vy, vx, vy) ** 2)


@dataclass
class Spring:
    stiffness: float
    rest: float


@program(lambda r: (r.normal(size=(5, 2)), 1.5 + r.random()), argnums=(0, 1))
def spring_chain(x, stiffness):
    """Springs as objects made inside; the energy of a chain that hangs."""
    springs = [Spring(stiffness * (k + 1), 0.5) for k in range(len(x) - 1)]
    energy = 9.81 * np.sum(x[:, 1])
    for spring, a, b in zip(springs, x[:-1], x[1:], strict=True):
        energy += 0.5 * spring.stiffness * (np.linalg.norm(b - a) - spring.rest) ** 2
    return energy


@program(lambda r: (r.normal(size=3), 0.2 * r.random(3) + 1.4, 0.1 * r.normal()), argnums=(0, 1, 2))
def ray_through_lenses(curvature, index, height):
    """A ray through three surfaces, by Snell's law and the sine's inverse, and where it crosses the axis."""
    y, slope, n = height, 0.0, 1.0
    for c, m in zip(0.1 * curvature, index, strict=True):
        y = y + 0.5 * slope
        normal = np.arcsin(np.clip(c * y, -0.9, 0.9))
        angle = np.arctan(slope) - normal
        slope = np.tan(np.arcsin(np.clip(n / m * np.sin(angle), -0.99, 0.99)) + normal)
        n = m
    return y**2 + slope**2


@program(lambda r: (r.normal(size=(8, 8)), 0.1 + 0.1 * r.random()), argnums=(0, 1))
def heat_with_edges(t, k):
    """A five-point stencil with a padded edge and a source in the middle."""
    for _ in range(4):
        p = np.pad(t, 1, mode="edge")
        t = t + k * (p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * t)
        t[3:5, 3:5] += 0.1
    return np.max(t) + np.std(t)


@program(lambda r: (r.integers(0, 2, (8, 8)) * 2 - 1, 0.4 + 0.1 * r.random()), argnums=1)
def ising_energy(spins, coupling):
    """Whole numbers and floats together: neighbours on a torus."""
    near = spins * (np.roll(spins, 1, 0) + np.roll(spins, 1, 1))
    return -coupling * near.sum() + np.abs(spins.mean())


@program(lambda r: (r.normal(size=2), r.random(3)))
def lotka_volterra(state, rates):
    """A Runge-Kutta step of fourth order in a function of its own, over and over."""

    def slope(s):
        prey, hunters = np.exp(s)
        return np.stack([rates[0] - hunters * rates[1], prey * rates[2] - 0.3])

    h = 0.05
    for _ in range(5):
        a = slope(state)
        b = slope(state + 0.5 * h * a)
        c = slope(state + 0.5 * h * b)
        d = slope(state + h * c)
        state = state + h / 6 * (a + 2 * b + 2 * c + d)
    return np.sum(state)


@program(lambda r: (r.normal(size=4), 1e-2), argnums=0)
def adaptive_steps(y, tolerance):
    """Step sizes chosen by the error: as many steps as it takes."""
    t, h = 0.0, 0.2
    while t < 1.0:
        h = min(h, 1.0 - t)
        k1 = -y + np.sin(t + y[::-1])
        k2 = -(y + h * k1) + np.sin(t + h + (y + h * k1)[::-1])
        error = np.max(np.abs(0.5 * h * (k2 - k1)))
        if error < tolerance:
            t, y = t + h, y + 0.5 * h * (k1 + k2)
        h = 0.9 * h * min(2.0, max(0.3, float(np.sqrt(tolerance / (error + 1e-12)))))
    return np.sum(y**2)


@program(lambda r: (r.normal(size=(2, 16)),), second=False)
def schroedinger(psi):
    """A split step: a complex wave, its transform, and the phase of each part."""
    x = np.linspace(-3, 3, 16)
    k = 2 * np.pi * np.fft.fftfreq(16, x[1] - x[0])
    wave = psi[0] + 1j * psi[1]
    for _ in range(3):
        wave = wave * np.exp(-0.5j * 0.1 * x**2)
        wave = np.fft.ifft(np.exp(-0.5j * 0.1 * k**2) * np.fft.fft(wave))
    density = np.abs(wave) ** 2
    return np.sum(density * x) / np.sum(density)


@program(lambda r: (0.5 * r.normal(size=3), r.normal(size=3), r.normal(size=3)), argnums=(0, 1), second=True)
def rodrigues(rotation, x, t):
    """Bundle adjustment's projection: a rotation by its vector, with the small angle apart, and a lens."""
    square = np.sum(rotation**2)
    if square > 1e-12:
        theta = np.sqrt(square)
        w = rotation / theta
        turned = x * np.cos(theta) + np.cross(w, x) * np.sin(theta) + w * np.dot(w, x) * (1 - np.cos(theta))
    else:
        turned = x + np.cross(rotation, x)
    p = turned + t
    plane = p[:2] / (p[2] + 5.0)
    r2 = plane @ plane
    return np.sum((plane * (1 + 0.1 * r2 + 0.01 * r2**2)) ** 2)


def _hand(r):
    return 0.3 * r.normal(size=(5, 3)), r.normal(size=(5, 3)), r.normal(size=(6, 3)), r.integers(0, 5, (6, 2))


@program(_hand)
def hand_of_bones(angles, offsets, skin, owners):
    """Chained rotations from parent to child, and points that hang on two bones each."""

    def square(rows):
        return np.stack([np.stack([1 * v + 0 * offsets[0, 0] for v in row]) for row in rows])

    def turn(a):
        cx, cy, cz = np.cos(a)
        sx, sy, sz = np.sin(a)
        x = square([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
        y = square([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
        z = square([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
        return z @ y @ x

    parents = [-1, 0, 1, 0, 3]
    world = []
    for bone, parent in enumerate(parents):
        local = np.concatenate([turn(angles[bone]), offsets[bone][:, None]], axis=1)
        local = np.concatenate([local, np.array([[0.0, 0.0, 0.0, 1.0]])])
        world.append(local if parent < 0 else world[parent] @ local)
    homogeneous = np.append(skin, np.ones((len(skin), 1)), axis=1)
    places = np.einsum("nkij,nj->nki", np.stack(world)[owners], homogeneous)[..., :3]
    return np.sum(np.mean(places, axis=1) ** 2)


@program(lambda r: (r.normal(size=(5, 2)), 3.0), argnums=None)
def bouncing_balls(state, width):
    """Balls that are reflected where they are outside: masks written through, arguments as well."""
    hits = np.zeros(len(state), int)
    for _ in range(5):
        state[:, 0] += 0.5 * state[:, 1]
        out = np.abs(state[:, 0]) > width
        state[out, 1] *= -1
        hits[out] += 1
        np.clip(state, -width, width, out=state)
    return hits, state.copy(), wg.is_recording()
