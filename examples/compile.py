"""A short tour of `wg.compile`: programs that are recorded once and then run as native code.

    python examples/compile.py

Each stop runs a program compiled and as plain Python, compares, and prints what came out.
"""

from time import perf_counter

import numpy as np

import wengert as wg


def seconds(run, calls=20):
    """The shortest of a few calls."""
    times = []
    for _ in range(calls):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return min(times)


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")


# A function and its gradient -------------------------------------------------------------------------------------


def misfit(p, t, y):
    """How far a damped oscillation is from measurements."""
    return np.sum((p["amplitude"] * np.exp(-p["damping"] * t) * np.cos(p["frequency"] * t) - y) ** 2)


def a_gradient():
    heading("A gradient")
    t = np.linspace(0, 10, 200)
    p = {"amplitude": np.float64(1.0), "damping": np.float64(0.2), "frequency": np.float64(2.0)}
    y = np.exp(-0.3 * t) * np.cos(2.1 * t)

    eager = wg.value_and_grad(misfit)
    fast = wg.compile(eager)
    fast(p, t, y)  # runs it, and writes down what it does
    value, gradient = fast(p, t, y)  # native code
    expected, expected_gradient = eager(p, t, y)

    np.testing.assert_allclose(value, expected)
    for name, slope in gradient.items():
        np.testing.assert_allclose(slope, expected_gradient[name])
        print(f"d misfit / d {name}: {float(slope):.4f}")
    ratio = seconds(lambda: eager(p, t, y)) / seconds(lambda: fast(p, t, y))
    print(f"native code is {ratio:.1f} times as fast")


# Values that decide ----------------------------------------------------------------------------------------------


def collatz(n):
    """Count the steps until 1: how many there are depends on the number."""
    steps = np.float64(0.0)
    while n > 1.0:
        n = 3.0 * n + 1.0 if n % 2.0 else n / 2.0
        steps = steps + 1.0
    return steps


def values_that_decide():
    heading("Values that decide")
    fast = wg.compile(collatz)
    for n in (6.0, 7.0, 6.0, 7.0, 6.0):
        assert fast(n) == collatz(n)
        print(f"{n:.0f} takes {float(fast(n)):.0f} steps")
    print(f"{fast.stats()['paths']} ways through the program were recorded")


# A training step -------------------------------------------------------------------------------------------------


def fit(compiled, steps=200):
    """Train a small network, imperatively: tensors are read and written from outside the step."""
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, (64, 1))
    y = np.sin(2 * x)
    w1 = wg.tensor(random.normal(0, 1, (1, 16)), requires_grad=True)
    w2 = wg.tensor(random.normal(0, 0.25, (16, 1)), requires_grad=True)

    def step(rate):
        loss = np.mean((np.tanh(x @ w1) @ w2 - y) ** 2)
        loss.backward()
        with wg.no_grad():
            for w in (w1, w2):
                w -= rate * w.grad
                w.grad = None
        return loss

    step = wg.compile(step) if compiled else step
    losses = [float(step(0.1 / (1 + 0.01 * k))) for k in range(steps)]  # another rate each time, one program
    return losses, w1.numpy(), step


def a_training_step():
    heading("A training step")
    losses, weights, step = fit(compiled=True)
    expected, expected_weights, _ = fit(compiled=False)
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-7)
    print(f"loss {losses[0]:.4f} before, {losses[-1]:.4f} after {len(losses)} steps")
    print(f"{step.stats()['recordings']} recording")


# Beyond gradients ------------------------------------------------------------------------------------------------


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def beyond_gradients():
    heading("Beyond gradients")
    x, v = np.linspace(-1, 1, 10), np.ones(10)
    programs = {
        "hessian": lambda x: wg.hessian(rosenbrock)(x),
        "jvp": lambda x: wg.jvp(rosenbrock, (x,), (v,))[1],
        "vmap of grad": lambda x: wg.vmap(wg.grad(rosenbrock))(np.stack([x, x + 1])),
    }
    for name, program in programs.items():
        fast = wg.compile(program)
        fast(x)
        found = fast(x + 0.5)
        np.testing.assert_allclose(found, program(x + 0.5))
        print(f"{name}: an array of shape {np.shape(found)}")


if __name__ == "__main__":
    a_gradient()
    values_that_decide()
    a_training_step()
    beyond_gradients()
