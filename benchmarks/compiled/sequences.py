"""Programs with loops over time, written as loops; JAX gets its `lax.scan`."""

from itertools import cycle
from math import sin

import numpy as np

from ..workloads import scalars
from .workload import UNROLLED, Workload, differentiated

# LSTM without products of matrices, predicting letters -------------------------------------------------------------


def lstm_data(layers, steps, letters):
    random = np.random.default_rng(9)
    text = np.eye(letters)[random.integers(0, letters, steps)]
    shapes = ((2 * layers, 4 * letters), (3, letters), (2 * layers, letters))
    return (*(random.uniform(-1, 1, shape) for shape in shapes), text)


def lstm_loss(system, layers, steps, letters):
    xp, sigmoid, b = system.np, system.sigmoid, letters

    def cell(weights, extra, state, letter):
        x, new = letter * extra[0], []
        for k in range(layers):
            h, c = state[2 * k], state[2 * k + 1]
            gates = xp.concatenate([x, h, x, h]) * weights[2 * k] + weights[2 * k + 1]
            forget, take, give = (sigmoid(gates[i * b : (i + 1) * b]) for i in range(3))
            c = c * forget + take * xp.tanh(gates[3 * b :])
            x = give * xp.tanh(c)
            new += [x, c]
        return x * extra[1] + extra[2], new

    def surprise(y, letter):
        return xp.sum(letter * (y - xp.log(2 + xp.sum(xp.exp(y)))))

    def loop(weights, extra, start, text):
        state, total = [start[i] for i in range(2 * layers)], 0.0
        for t in range(steps - 1):
            y, state = cell(weights, extra, state, text[t])
            total = total + surprise(y, text[t + 1])
        return -total / ((steps - 1) * b)

    def scan(weights, extra, start, text):
        def body(carried, letters):
            y, state = cell(weights, extra, carried[0], letters[0])
            return (state, carried[1] + surprise(y, letters[1])), None

        begin = [start[i] for i in range(2 * layers)], 0.0
        return -system.scan(body, begin, (text[:-1], text[1:]))[0][1] / ((steps - 1) * b)

    return scan if system.name == "jax" else loop


def lstm_inputs(weights, extra, start, text):
    return len(start) // 2, *text.shape, weights, extra, start, text


lstm = differentiated(2, "lstm")(lstm_data, lstm_loss, lstm_inputs)

# A recurrent network -----------------------------------------------------------------------------------------------


def rnn_data(steps, batch, hidden, inputs):
    """Weights of the input and of the state, a bias; a series and what the last state shall be."""
    random = np.random.default_rng(16)
    scales = {(inputs, hidden): 1 / 6, (hidden, hidden): 1 / 8, (hidden,): 0.1}
    weights = [scale * random.standard_normal(shape, np.float32) for shape, scale in scales.items()]
    series, target = ((steps, batch, inputs), (batch, hidden))
    return [np.float32(w) for w in weights] + [random.standard_normal(shape, np.float32) for shape in (series, target)]


def rnn_loss(system, steps, batch, hidden, inputs):
    xp = system.np

    def entering(wx, bias, series):
        return (series.reshape((steps * batch, inputs)) @ wx).reshape((steps, batch, hidden)) + bias

    def loop(wx, wh, bias, series, target):
        x = entering(wx, bias, series)
        h = xp.tanh(x[0])
        for t in range(1, steps):
            h = xp.tanh(h @ wh + x[t])
        return xp.mean((h - target) ** 2)

    def scan(wx, wh, bias, series, target):
        def body(h, x):
            return xp.tanh(h @ wh + x), None

        h, _ = system.scan(body, xp.zeros_like(target), entering(wx, bias, series))
        return xp.mean((h - target) ** 2)

    return scan if system.name == "jax" else loop


rnn = differentiated(3)(rnn_data, rnn_loss)

# A scalar program with `while` and `if` ------------------------------------------------------------------------------


def orbit_by_scan(system, steps):
    """The same rewritten: at most two halvings, both turns taken and one chosen."""
    xp = system.np

    def f(x, y):
        def body(carried, _):
            a, total = carried
            a = a * y + x
            for _ in range(2):
                a = xp.where(a > 1.0, a * 0.5, a)
            a = system.jax.lax.cond(a > 0.6, lambda a: xp.sin(a) - x, lambda a: a + 0.25, a)
            return (a, total + a), None

        return system.scan(body, (x, x), None, length=steps)[0][1]

    return f


def orbit_function(system, steps):
    if system.name == "jax":
        return orbit_by_scan(system, steps)
    sine = system.np.sin
    return lambda x, y: scalars.orbit(sine, x, y, steps=steps)


def inputs_on_other_paths(count, steps):
    """Return pairs of numbers, each of which takes another path; the first are those of the eager benchmark."""
    random, found = np.random.default_rng(22), {}
    x, y = scalars.X, scalars.Y
    while len(found) < count:
        operations = []
        scalars.orbit(sin, x, y, operations.append, steps)
        found.setdefault(tuple(operations), (np.float64(x), np.float64(y)))
        x, y = random.uniform(0.2, 0.5), random.uniform(1.2, 1.5)
    return list(found.values())


def known_paths(system, steps, paths):
    """Calls that go through a few inputs in turn."""
    pairs = inputs_on_other_paths(paths, steps)
    if system.name == "floor":
        slopes = [np.empty(()), np.empty(())]
        calls = cycle([system.gradient("orbit", steps, x, y, like=slopes) for x, y in pairs])
        return lambda: next(calls)()
    gradient = system.value_and_grad(orbit_function(system, steps), 2)
    points = [system.arguments(pair, 2) for pair in pairs]
    for point in 2 * points if paths > 1 else []:
        gradient(*point)  # ours records a path when it is met again
    calls = cycle(points)
    return lambda: gradient(*next(calls))


def new_paths(system, steps, before_anew):
    """Calls none of which takes a path that was seen; after some, all that is known is forgotten.

    So that a function does not give up compiling while it is measured.
    """
    function, pairs = orbit_function(system, steps), cycle(inputs_on_other_paths(5 * before_anew, steps))
    gradient, calls = None, 0

    def run():
        nonlocal gradient, calls
        if calls % before_anew == 0:
            gradient = system.value_and_grad(function, 2)
        calls += 1
        return gradient(*system.arguments(next(pairs), 2))

    return run


OPERATIONS = scalars.operations()

WORKLOADS = [
    Workload(
        "lstm",
        "LSTM, 2 layers, 1,023 steps",
        lstm,
        {"layers": 2, "steps": 1024, "letters": 14},
        {"layers": 2, "steps": 6, "letters": 5},
        0.4,
        left_out={"torch.compile": UNROLLED},
    ),
    Workload(
        "rnn",
        "tanh-RNN, hidden 64, batch 32, 200 steps",
        rnn,
        {"steps": 200, "batch": 32, "hidden": 64, "inputs": 32},
        {"steps": 5, "batch": 3, "hidden": 4, "inputs": 2},
        0.7,
        beside=(),
        left_out={"torch.compile": UNROLLED},
        tolerance=1e-3,
    ),
    Workload(
        "scalars",
        f"some {OPERATIONS:,} scalar operations, paths seen before",
        known_paths,
        {"steps": scalars.STEPS, "paths": 4},
        {"steps": 20, "paths": 2},
        0.02,
        rivals=("torch",),
        beside=("eager", "jax", "floor"),
        changes_for_first_call={"paths": 1},
        note="jax.jit runs a program that was rewritten for it",
    ),
    Workload(
        "scalars",
        f"some {OPERATIONS:,} scalar operations, a new path each time",
        new_paths,
        {"steps": scalars.STEPS, "before_anew": 12},
        {"steps": 20, "before_anew": 2},
        1.3,
        rivals=("eager",),
        beside=("torch",),
        is_compiled_once=False,
    ),
]
