"""What is compared: compiled wengert, JAX's `jit`, PyTorch eager, `torch.compile`, and C by hand.

A workload is written over `system.np` and the few functions beside it, and asks for `value_and_grad`, `hessian` and so
on of it. What these give takes the system's own arrays, made by `arguments`. Programs hold on to functions, as a user's
would, and not to the system.
"""

import importlib
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import peers
from . import floor


class Spelling(peers.Peer):
    """What a system calls a function that NumPy has not, or not under this name."""

    np: Any

    def notes(self) -> list[str]:
        """Return what is to be told about the latest program, beside its time."""
        return []

    def arguments(self, arrays: Sequence, wrt: int) -> list:
        """Return the arguments of a function, of which the first `wrt` are differentiated."""
        return [self.constant(x) for x in arrays]


def layer_norm_of(xp: Any) -> Callable:
    def layer_norm(x, scale, shift):
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        variance = xp.mean(centred * centred, axis=-1, keepdims=True)
        return centred / xp.sqrt(variance + 1e-5) * scale + shift

    return layer_norm


def attention_of(xp: Any, softmax: Callable) -> Callable:
    def attention(q, k, v):
        scores = q @ xp.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]))
        return softmax(scores) @ v

    return attention


class Compiled(Spelling, peers.Wengert):
    """Ours: plain NumPy and SciPy functions under `compile`."""

    label = "wengert"

    def __init__(self) -> None:
        super().__init__()
        special = importlib.import_module("scipy.special")
        self.nn = importlib.import_module("wengert.nn")  # before anything is timed, as JAX's is
        self.erf, self.sigmoid = special.erf, special.expit
        self.softplus, self.logsumexp = self.wg.softplus, self.wg.logsumexp
        self.relu, self.cross_entropy = self.nn.relu, self.nn.cross_entropy
        self.layer_norm, self.attention = layer_norm_of(np), attention_of(np, self.wg.softmax)
        self.compiler = importlib.import_module("wengert.compiler.api").compile
        self.latest: Any = None

    def compile(self, f: Callable) -> Callable:
        self.latest = self.compiler(f)
        return self.latest

    def notes(self):
        """Return what stayed NumPy's, and why."""
        lines = [line.strip() for line in self.latest.explain().splitlines()] if self.latest else []
        told = [line.partition(";")[2] or line for line in lines if "NumPy" in line or "not compiled" in line]
        return [shortened(line.strip()) for line in dict.fromkeys(told)]

    def value_and_grad(self, f: Callable, wrt: int) -> Callable:
        return self.compile(self.wg.value_and_grad(f, tuple(range(wrt))))

    def hessian(self, f):
        return self.compile(self.wg.hessian(f))

    def hvp(self, f):
        hvp = self.wg.hvp
        return self.compile(lambda x, v: hvp(f, (x,), (v,))[1][0])

    def rows(self, f, wrt, count):
        """Return the gradients of each column's sum in turn."""
        gradients = [self.wg.grad(lambda *a, i=i: np.sum(f(*a)[:, i]), tuple(range(wrt))) for i in range(count)]
        return self.compile(lambda *a: [gradient(*a) for gradient in gradients])

    def training(self, loss, parameters, rate):
        """A whole imperative step: the tensors and their gradients are state of the compiled function."""
        parameters = [self.leaf(p) for p in parameters]
        step = self.compile(peers.imperative_step(loss, parameters, rate, self.wg.no_grad))
        return lambda: (step(), parameters)


class Eager(Compiled):
    """Wengert without the compiler."""

    name = label = "eager"

    def compile(self, f):
        return f


def shortened(line: str) -> str:
    """Say each name once in a list."""
    head, _, names = line.partition(": ")
    return f"{head}: {', '.join(dict.fromkeys(names.split(', ')))}" if names else line


class Jax(Spelling, peers.Jax):
    label = "jax.jit"

    def __init__(self) -> None:
        super().__init__()
        nn, special = self.jax.nn, importlib.import_module("jax.scipy.special")
        self.erf, self.sigmoid, self.softplus = special.erf, nn.sigmoid, nn.softplus
        self.layer_norm, self.attention = layer_norm_of(self.np), attention_of(self.np, nn.softmax)
        self.logsumexp, self.scan = special.logsumexp, self.jax.lax.scan

    def compile(self, f: Callable) -> Callable:
        fast, wait = self.jax.jit(f), self.jax.block_until_ready
        return lambda *args: wait(fast(*args))

    def value_and_grad(self, f, wrt):
        return self.compile(self.jax.value_and_grad(f, tuple(range(wrt))))

    def hessian(self, f):
        return self.compile(self.jax.hessian(f))

    def hvp(self, f):
        return self.compile(lambda x, v: self.jax.jvp(self.jax.grad(f), (x,), (v,))[1])

    def rows(self, f, wrt, count):
        every = range(count)
        gradients = [self.jax.grad(lambda *a, i=i: f(*a)[:, i].sum(), tuple(range(wrt))) for i in every]
        return self.compile(lambda *a: [gradient(*a) for gradient in gradients])


class Torch(Spelling, peers.Torch):
    label = "PyTorch"

    def __init__(self) -> None:
        super().__init__()
        functional = self.torch.nn.functional
        self.erf, self.sigmoid, self.softplus = self.torch.erf, self.torch.sigmoid, functional.softplus
        self.attention, self.logsumexp = functional.scaled_dot_product_attention, self.torch.logsumexp

    def layer_norm(self, x, scale, shift):
        return self.torch.nn.functional.layer_norm(x, scale.shape, scale, shift)

    def arguments(self, arrays, wrt):
        return [self.leaf(x) if i < wrt else self.constant(x) for i, x in enumerate(arrays)]

    def compile(self, f: Callable) -> Callable:
        return f

    def value_and_grad(self, f, wrt):
        fast, grad = self.compile(f), self.torch.autograd.grad

        def run(*args):
            value = fast(*args)
            return value.detach(), grad(value, args[:wrt])

        return run

    def hessian(self, f):
        return self.compile(self.torch.func.hessian(f))

    def hvp(self, f):
        func = self.torch.func
        return self.compile(lambda x, v: func.jvp(func.grad(f), (x,), (v,))[1])

    def rows(self, f, wrt, count):
        every, grad = range(count), self.torch.autograd.grad
        fast = self.compile(lambda *a: tuple(f(*a)[:, i].sum() for i in every))

        def run(*args):
            sums = fast(*args)
            return [grad(sums[i], args[:wrt], retain_graph=i < count - 1) for i in every]

        return run

    def training(self, loss, parameters, rate):
        return super().training(self.compile(loss), parameters, rate)


class TorchCompiled(Torch):
    """`torch.compile` of the function; PyTorch compiles its gradient along with it. Needs a C++ compiler."""

    name = label = "torch.compile"

    def __init__(self) -> None:
        super().__init__()
        self.torch._dynamo.config.recompile_limit = 64

    def compile(self, f):
        return self.torch.compile(f, dynamic=False)


class Floor(Spelling):
    """C by hand, for this one program: what a compiler could reach. Half of each turn with one thread, like PyTorch."""

    name, label, module, distribution = "floor", "C by hand", "numpy", "numpy"
    np = np

    def __init__(self) -> None:
        self.library = floor.load()
        self.thread_choices = (1, int(os.environ.get(peers.THREADS, "1")))

    def use_threads(self, number):
        self.library.use_threads(number)

    @classmethod
    def is_present(cls) -> bool:
        return floor.LIBRARY in os.environ

    def gradient(self, name: str, *inputs: Any, like: Sequence) -> Callable:
        """Return a function of no arguments: the C function of this name, gradients shaped like these arrays."""
        return floor.bound(getattr(self.library, name), inputs, like)


SYSTEMS: dict[str, Any] = {s.name: s for s in (Compiled, Eager, Jax, Torch, TorchCompiled, Floor)}
SUBJECT = Compiled.name
RIVALS = (Jax.name, Torch.name, TorchCompiled.name)


def load(name: str) -> Any:
    """Import the library of this name, and run something small: what a library sets up once is no compile time."""
    if name in RIVALS:
        sys.setrecursionlimit(20_000)  # they descend into programs of thousands of steps
    system = SYSTEMS[name]()
    if name != Floor.name:
        gradient = system.value_and_grad(lambda x: system.np.sum(system.np.sin(x)), 1)
        for _ in range(3):
            gradient(*system.arguments([np.linspace(0, 1, 3)], 1))
    return system
