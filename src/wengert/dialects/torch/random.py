"""Random numbers: a Mersenne Twister that is read as PyTorch reads its own on the CPU, so that seeds give its numbers.

The methods of `Generator` give PyTorch's own numbers (to rounding), but for `other`, which has the right distribution
only (``poisson``, ``geometric_``, ``log_normal_``, ``cauchy_``).
"""

import functools
import math
import operator
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from wengert.dialects.torch import dtypes
from wengert.dialects.torch.creation import made, shape_of
from wengert.dialects.torch.dtypes import as_numpy, check_options
from wengert.dialects.torch.errors import TorchError
from wengert.dialects.torch.making import bare, titled
from wengert.dialects.torch.promotion import refused
from wengert.dialects.torch.tensor import Tensor
from wengert.random import as_array, drawn, is_recording, leave_to_python
from wengert.writes import write

DEFAULT_SEED = 67280421310721
BLOCK = 16
"""So many normal numbers are made at a time, from 8 pairs; fewer are made one by one."""


def _recorded(draw: Callable) -> Callable:
    """A method whose numbers a compiled function draws anew at each call."""

    @functools.wraps(draw)
    def method(self: "Generator", *args: Any) -> np.ndarray:
        if not is_recording():
            return draw(self, *args)
        _check_allowed()
        return drawn(self, draw.__name__, *args)

    return method


class _Bits:
    """Where a generator is, by the name that NumPy's have for it."""

    def __init__(self, generator: "Generator"):
        self._generator = generator

    @property
    def state(self) -> tuple:
        """All that decides what is drawn next."""
        return self._generator._bits.state, self._generator._spare

    @state.setter
    def state(self, state: tuple) -> None:
        self._generator._bits.state, self._generator._spare = state


class Generator:
    """A source of random numbers."""

    def __init__(self, device: Any = "cpu"):
        dtypes.check_device("Generator", device)
        self.device = dtypes.CPU
        self.manual_seed(DEFAULT_SEED)

    def manual_seed(self, seed: int) -> "Generator":
        """Start again from a seed; returns itself."""
        leave_to_python("it seeds a generator of random numbers", self if hasattr(self, "_bits") else None)
        self._seed = operator.index(seed)
        legacy = np.random.RandomState(self._seed & 0xFFFFFFFF)
        self._bits: Any = np.random.MT19937()
        state: Any = legacy.get_state(legacy=False)
        self._bits.state = state
        self._spare: float | None = None
        return self

    def seed(self) -> int:
        """Start again from the clock; returns the seed."""
        return self.manual_seed(time.time_ns() & 0xFFFFFFFF).initial_seed()

    def initial_seed(self) -> int:
        """The seed that it was started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state, as a tensor of bytes."""
        leave_to_python("it reads the state of a generator of random numbers", self)
        state = self._bits.state["state"]
        spare = np.array([np.nan if self._spare is None else self._spare])
        words = np.concatenate([state["key"], [state["pos"]]]).astype(np.uint32)
        return made(np.concatenate([words.view(np.uint8), spare.view(np.uint8)]))

    def set_state(self, new_state: Tensor) -> None:
        """Go on from a state that `get_state` gave."""
        leave_to_python("it sets the state of a generator of random numbers", self)
        value = np.array(bare(new_state), np.uint8)
        words, spare = value[:-8].view(np.uint32), value[-8:].view(np.float64)[0]
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": words[:-1], "pos": int(words[-1])}}
        self._spare = None if np.isnan(spare) else float(spare)

    @property
    def bit_generator(self) -> _Bits:
        """The state, to be kept and set again."""
        return _Bits(self)

    # Numbers --------------------------------------------------------------------------------------------------------

    def words(self, n: int) -> np.ndarray:
        """Draws of 32 bits."""
        _check_allowed()
        return self._bits.random_raw(n).astype(np.uint64)

    def long_words(self, n: int) -> np.ndarray:
        """Draws of 64 bits, of two each."""
        pairs = self.words(2 * n).reshape(n, 2)
        return (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]

    @_recorded
    def uniform(self, n: int, dtype: Any) -> np.ndarray:
        """Numbers in [0, 1): as many bits as the dtype holds."""
        if dtype == np.float64:
            return (self.long_words(n) & np.uint64((1 << 53) - 1)) * 2.0**-53
        bits = 11 if dtype == np.float16 else 24
        return ((self.words(n) & np.uint64((1 << bits) - 1)) * 2.0**-bits).astype(dtype)

    @_recorded
    def normal(self, n: int, dtype: Any) -> np.ndarray:
        """Standard normal numbers, by the method of Box and Muller."""
        if n < BLOCK:
            return np.array([self._one_normal() for _ in range(n)], dtype)
        kind = np.float64 if dtype == np.float64 else np.float32
        u = self.uniform(n, kind)
        result = u.copy()
        whole = n - n % BLOCK
        result[:whole] = _box_muller(u[:whole])
        if n % BLOCK:
            result[-BLOCK:] = _box_muller(self.uniform(BLOCK, kind))
        return result.astype(dtype)

    def _one_normal(self) -> float:
        if self._spare is not None:
            value, self._spare = self._spare, None
            return value
        first, second = self.uniform(2, np.float64).tolist()
        radius, angle = math.sqrt(-2 * math.log1p(-second)), 2 * math.pi * first
        self._spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    @_recorded
    def integers(self, low: int, high: int, n: int) -> np.ndarray:
        """Whole numbers in [low, high)."""
        span = high - low
        draws = self.long_words(n) if span >= 1 << 28 else self.words(n)
        return (draws % np.uint64(span)).astype(np.int64) + low

    @_recorded
    def exponential(self, n: int) -> np.ndarray:
        """Exponentially distributed numbers with mean 1."""
        return -np.log1p(-self.uniform(n, np.float64))

    @_recorded
    def permutation(self, n: int) -> np.ndarray:
        """The numbers below `n` in random order: each in turn changes places with one behind it."""
        order = list(range(n))
        draws = self.words(max(n - 1, 0)).tolist()
        for i, draw in enumerate(draws):
            j = i + draw % (n - i)
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)

    def other(self) -> np.random.Generator:
        """A generator of NumPy's on the same bits, for distributions whose algorithm is another than PyTorch's."""
        _check_allowed()
        leave_to_python("it draws random numbers of a distribution that a program does not know", self)
        return np.random.Generator(self._bits)


forbidden: ContextVar[bool] = ContextVar("random_numbers_forbidden", default=False)
"""Whether random numbers may not be drawn here: inside `vmap` that was not told what to do about them."""


def _check_allowed() -> None:
    if forbidden.get():
        raise TorchError(
            "[vmap] vmap: called random operation while in randomness error mode. Please either use the 'same' or "
            "'different' randomness flags on vmap or perform the randomness operation out of vmap"
        )


def _box_muller(u: np.ndarray) -> np.ndarray:
    """Normal numbers of uniform ones, in blocks: the first half gives radii, the second angles."""
    blocks = u.reshape(-1, 2, BLOCK // 2)
    radius = np.sqrt(-2 * np.log(1 - blocks[:, 0]))
    angle = blocks.dtype.type(2 * math.pi) * blocks[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(u.shape)


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default generator again from a seed."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator again from the clock; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Make the default generator go on from a state."""
    default_generator.set_state(new_state)


class fork_rng:
    """Inside, the default generator may be used; afterwards it goes on from where it was."""

    def __init__(self, devices: Any = None, enabled: bool = True):
        self._enabled = enabled

    def __enter__(self) -> None:
        self._state = get_rng_state()

    def __exit__(self, *exception: Any) -> None:
        if self._enabled:
            set_rng_state(self._state)


# Factories ---------------------------------------------------------------------------------------------------------


def _drawn(draw: str, shape: tuple, dtype: Any, generator: Any) -> np.ndarray:
    source = generator or default_generator
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        pairs = getattr(source, draw)(2 * math.prod(shape), part) * math.sqrt(0.5 if draw == "normal" else 1)
        return pairs.astype(part).view(dtype).reshape(shape)
    if dtype.kind != "f":
        raise TorchError(f"[{draw}] a floating-point dtype was required: not implemented for {dtypes.of_numpy(dtype)}")
    return getattr(source, draw)(math.prod(shape), dtype).reshape(shape)


def _factory(name: str, draw: str, summary: str) -> Callable:
    def factory(
        *sizes: Any, size: Any = None, generator: Any = None, out: Any = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
    ) -> Tensor:  # fmt: skip
        check_options(name, device, layout)
        wanted = dtypes.default_dtype() if dtype is None else as_numpy(dtype)
        return made(_drawn(draw, shape_of(name, sizes, size), wanted, generator), requires_grad)

    return titled(factory, name, summary)


def _like(name: str, draw: str, summary: str) -> Callable:
    def factory(
        input: Tensor, *, generator: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, memory_format: Any = None,
    ) -> Tensor:  # fmt: skip
        check_options(name, device, layout)
        wanted = input._spec.dtype if dtype is None else as_numpy(dtype)
        return made(_drawn(draw, input._spec.shape, wanted, generator), requires_grad)

    return titled(factory, name, summary)


rand = _factory("rand", "uniform", "Numbers that are uniformly distributed in [0, 1).")
randn = _factory("randn", "normal", "Numbers of the standard normal distribution.")
rand_like = _like("rand_like", "uniform", "Numbers in [0, 1), in the shape and dtype of `input`.")
randn_like = _like("randn_like", "normal", "Normal numbers, in the shape and dtype of `input`.")


def randint(
    low: Any, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers in [low, high), or below `low` if it is alone."""
    check_options("randint", device, layout)
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if high <= low:
        raise TorchError(f"[randint] random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    shape = shape_of("randint", (size,))
    draws = (generator or default_generator).integers(int(low), int(high), math.prod(shape)).reshape(shape)
    return made(draws if dtype is None else draws.astype(as_numpy(dtype)), requires_grad)


def randint_like(input: Tensor, low: Any, high: Any = None, *, dtype: Any = None, **options: Any) -> Tensor:
    """Whole numbers in [low, high), in the shape and dtype of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input._spec.shape, dtype=dtype or input.dtype, **options)


def randperm(
    n: int, *, generator: Any = None, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The numbers below `n` in random order."""
    check_options("randperm", device, layout)
    order = (generator or default_generator).permutation(n)
    return made(order if dtype is None else order.astype(as_numpy(dtype)), requires_grad)


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None, **options: Any
) -> Tensor:
    """Normal numbers with a mean and a standard deviation, or with those that tensors hold."""
    center, scale = bare(mean), bare(std)
    shape = np.broadcast_shapes(np.shape(center), np.shape(scale)) if size is None else shape_of("normal", (size,))
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    wanted = as_numpy(dtype) or (tensors[0]._spec.dtype if tensors else dtypes.default_dtype())
    drawn = _drawn("normal", shape, wanted, generator)
    return made((drawn * scale + center).astype(wanted), options.get("requires_grad", False))


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """1 with the probability that each element of `input` is (or with `p`), otherwise 0."""
    source = generator or default_generator
    drawn = _chosen(source, input._spec.shape, bare(input) if p is None else bare(p))
    return made(drawn.astype(input._spec.dtype))


def _chosen(source: Generator, shape: tuple, p: Any) -> np.ndarray:
    """Whether each of several events happens: drawn in double precision for one probability, else in that of `p`."""
    if np.any((p < 0) | (p > 1)):
        raise TorchError(f"[bernoulli] Expected p_in >= 0 && p_in <= 1: probabilities lie in [0, 1]; received {p}")
    dtype = np.float32 if getattr(p, "dtype", None) == np.float32 else np.float64
    return source.uniform(math.prod(shape), dtype).reshape(shape) < p


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Positions drawn with the probabilities that rows of `input` are proportional to."""
    weights = as_array(bare(input))
    if weights.dtype.kind != "f":
        raise TorchError(f"[multinomial] multinomial only supports floating-point dtypes for input; got {input.dtype}")
    if np.any(~(weights >= 0)) or np.any(np.isinf(weights)) or np.any(weights.sum(-1) <= 0):
        raise TorchError("[multinomial] probability tensor contains either inf, nan or element < 0, or sums to 0")
    if not replacement and np.any((weights > 0).sum(-1) < num_samples):
        raise TorchError("[multinomial] cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    source = generator or default_generator
    if replacement and num_samples > 1:
        sums = np.cumsum(weights, -1, np.float64)
        drawn = source.uniform(sums.size // sums.shape[-1] * num_samples, np.float64)
        drawn = drawn.reshape(*sums.shape[:-1], num_samples, 1)
        found = (drawn > (sums / sums[..., -1:])[..., None, :]).sum(-1)
    else:
        # The first of several events that wait for exponential times: those times are compared.
        waits = weights / source.exponential(weights.size).astype(weights.dtype).reshape(weights.shape)
        found = np.argsort(-waits, -1, kind="stable")[..., :num_samples]
    return made(as_array(found, np.int64))


def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Poisson numbers whose rates are the elements of `input`."""
    drawn = (generator or default_generator).other().poisson(bare(input))
    return made(np.asarray(drawn, input._spec.dtype))


# In place ----------------------------------------------------------------------------------------------------------


def _filling(name: str, draw: Callable, summary: str) -> Callable:
    def fill(self: Tensor, *args: Any, generator: Any = None, **keywords: Any) -> Tensor:
        values = draw(generator or default_generator, self, *args, **keywords)
        try:
            write(self, Ellipsis, np.reshape(values, self._spec.shape).astype(self._spec.dtype))
        except (ValueError, TypeError, RuntimeError) as error:
            raise refused(self, error) from error
        return self

    return titled(fill, name, summary)


def _uniform(source: Generator, t: Tensor, a: float = 0.0, b: float = 1.0, **bounds: Any) -> np.ndarray:
    a, b = bounds.get("from", a), bounds.get("to", b)
    kind = t._spec.dtype.type
    return source.uniform(t._spec.size, t._spec.dtype) * (kind(b) - kind(a)) + kind(a)


def _normal(source: Generator, t: Tensor, mean: float = 0.0, std: float = 1.0) -> np.ndarray:
    if t._spec.size < BLOCK:
        return source.normal(t._spec.size, np.float64) * std + mean
    kind = t._spec.dtype.type
    return source.normal(t._spec.size, t._spec.dtype) * kind(std) + kind(mean)


def _random(source: Generator, t: Tensor, low: Any = 0, high: Any = None, **bounds: Any) -> np.ndarray:
    low, high = bounds.get("from", low), bounds.get("to", high)
    kind = t._spec.dtype
    if high is None and not low:
        high = 1 << {"f2": 11, "f4": 24, "f8": 53}.get(kind.str[1:], 63) if kind.kind == "f" else np.iinfo(kind).max + 1
    elif high is None:
        low, high = 0, low
    return source.integers(int(low), int(high), t._spec.size)


def _bernoulli(source: Generator, t: Tensor, p: Any = 0.5) -> np.ndarray:
    return _chosen(source, t._spec.shape, bare(p))


METHODS = {
    "uniform_": _filling("uniform_", _uniform, "Fill with numbers that are uniformly distributed in [from, to)."),
    "normal_": _filling("normal_", _normal, "Fill with normal numbers."),
    "random_": _filling("random_", _random, "Fill with whole numbers in [from, to)."),
    "bernoulli_": _filling("bernoulli_", _bernoulli, "Fill with 1, with a probability, and 0."),
    "exponential_": _filling(
        "exponential_",
        lambda source, t, lambd=1.0: source.exponential(t._spec.size) / lambd,
        "Fill with exponentially distributed numbers.",
    ),
    "geometric_": _filling(
        "geometric_", lambda source, t, p: source.other().geometric(p, t._spec.size), "Fill with geometric numbers."
    ),
    "log_normal_": _filling(
        "log_normal_",
        lambda source, t, mean=1.0, std=2.0: source.other().lognormal(mean, std, t._spec.size),
        "Fill with numbers whose logarithms are normal.",
    ),
    "cauchy_": _filling(
        "cauchy_",
        lambda source, t, median=0.0, sigma=1.0: median + sigma * source.other().standard_cauchy(t._spec.size),
        "Fill with numbers of Cauchy's distribution.",
    ),
    "bernoulli": bernoulli,
    "multinomial": multinomial,
}
__all__ = [
    "Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "multinomial",
    "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed",
    "set_rng_state",
]  # fmt: skip
