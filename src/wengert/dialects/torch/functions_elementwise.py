"""Functions of each element: arithmetic, exponentials, trigonometry, comparisons."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.torch.dtypes import default_dtype
from wengert.dialects.torch.errors import OptionError, TorchError
from wengert.dialects.torch.making import bare, checked_tensor, entry, in_place, named, stored, titled, whole_division
from wengert.dialects.torch.tensor import Tensor, reflected
from wengert.rules.nn import relu as _relu
from wengert.rules.nn import sigmoid as _sigmoid

UNARY: dict[str, Any] = {
    "abs": np.absolute, "absolute": np.absolute, "acos": np.arccos, "acosh": np.arccosh, "angle": np.angle,
    "arccos": np.arccos, "arccosh": np.arccosh, "arcsin": np.arcsin, "arcsinh": np.arcsinh, "arctan": np.arctan,
    "arctanh": np.arctanh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan, "atanh": np.arctanh,
    "bitwise_not": np.invert, "ceil": np.ceil, "conj": np.conjugate, "conj_physical": np.conjugate, "cos": np.cos,
    "cosh": np.cosh, "deg2rad": np.deg2rad, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "fix": np.trunc,
    "floor": np.floor, "imag": np.imag, "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan,
    "isneginf": np.isneginf, "isposinf": np.isposinf, "isreal": np.isreal, "log": np.log, "log10": np.log10,
    "log1p": np.log1p, "log2": np.log2, "logical_not": np.logical_not, "neg": np.negative, "negative": np.negative,
    "positive": np.positive, "rad2deg": np.rad2deg, "real": np.real, "sgn": np.sign, "sign": np.sign,
    "signbit": np.signbit, "sin": np.sin, "sinc": np.sinc, "sinh": np.sinh, "sqrt": np.sqrt, "tan": np.tan,
    "tanh": np.tanh, "trunc": np.trunc,
}  # fmt: skip
BINARY: dict[str, Any] = {
    "arctan2": np.arctan2, "atan2": np.arctan2, "bitwise_and": np.bitwise_and, "bitwise_left_shift": np.left_shift,
    "bitwise_or": np.bitwise_or, "bitwise_right_shift": np.right_shift, "bitwise_xor": np.bitwise_xor,
    "copysign": np.copysign, "eq": np.equal, "floor_divide": np.floor_divide, "fmax": np.fmax, "fmin": np.fmin,
    "fmod": np.fmod, "gcd": np.gcd, "ge": np.greater_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "gt": np.greater, "heaviside": np.heaviside, "hypot": np.hypot, "lcm": np.lcm, "le": np.less_equal,
    "less": np.less, "less_equal": np.less_equal, "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor, "lt": np.less,
    "maximum": np.maximum, "minimum": np.minimum, "mul": np.multiply, "multiply": np.multiply, "ne": np.not_equal,
    "not_equal": np.not_equal, "pow": np.power, "remainder": np.remainder, "true_divide": np.divide,
}  # fmt: skip
WHOLE = {np.floor_divide, np.remainder, np.fmod}
METHODS: dict[str, Callable] = {}
"""Functions that are methods of tensors as well."""
INTEGRAL = {
    np.absolute, np.invert, np.conjugate, np.ceil, np.trunc, np.floor, np.imag, np.isfinite, np.isinf, np.isnan,
    np.isneginf, np.isposinf, np.isreal, np.logical_not, np.negative, np.positive, np.real, np.sign, np.signbit,
    np.angle,
}  # fmt: skip
"""Functions that leave integers in their dtype; the others make them the default dtype first."""


def _unary(name: str, function: Any) -> Callable:
    forward, widen = entry(function), function not in INTEGRAL

    def applied(input: Tensor, *, out: Any = None) -> Tensor:
        if input.__class__ is Tensor and input._spec.inexact and out is None:
            return forward(input)
        checked_tensor(name, input)
        if widen and not input._spec.inexact:
            input = input.to(default_dtype())
        return stored(forward(input), out)

    return titled(applied, name, f"See `numpy.{function.__name__}`: of each element.")


def _binary(name: str, function: Any) -> Callable:
    forward = whole_division(function) if function in WHOLE else entry(function)

    def applied(input: Any, other: Any, *, out: Any = None) -> Tensor:
        return forward(input, other) if out is None else stored(forward(input, other), out)

    return titled(applied, name, f"See `numpy.{function.__name__}`: of each pair of elements.")


for _name, _function in UNARY.items():
    METHODS[_name] = globals()[_name] = _unary(_name, _function)
for _name, _function in BINARY.items():
    METHODS[_name] = globals()[_name] = _binary(_name, _function)
del METHODS["real"], METHODS["imag"]


_add, _subtract, _divide, _multiply = entry(np.add), entry(np.subtract), entry(np.divide), entry(np.multiply)


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """``input + alpha * other``."""
    result = _add(input, other if alpha == 1 else _multiply(other, alpha))
    return result if out is None else stored(result, out)


def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """``input - alpha * other``."""
    result = _subtract(input, other if alpha == 1 else _multiply(other, alpha))
    return result if out is None else stored(result, out)


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``."""
    return _subtract(other, input if alpha == 1 else _multiply(input, alpha))


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Tensor:
    """``input / other``, rounded towards zero (``"trunc"``) or down (``"floor"``) where that is asked for."""
    if rounding_mode not in (None, "trunc", "floor"):
        raise OptionError(f"[div] rounding_mode None, 'trunc' or 'floor' was required; received {rounding_mode!r}")
    if rounding_mode == "floor":
        result = METHODS["floor_divide"](input, other)
    elif rounding_mode == "trunc":
        rest = METHODS["fmod"](input, other)
        whole = rest._spec.dtype.kind in "iu"
        result = (
            entry(np.floor_divide)(_subtract(input, rest), other) if whole else METHODS["trunc"](_divide(input, other))
        )
    else:
        result = _divide(input, other)
    return result if out is None else stored(result, out)


def rsqrt(input: Tensor, *, out: Any = None) -> Tensor:
    """``1 / sqrt(input)``."""
    return stored(named(METHODS["sqrt"](input) ** -1, "RsqrtBackward0"), out)


def reciprocal(input: Tensor, *, out: Any = None) -> Tensor:
    """``1 / input``."""
    return stored(entry(np.reciprocal)(input if input._spec.inexact else input.to(default_dtype())), out)


def square(input: Tensor, *, out: Any = None) -> Tensor:
    """``input ** 2``."""
    return stored(named(entry(np.square)(input), "PowBackward0"), out)


def frac(input: Tensor) -> Tensor:
    """``input - trunc(input)``."""
    return named(input - METHODS["trunc"](input), "FracBackward0")


def float_power(input: Any, exponent: Any) -> Tensor:
    """Powers in double precision."""
    return entry(np.float_power)(input, exponent)


def round(input: Tensor, *, decimals: int = 0, out: Any = None) -> Tensor:
    """The nearest integers, or numbers with `decimals` decimals; halves go to the even one."""
    return stored(entry(np.round)(input, decimals), out)


def sigmoid(input: Tensor, *, out: Any = None) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return stored(_sigmoid(input if input._spec.inexact else input.to(default_dtype())), out)


def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``."""
    return _relu(input) if input._spec.inexact else entry(np.maximum)(input, 0)


def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor:
    """`input`, with what lies outside ``[min, max]`` set to the nearer bound."""
    if min is None and max is None:
        raise TorchError("[clamp] At least one of 'min' or 'max' must not be None")
    return stored(entry(np.clip)(input, min, max), out)


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """`input`, or `min` where that is larger."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """`input`, or `max` where that is smaller."""
    return clamp(input, max=max)


def nan_to_num(input: Tensor, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Tensor:
    """NaN replaced by `nan` (0), infinities by the largest numbers or by what is given."""
    return named(entry(np.nan_to_num)(input, True, 0.0 if nan is None else nan, posinf, neginf), "NanToNumBackward0")


def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """`input` where the condition holds and `other` elsewhere; given the condition alone, where that is."""
    if input is None and other is None:
        return tuple(map(Tensor._box, np.nonzero(np.atleast_1d(bare(condition)))))
    if condition._spec.dtype.kind != "b":
        raise TorchError(f"[where] expected condition to be a boolean tensor; received {condition._spec!r}")
    return stored(entry(np.where)(condition, input, other), out)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``."""
    return named(input + weight * (end - input), "LerpBackward1" if isinstance(weight, Tensor) else "LerpBackward0")


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    product = tensor1 * tensor2
    return named(input + (product if value == 1 else value * product), "AddcmulBackward0")


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``."""
    quotient = tensor1 / tensor2
    return named(input + (quotient if value == 1 else value * quotient), "AddcdivBackward0")


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether elements are equal within ``atol + rtol * abs(other)``."""
    return entry(np.isclose)(input, other, rtol, atol, equal_nan)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are equal within ``atol + rtol * abs(other)``."""
    if input._spec.dtype != other._spec.dtype:
        raise TorchError(f"[allclose] tensors of one dtype were required; received {input.dtype} and {other.dtype}")
    return bool(np.allclose(bare(input), bare(other), rtol, atol, equal_nan))


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    return bool(np.array_equal(bare(input), bare(other)))


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype of arithmetic with these operands."""
    return (tensor1 * tensor2 if isinstance(tensor1, Tensor) else tensor2 * tensor1).dtype


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero."""
    return bool(input)


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Complex numbers of their absolute values and angles."""
    return abs * METHODS["exp"](angle * 1j)


def isin(elements: Any, test_elements: Any, *, invert: bool = False) -> Tensor:
    """Whether each element is one of `test_elements`."""
    return Tensor._box(np.isin(bare(elements), bare(test_elements), invert=invert))


# Functions of SciPy's, without derivative rules --------------------------------------------------------------------

SPECIAL = {
    "digamma": "psi", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "i0": "i0", "lgamma": "gammaln",
    "logit": "logit", "xlogy": "xlogy",
}  # fmt: skip


def _special(name: str, origin: str) -> Callable:
    def applied(input: Any, *others: Any) -> Tensor:
        import scipy.special

        if not input._spec.inexact:
            input = input.to(default_dtype())
        result = entry(getattr(scipy.special, origin))(input, *others)
        return result if isinstance(result, Tensor) else Tensor._box(result)

    return titled(applied, name, f"See `scipy.special.{origin}`.")


for _name, _origin in SPECIAL.items():
    METHODS[_name] = globals()[_name] = _special(_name, _origin)

subtract, divide = sub, div
_NAMES = [
    "add", "addcdiv", "addcmul", "allclose", "clamp", "clamp_max", "clamp_min", "clip", "div", "divide", "equal",
    "float_power", "frac", "isclose", "lerp", "nan_to_num", "reciprocal", "relu", "round", "rsqrt", "sigmoid",
    "square", "sub", "subtract",
]  # fmt: skip
METHODS.update({name: globals()[name] for name in _NAMES})
_NOT_IN_PLACE = {
    "allclose", "equal", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "signbit",
    "conj", "angle", "positive", "maximum", "minimum", "fmax", "fmin",
}  # fmt: skip
for _name, _function in list(METHODS.items()):
    if _name not in _NOT_IN_PLACE:
        METHODS[f"{_name}_"] = in_place(_function)
METHODS["where"] = lambda self, condition, other: where(condition, self, other)
METHODS["where"] = titled(METHODS["where"], "where", "The elements where the condition holds, and `other` elsewhere.")
METHODS["isin"], METHODS["is_nonzero"] = isin, is_nonzero
for _name in (*UNARY, "clamp", "clip", "reciprocal", "relu", "round", "rsqrt", "sigmoid", "square"):
    if f"{_name}_" in METHODS:
        globals()[f"{_name}_"] = METHODS[f"{_name}_"]

for _name, _function in (("floordiv", METHODS["floor_divide"]), ("mod", METHODS["remainder"])):
    METHODS[f"__{_name}__"], METHODS[f"__r{_name}__"] = _function, reflected(f"__r{_name}__", _function)
    METHODS[f"__i{_name}__"] = in_place(_function)

# Methods on hot paths are the generated functions themselves.
METHODS["abs"], METHODS["neg"] = entry(np.absolute), entry(np.negative)
METHODS["mul"] = METHODS["multiply"] = _multiply
METHODS["true_divide"] = _divide

_ALL = (*UNARY, *BINARY, *_NAMES, *SPECIAL, "is_nonzero", "isin", "polar", "result_type", "rsub", "where")
__all__ = [name for name in _ALL if name in globals()]
__all__ += [name for name in globals() if name.endswith("_") and not name.startswith("_")]
