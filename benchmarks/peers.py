"""The libraries compared: how each makes a leaf, names a function and takes a gradient.

A workload writes its program once, over `peer.np` (a module with NumPy's names) and operators, and
hands it to `peer.gradient`. Everything here is the spelling that each library's own documentation
recommends; where one has a function of its own (cross-entropy, say), it gets it.
"""

import importlib
import importlib.util
import os
from functools import cached_property

import numpy as np

THREADS = "BENCHMARK_THREADS"


def imperative_step(loss, parameters, rate, no_grad):
    """A step of gradient descent that writes the parameters, for libraries whose tensors have PyTorch's methods."""

    def step():
        value = loss(*parameters)
        value.backward()
        with no_grad():
            for p in parameters:
                p -= rate * p.grad
                p.grad = None
        return value

    return step


class Peer:
    """One library. Importing it is left to the constructor: parents only look at the class."""

    name = ""
    label = ""
    module = ""  # what must be importable
    distribution = ""  # whose version is reported
    spelling = ""  # how a function is called, where the same library stands here twice
    thread_choices = (0, 0)  # for the two halves of a turn; 0: as they are

    @classmethod
    def is_present(cls) -> bool:
        return importlib.util.find_spec(cls.module) is not None

    def use_threads(self, number: int) -> None:
        """Change the number of threads from now on."""

    def leaf(self, array):
        """Make the peer's array that collects a gradient."""
        raise NotImplementedError

    def constant(self, array):
        """Make the peer's array that does not."""
        return array

    def zeros(self, n: int):
        """Make a float64 buffer that the program will write into."""
        raise NotImplementedError

    def read(self, value) -> np.ndarray:
        """Any of the peer's results as a NumPy array, to compare it."""
        return np.asarray(value)

    def gradient(self, f, *arrays, seed=None):
        """Make a function of no arguments: f at the arrays, then backward; gives f's value and gradients.

        `seed` is the cotangent of a result that is not a scalar.
        """
        raise NotImplementedError

    def training(self, loss, parameters, rate):
        """Make a function of no arguments: one step of gradient descent; gives the loss and parameters."""
        raise NotImplementedError

    def relu(self, x):
        return self.np.maximum(x, 0)

    def cross_entropy(self, z, labels):
        """Return the mean of -log softmax(z)[label] over the rows."""
        xp = self.np
        z = z - xp.max(z, axis=1, keepdims=True)
        picked = z[np.arange(len(labels)), labels]
        return xp.mean(xp.log(xp.sum(xp.exp(z), axis=1)) - picked)


class Numpy(Peer):
    """The reverse pass written out by hand: what is left when no library helps, nor costs."""

    name, label, module, distribution = "numpy", "NumPy by hand", "numpy", "numpy"
    np = np


class Wengert(Peer):
    name, label, module, distribution = "wengert", "wengert", "wengert", "wengert"
    spelling = "np.sin(x)"

    def __init__(self):
        self.wg = importlib.import_module("wengert")
        self.np = np

    def leaf(self, array):
        return self.wg.tensor(array, requires_grad=True)

    @cached_property
    def nn(self):
        return importlib.import_module("wengert.nn")

    def relu(self, x):
        return self.nn.relu(x)

    def cross_entropy(self, z, labels):
        return self.nn.cross_entropy(z, labels)

    def zeros(self, n):
        return self.wg.zeros(n)

    def read(self, value):
        return np.asarray(getattr(value, "data", value))

    def gradient(self, f, *arrays, seed=None):
        leaves = [self.leaf(a) for a in arrays]

        def run():
            for leaf in leaves:
                leaf.grad = None
            y = f(*leaves)
            y.backward(seed)
            return y, [leaf.grad for leaf in leaves]

        return run

    def training(self, loss, parameters, rate):
        parameters = [self.leaf(p) for p in parameters]
        step = imperative_step(loss, parameters, rate, self.wg.no_grad)
        return lambda: (step(), parameters)


class WengertNamespace(Wengert):
    """The same engine, called as `wengert.numpy.sin(x)`: without NumPy's dispatch in between."""

    name, label, spelling = "wengert.numpy", "wengert.numpy", "wengert.numpy.sin(x)"

    def __init__(self):
        super().__init__()
        self.np = importlib.import_module("wengert.numpy")


class Torch(Peer):
    """Its threads wait for each other, and lose a hundredfold when another program takes a core.

    So that a busy machine does not make it look bad, it runs with one in half of each turn.
    """

    name, label, module, distribution = "torch", "PyTorch", "torch", "torch"

    def __init__(self):
        self.torch = self.np = importlib.import_module("torch")
        self.thread_choices = (1, int(os.environ.get(THREADS, "1")))

    def use_threads(self, number):
        self.torch.set_num_threads(number)

    def leaf(self, array):
        return self.torch.tensor(array, requires_grad=True)

    def constant(self, array):
        return self.torch.tensor(array)

    def zeros(self, n):
        return self.torch.zeros(n, dtype=self.torch.float64)

    def read(self, value):
        return value.detach().numpy()

    def relu(self, x):
        return self.torch.relu(x)

    def cross_entropy(self, z, labels):
        return self.torch.nn.functional.cross_entropy(z, labels)

    def gradient(self, f, *arrays, seed=None):
        leaves = [self.leaf(a) for a in arrays]
        seed = None if seed is None else self.constant(seed)

        def run():
            for leaf in leaves:
                leaf.grad = None
            y = f(*leaves)
            y.backward(seed)
            return y, [leaf.grad for leaf in leaves]

        return run

    def training(self, loss, parameters, rate):
        parameters = [self.leaf(p) for p in parameters]
        step = imperative_step(loss, parameters, rate, self.torch.no_grad)
        return lambda: (step(), parameters)


class Autograd(Peer):
    name, label, module, distribution = "autograd", "HIPS autograd", "autograd", "autograd"

    def __init__(self):
        self.autograd = importlib.import_module("autograd")
        self.np = importlib.import_module("autograd.numpy")

    def gradient(self, f, *arrays, seed=None):
        make_vjp = self.autograd.make_vjp(f, tuple(range(len(arrays))))
        seed = np.float64(1.0) if seed is None else seed

        def run():
            vjp, y = make_vjp(*arrays)
            return y, vjp(seed)

        return run

    def training(self, loss, parameters, rate):
        parameters = [p.copy() for p in parameters]
        value_and_grad = self.autograd.value_and_grad(loss, tuple(range(len(parameters))))

        def run():
            value, gradients = value_and_grad(*parameters)
            for p, g in zip(parameters, gradients, strict=True):
                p -= rate * g
            return value, parameters

        return run


class MyGrad(Peer):
    name, label, module, distribution = "mygrad", "MyGrad", "mygrad", "mygrad"

    def __init__(self):
        self.np = importlib.import_module("mygrad")
        self.nnet = importlib.import_module("mygrad.nnet")

    def leaf(self, array):
        return self.np.tensor(array)

    def zeros(self, n):
        return self.np.zeros(n)

    def read(self, value):
        return np.asarray(getattr(value, "data", value))

    def relu(self, x):
        return self.nnet.relu(x)

    def cross_entropy(self, z, labels):
        return self.nnet.softmax_crossentropy(z, labels)

    def gradient(self, f, *arrays, seed=None):
        leaves = [self.leaf(a) for a in arrays]

        def run():  # a leaf drops its old gradient by itself when it is used again
            y = f(*leaves)
            y.backward(seed)
            return y, [leaf.grad for leaf in leaves]

        return run

    def training(self, loss, parameters, rate):
        parameters = [self.leaf(p) for p in parameters]

        def run():
            value = loss(*parameters)
            value.backward()
            for p in parameters:
                p.data -= rate * p.grad
            return value, parameters

        return run


class Jax(Peer):
    """Compiled, and so no peer of an eager engine: shown where it runs the program unchanged."""

    name, label, module, distribution = "jax", "JAX, jit", "jax", "jax"

    def __init__(self):
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_enable_x64", True)
        self.np = importlib.import_module("jax.numpy")

    def constant(self, array):
        return self.np.asarray(array)

    def gradient(self, f, *arrays, seed=None):
        arrays = [self.constant(a) for a in arrays]
        value_and_grad = self.jax.jit(self.jax.value_and_grad(f, tuple(range(len(arrays)))))
        return lambda: self.jax.block_until_ready(value_and_grad(*arrays))

    def training(self, loss, parameters, rate):
        value_and_grad = self.jax.value_and_grad(lambda parameters: loss(*parameters))
        parameters = [self.constant(p) for p in parameters]

        @self.jax.jit
        def step(parameters):
            value, gradients = value_and_grad(parameters)
            return value, [p - rate * g for p, g in zip(parameters, gradients, strict=True)]

        def run():
            nonlocal parameters
            value, parameters = self.jax.block_until_ready(step(parameters))
            return value, parameters

        return run


PEERS = {p.name: p for p in (Wengert, WengertNamespace, Torch, Autograd, MyGrad, Numpy, Jax)}
SUBJECTS = (Wengert.name, WengertNamespace.name)  # whom the budgets bind


def load(name: str) -> Peer:
    """Import the library of the peer of this name."""
    return PEERS[name]()
