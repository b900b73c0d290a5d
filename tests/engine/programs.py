"""Random programs of views, writes and saved values, which run on tensors and on jets alike.

What a program does depends on its seed and on shapes only, so each run of one seed takes the same steps whatever its
inputs are made of.
"""

import contextlib
from dataclasses import dataclass

import numpy as np
from tests.engine import jets
from tests.engine.jets import Jet

SHAPES = [(3,), (2, 3), (3, 4), (2, 3, 2), (4, 1), (5,), (1,), (3, 3), ()]


@dataclass
class Variable:
    """A value of the program, and whether the program may write into it."""

    value: object
    writable: bool = True


class Program:
    """A function of two arrays of one shape, of value `number`, that `seed` determines.

    After a run ``values`` holds what every variable was in the end, and ``held`` what has been taken from ``.data``
    with a copy made at that moment. Each step has random numbers of its own, so that others can be left out.
    """

    def __init__(self, seed, steps=range(20), shapes=SHAPES, write_inputs=False, no_grad=None):
        self.seed, self.steps, self.write_inputs = seed, steps, write_inputs
        self.shape = shapes[seed % len(shapes)]
        self.no_grad = no_grad or contextlib.nullcontext

    def inputs(self, dtype=float):
        """Values of the arguments and two directions to differentiate along, each a pair."""
        rng = np.random.default_rng([self.seed, 1])
        turn = np.exp(1j * rng.uniform(0, 7, self.shape)) if dtype is complex else 1.0
        pairs = [[np.asarray(rng.uniform(-1, 1, self.shape) * turn, dtype) for _ in range(2)] for _ in range(3)]
        return [[np.asfortranarray(a) for a in pair] for pair in pairs] if self.seed % 2 else pairs

    def __call__(self, *inputs):
        self.variables = [Variable(x, self.write_inputs) for x in inputs]
        self.variables += [Variable(x * 1.0) for x in inputs]
        self.held = []
        for step in self.steps:
            self.rng = np.random.default_rng([self.seed, 2, step])
            take, _, condition = STEPS[self.rng.choice(len(STEPS), p=CHANCES)]
            v = self.pick(condition)
            if v is not None:
                take(self, v)
        self.rng = np.random.default_rng([self.seed, 3])
        # Some variables count, the others through what came of them; the third, so that there is always one.
        seen = [self.variables[2].value, *(v.value for v in self.variables if self.maybe(0.4))]
        loss = sum(np.real(np.sum(np.sin(x) * self.constant(x.shape))) for x in seen)
        self.values = [plain(v.value) for v in self.variables]
        return loss

    # Choosing ---------------------------------------------------------------------------------------------------

    def one_of(self, options):
        return options[self.rng.integers(len(options))]

    def maybe(self, chance):
        return self.rng.random() < chance

    def pick(self, condition):
        """A variable that fulfils a condition, or `None`."""
        fitting = [v for v in self.variables if condition(v)]
        return self.one_of(fitting) if fitting else None

    def add(self, value, writable=True):
        self.variables.append(Variable(value, writable))
        if len(self.variables) > 14:
            del self.variables[self.rng.integers(2, len(self.variables))]

    def constant(self, shape):
        values = np.asarray(self.rng.uniform(-1, 1, shape))[()]
        return np.asfortranarray(values) if np.ndim(values) > 1 and self.maybe(0.4) else values

    def fitting(self, shape):
        """Something that can be written into a region of `shape`: a variable, a constant or what `.data` gives."""
        found = self.pick(lambda v: fits(v.value.shape, shape))
        if found is None or self.maybe(0.25):
            return self.constant(shape) if self.maybe(0.5) else 0.25
        if self.maybe(0.15):
            return self.hold(found.value)
        return found.value

    def hold(self, value):
        """A constant from `.data`, which later writes must not change."""
        taken = value.data
        self.held.append((taken, np.copy(taken)))
        return taken

    # Indices ----------------------------------------------------------------------------------------------------

    def basic_index(self, shape):
        parts = []
        for n in shape:
            if self.maybe(0.1):
                parts.append(None)
            if n and self.maybe(0.25):
                parts.append(int(self.rng.integers(-n, n)))
            else:
                parts.append(self.slice(n))
        if self.maybe(0.2):
            parts = [*parts[: self.rng.integers(len(parts) + 1)], Ellipsis]
        return tuple(parts) if len(parts) != 1 or self.maybe(0.5) else parts[0]

    def slice(self, n):
        if self.maybe(0.3):
            return slice(None, None, self.one_of([None, -1]))
        start, stop = sorted(self.rng.integers(0, n + 1, 2).tolist())
        return slice(start, stop, self.one_of([None, 2])) if self.maybe(0.7) else slice(stop, None, -1)

    def advanced_index(self, value):
        """Masks, integer arrays (with repeats), lists, and both mixed with slices."""
        shape = value.shape
        kinds = [lambda: self.rng.random(shape) < 0.5, lambda: value > self.rng.uniform(-0.5, 0.5)]
        if shape[0]:
            rows = self.rng.integers(-shape[0], shape[0], self.one_of([(3,), (1,), (2, 2)]))
            kinds += [lambda: rows, lambda: rows.tolist(), lambda: (Ellipsis, self.rng.random(shape[-1]) < 0.5)]
            if len(shape) > 1 and shape[-1]:
                last = self.rng.integers(0, shape[-1], rows.shape)
                kinds += [
                    lambda: (rows, Ellipsis, last),
                    lambda: (self.slice(shape[0]), Ellipsis, np.atleast_1d(last[0])),
                ]
                kinds += [lambda: (int(rows.flat[0]), Ellipsis, last)]
        return self.one_of(kinds)()

    def index(self, value):
        return self.basic_index(value.shape) if self.maybe(0.6) else self.advanced_index(value)

    def spoil(self, index):
        """Change index arrays after they were used, which must change nothing."""
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, np.ndarray):
                part[...] = 0 if part.dtype != bool else ~part


def fits(source, target):
    """Whether NumPy broadcasts shape `source` into shape `target`."""
    try:
        return np.broadcast_shapes(source, target) == tuple(target)
    except ValueError:
        return False


def plain(value):
    return np.copy(value.value if isinstance(value, Jet) else value.data)


def anything(v):
    return True


def is_array(v):
    return v.value.ndim > 0


def is_target(v):
    return v.writable and v.value.ndim > 0


STEPS = []


def step(weight, condition=anything):
    """Decorator: a step of programs, which gets a variable that fulfils `condition`, and how often it is taken."""

    def register(function):
        STEPS.append((function, weight, condition))
        return function

    return register


# Steps: new values -----------------------------------------------------------------------------------------------


@step(2, lambda v: not v.value.ndim)
def index_a_number(program, v):
    index = program.one_of([Ellipsis, (), None, (None, None), np.array(True)])
    program.add(v.value[index], writable=False)


@step(20, is_array)
def take_view(program, v):
    x, n = v.value, v.value.ndim
    kinds = [
        lambda: x[program.basic_index(x.shape)],
        lambda: x.T,
        lambda: np.transpose(x, program.rng.permutation(n).tolist()),
        lambda: np.swapaxes(x, 0, -1),
        lambda: x.reshape(program.one_of([(-1,), (*x.shape, 1), (1, *x.shape), x.shape[::-1]])) if x.size else x[...],
        lambda: np.ravel(x),
        lambda: np.flip(x, program.one_of([None, 0, -1])),
        lambda: np.expand_dims(x, program.one_of([0, -1])),
        lambda: x[..., None],
    ]
    program.add(program.one_of(kinds)(), v.writable)


@step(1, is_array)
def broadcast(program, v):
    program.add(np.broadcast_to(v.value, (2, *v.value.shape)), writable=False)


@step(8, is_array)
def gather(program, v):
    index = program.advanced_index(v.value)
    program.add(v.value[index])
    program.spoil(index)


@step(10)
def compute_unary(program, v):
    program.add(program.one_of([np.sin, np.tanh, np.negative, np.copy, lambda x: x * 0.5, lambda x: 1.0 - x])(v.value))


@step(10)
def compute_binary(program, v):
    other = program.fitting(v.value.shape)
    program.add(program.one_of([np.add, np.subtract, np.multiply])(v.value, np.sin(other)))


@step(14, is_array)
def add(program, v):
    """Both operands get the same cotangent."""
    program.add(v.value + program.fitting(v.value.shape))


@step(3, is_array)
def reduce(program, v):
    program.add(np.sum(v.value, axis=program.one_of([None, 0, -1])))


@step(4)
def make_buffer(program, v):
    program.add(program.one_of([np.zeros_like, np.ones_like])(v.value))


@step(2)
def detach(program, v):
    """Two variables that share a buffer until one of them is written."""
    x = v.value * 1.0
    program.add(x)
    program.add(x.detach())


@step(3, is_array)
def choose(program, v):
    w = program.pick(lambda w: w.value.shape == v.value.shape)
    program.add(np.where(program.rng.random(v.value.shape) < 0.5, v.value, w.value))


@step(2, is_array)
def join(program, v):
    w = program.pick(lambda w: w.value.shape == v.value.shape)
    program.add(np.concatenate([v.value, w.value], axis=program.one_of([0, -1])))


@step(2)
def compute_constant(program, v):
    with program.no_grad():
        program.add(np.sin(v.value) * 2.0)


@step(8)
def forget(program, v):
    if len(program.variables) > 4:
        del program.variables[program.rng.integers(2, len(program.variables))]


# Steps: writes ---------------------------------------------------------------------------------------------------


@step(25, is_target)
def write_region(program, v):
    x = v.value
    index = program.index(x)
    value = program.fitting(x.data[index].shape)
    OPERATIONS[program.rng.integers(len(OPERATIONS))](x, index, value)
    program.spoil(index)


def set_item(x, index, value):
    x[index] = value


def add_item(x, index, value):
    x[index] += value


def multiply_item(x, index, value):
    x[index] *= np.sin(value)


def subtract_self(x, index, value):
    x[index] -= x[index] * 0.5


OPERATIONS = [set_item, set_item, add_item, multiply_item, subtract_self]


@step(6, lambda v: is_target(v) and v.value.shape[0] > 1)
def copy_within(program, v):
    """Writes whose source overlaps the target."""
    program.one_of([_shift, _shift_back, _reverse, _rows])(v.value)


def _shift(x):
    x[1:] = x[:-1]


def _shift_back(x):
    x[:-1] += x[1:]


def _reverse(x):
    x[...] = x[::-1]


def _rows(x):
    x[0] = x[-1]


@step(10, lambda v: v.writable)
def write_whole(program, v):
    value = program.fitting(v.value.shape)
    kind = program.rng.integers(3)
    if kind == 0:
        v.value += value
    elif kind == 1:
        v.value *= np.sin(value)
    else:
        v.value -= 0.5


@step(6, is_target)
def write_out(program, v):
    value = program.fitting(v.value.shape)
    where = True if program.maybe(0.5) else program.rng.random(v.value.shape) < 0.5
    if program.maybe(0.5):
        np.sin(program.pick(lambda w: w.value.shape == v.value.shape).value, out=v.value, where=where)
    else:
        np.multiply(v.value, value, out=v.value, where=where)


@step(4, is_target)
def add_at(program, v):
    x = v.value
    index = program.advanced_index(x)
    value = program.fitting(x.data[index].shape)
    # NumPy 2.4 reads past the end of a value that it should broadcast here.
    np.add.at(x, index, value if getattr(value, "shape", ()) in ((), x.data[index].shape) else 0.5)
    program.spoil(index)


@step(2, is_target)
def write_constant(program, v):
    index = program.index(v.value)
    with program.no_grad():
        v.value[index] = program.fitting(v.value.data[index].shape)


@step(4, lambda v: v.writable and v.value.ndim > 1 and v.value.size)
def flatten_after_adding(program, v):
    """Only the target's memory order may decide whether the flat array is a view, not that of what is added."""
    v.value += program.one_of([np.ascontiguousarray, np.asfortranarray])(program.rng.uniform(-1, 1, v.value.shape))
    program.add(v.value.reshape(-1))


@step(4, is_array)
def hold(program, v):
    program.hold(v.value)


CHANCES = np.array([weight for _, weight, _ in STEPS]) / sum(weight for _, weight, _ in STEPS)


# Expectations ----------------------------------------------------------------------------------------------------


def expected(program, dtype=float, directions=None):
    """Values of all variables and the loss as a jet, computed by NumPy alone."""
    points, *own_directions = program.inputs(dtype)
    first, second = directions or own_directions
    free, program.no_grad = program.no_grad, jets.no_grad
    try:
        loss = program(*(Jet(*(a.copy("K")[()] for a in parts)) for parts in zip(points, first, second, strict=True)))
    finally:
        program.no_grad = free
    return program.values, loss
