"""What goes by the names of NumPy's functions in a second recording (`again`): the same for recorded values."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from wengert.compiler.later import allocated
from wengert.compiler.program import LeftToPython
from wengert.numpy.making import c_, r_
from wengert.protocol import look, lying_as, spec_of
from wengert.sequences import arguments_joined, holds_wrapper, joined, list_joined

__all__ = ["SPECIAL", "Names", "renamed", "replacement"]


def replacement(function: Any) -> Any:
    """What goes by the name of one of NumPy's functions, or of one that NumPy has made."""
    if isinstance(function, np.vectorize):
        return Vectorized(function)
    return SPECIAL[function] if function in SPECIAL else Joining(function)


def renamed(namespace: dict, others: dict[int, Any]) -> list[tuple[str, Any]]:
    """The names of a namespace that stand for something else from now on, and what for, by identity."""
    return [(name, others[id(value)]) for name, value in list(namespace.items()) if id(value) in others]


class Names(ModuleType):
    """A module in which some things have been replaced, for those who have it by a name of their own.

    The module itself stays as it is: libraries may tell its functions by their identity.
    """

    def __init__(self, module: ModuleType, others: dict[int, Any]):
        super().__init__(module.__name__)
        self._module = module
        for name, other in renamed(vars(module), others):
            setattr(self, name, other)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Joining:
    """A function of NumPy's that joins lists of recorded values first, as NumPy would make arrays of them."""

    def __init__(self, function: Callable):
        self.function, self.name = function, getattr(function, "__name__", "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = arguments_joined(self.name, args, kwargs)
        return self.function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.function, name)
        return Joining(found) if callable(found) and isinstance(self.function, np.ufunc) else found

    def __eq__(self, other: object) -> bool:
        return other is self.function or (isinstance(other, Joining) and other.function is self.function)

    def __hash__(self) -> int:
        return hash(self.function)


class Vectorized:
    """A function that `numpy.vectorize` has made, which is called with one recorded element after the other."""

    def __init__(self, made: np.vectorize):
        self.made = made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made, given = self.made, list(map(list_joined, args))
        if kwargs or made.excluded or made.signature or not any(map(holds_wrapper, given)):
            return made(*args, **kwargs)
        operands = np.broadcast_arrays(*given)
        places = list(np.ndindex(np.shape(operands[0])))
        outputs = [made.pyfunc(*(x[place] for x in operands)) for place in places]
        like = allocated([np.asarray(look(x)) for x in given], np.dtype(float))
        return self._arrays(outputs, like) if outputs else made(*args)

    def _arrays(self, outputs: list, like: np.ndarray) -> Any:
        """The outputs as arrays that lie as another does, of the dtypes asked for, or those of the first outputs."""
        several = isinstance(outputs[0], tuple)
        columns = list(map(list, zip(*outputs, strict=True))) if several else [outputs]
        dtypes: Any = self.made.otypes or [spec_of(column[0]).dtype for column in columns]
        arrays = [
            lying_as(np.reshape(joined(column), like.shape).astype(dtype), like)
            for column, dtype in zip(columns, dtypes, strict=True)
        ]
        return tuple(arrays) if several else arrays[0]


def _from_iterator(iterator: Any, dtype: Any, count: int = -1, **options: Any) -> Any:
    parts = [x for _, x in zip(range(count), iterator, strict=False)] if count >= 0 else list(iterator)
    if len(parts) < count or not holds_wrapper(parts):
        return np.fromiter(map(float, parts) if holds_wrapper(parts) else parts, dtype, count, **options)
    return joined(parts).astype(dtype)


def _enumerated(array: Any) -> Iterator[tuple]:
    array = list_joined(array)
    return ((place, array[place]) for place in np.ndindex(np.shape(array)))


def _iterated(array: Any, *options: Any, **others: Any) -> Any:
    if not holds_wrapper([array, *options, *others.values()]):
        return np.nditer(array, *options, **others)
    if options or others or isinstance(array, (list, tuple)):
        raise LeftToPython("arrays are gone over by np.nditer with options, past NumPy's functions")
    return iter(np.ravel(array, order="K"))


SPECIAL: dict[Any, Any] = {
    np.fromiter: _from_iterator, np.ndenumerate: _enumerated, np.nditer: _iterated, np.r_: r_, np.c_: c_,
    np.vectorize: lambda *args, **kwargs: Vectorized(np.vectorize(*args, **kwargs)),
}  # fmt: skip
"""What is asked for recorded values otherwise than in lists."""
