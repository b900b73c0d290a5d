"""Samples in other dtypes, and names for them."""

import warnings

import numpy as np
from tests.battery.samples import InPlace, Sample

import wengert as wg
from wengert.primitive import name_of as registered_name


def key_of(function):
    """The registry's key of a function: the pair of ufunc and method name for ``np.add.reduce``."""
    if isinstance(function, InPlace):
        return function.function
    owner = getattr(function, "__self__", None)
    return (owner, function.__name__) if isinstance(owner, np.ufunc) else function


def name_of(function):
    """Name of a function in the ids of tests: with its module where NumPy has the same name twice."""
    name = registered_name(key_of(function))
    return f"linalg.{name}" if getattr(function, "__module__", "") == "numpy.linalg" else name


def as_tensors(sample, requires_grad=True):
    """The arguments of a sample with tensors in the place of float arrays."""
    return _mapped((sample.args, sample.kwargs), lambda x: wg.asarray(x).requires_grad_(requires_grad))


def recast(sample, dtype):
    """The arguments of a sample with all float arrays (no Python numbers) in another dtype."""
    return _mapped((sample.args, sample.kwargs), lambda x: _same_layout(x, dtype))


def _is_double(x):
    return isinstance(x, (np.ndarray, np.float64)) and x.dtype == np.float64


def _has_doubles(value):
    """Whether nested containers hold an array of floats."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return _is_double(value) or any(map(_has_doubles, parts))


def _mapped(value, change):
    """Nested containers with something else in the place of each array of floats."""
    if isinstance(value, (list, tuple)):
        return type(value)([_mapped(item, change) for item in value])
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    return change(value) if _is_double(value) else value


def _same_layout(x, dtype):
    """A copy with the order and the signs of the strides of `x`, which ``astype`` does not keep for windows."""
    copy = x.astype(dtype) if _contiguous(x) else _window(x, dtype)
    if copy.dtype.kind == "c" and np.all(np.isfinite(x)):
        # Away from the real axis, where the branch cuts lie.
        imaginary = np.random.default_rng(int(1e6 * np.sum(np.abs(x)))).uniform(0.2, 0.9, x.shape)
        if isinstance(x, np.ndarray):
            copy.imag = imaginary
        else:
            copy += 1j * imaginary
    return copy


def _contiguous(x):
    return x.flags.c_contiguous or x.flags.f_contiguous


def _window(x, dtype):
    order = np.argsort([-abs(s) for s in x.strides], kind="stable")
    room = np.zeros([2 * x.shape[i] for i in order], dtype).transpose(np.argsort(order))
    copy = room[(..., *(slice(None, None, -2 if s < 0 else 2) for s in x.strides))]
    copy[...] = x
    return copy


def applies(function, sample: Sample, dtype):
    """Whether NumPy itself takes the sample in this dtype, and it is another sample than in float64."""
    if dtype is np.float64:
        return sample.double
    if np.dtype(dtype).kind == "c" and not sample.complex:
        return False
    if not _has_doubles((sample.args, sample.kwargs)):
        return False
    args, kwargs = recast(sample, dtype)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            function(*args, **kwargs)
    except Exception:  # SciPy has errors of several kinds for dtypes that it does not know
        return False
    return True


def is_twin(function) -> bool:
    """Whether a function stands for one that SciPy has in Python, whose errors have kinds of their own."""
    home = getattr(function, "__module__", None) or ""
    parts = ("linalg", "ndimage", "signal", "integrate", "interpolate", "spatial")
    return home.startswith(("tests.battery.samples_scipy", *(f"wengert.scipy.{p}" for p in parts)))
