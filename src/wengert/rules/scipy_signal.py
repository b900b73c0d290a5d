"""scipy.signal: convolutions and filters.

Three sums along an axis make a closed family, each the adjoint of another: a filter (`taps`), products at given lags
(`lags`), and the recursive part of a filter (`recursion`), which is its own adjoint on reversed signals.
"""

import itertools
import math
from typing import Any

import numpy as np
import scipy.signal as ss
from scipy import ndimage

from wengert.primitive import bilinear, primitive
from wengert.protocol import anywhere, everywhere
from wengert.rules.elementwise import is_complex
from wengert.rules.reductions import normal_axes
from wengert.rules.scipy_tools import (
    array,
    constant,
    has_wrapper,
    inexact,
    plain,
    primal,
    single_or_double,
    twin,
    unsupported,
)

signal = "signal"

# Convolution -----------------------------------------------------------------------------------------------------


def _convolution(a, b, mode="full", method="direct", axes=None):
    """Full, or the part that needs no zeros around `a`, which is no smaller than `b` along any axis."""
    if method == "fft":
        return ss.fftconvolve(a, b, mode, axes=axes)
    if method == "overlap":
        return ss.oaconvolve(a, b, mode, axes=axes)
    return _directly(a, b, mode)


def _directly(a, b, mode):
    """Sums of products: for each place in the result, or for each number in the smaller operand, whichever is less."""
    if a.ndim == 1:
        return np.convolve(a, b, mode)
    if mode == "full":
        a, b = (a, b) if a.size >= b.size else (b, a)
        a = np.pad(a, [(n - 1, n - 1) for n in b.shape])
    b, shape = np.flip(b), tuple(m - n + 1 for m, n in zip(a.shape, b.shape, strict=True))
    dtype = np.result_type(a, b)
    if math.prod(shape) > b.size and dtype.char in "fdFD":
        y = ndimage.correlate(a, np.conjugate(b), dtype, "constant")
        return y[tuple(slice(n // 2, n // 2 + m) for m, n in zip(shape, b.shape, strict=True))]
    y = np.zeros(shape, dtype)
    if math.prod(shape) > b.size:
        for index in np.ndindex(b.shape):
            y += b[index] * a[tuple(slice(i, i + n) for i, n in zip(index, shape, strict=True))]
        return y
    for index in np.ndindex(shape):
        window = a[tuple(slice(i, i + n) for i, n in zip(index, b.shape, strict=True))]
        y[index] = np.tensordot(window, b, b.ndim)
    return y


def _reversed(x: Any, axes: Any) -> Any:
    return np.flip(x, axis=axes)


def _convolution_a(g, b, mode, method, axes):
    other = "valid" if mode == "full" else "full"
    return convolution(g, _reversed(b, axes), mode=other, method=method, axes=axes)


def _convolution_b(g, a, mode, method, axes):
    a = _reversed(a, axes)
    return convolution(*(g, a) if mode == "full" else (a, g), mode="valid", method=method, axes=axes)


def _convolution_batch(a, b, batched, size, mode, method, axes):
    """Transforms leave other axes alone, and so do sums of products with a kernel of length 1 along them."""
    if method in ("fft", "overlap"):
        a, b = (x if ours else np.expand_dims(x, 0) for x, ours in zip((a, b), batched, strict=True))
        axes = range(a.ndim - 1) if axes is None else axes
        axes = tuple(axis + 1 if axis >= 0 else axis for axis in axes)
        return convolution(a, b, mode=mode, method=method, axes=axes)
    if not batched[1]:
        return convolution(a, np.expand_dims(b, 0), mode=mode, method=method)
    rows = ((a[i] if batched[0] else a, b[i]) for i in range(size))
    return np.stack([convolution(*row, mode=mode, method=method) for row in rows])


convolution = bilinear(
    _convolution, _convolution_a, _convolution_b, name="signal.convolve", broadcasts=True, batch=_convolution_batch
)


def _convolved(name: str, a: Any, b: Any, mode: str, method: str, axes: Any = None) -> Any:
    if mode not in ("full", "same", "valid"):
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    if a.ndim != b.ndim:
        raise ValueError("in1 and in2 should have the same dimensionality")
    if not a.ndim:
        return a * b
    if not a.size or not b.size:
        return np.zeros(0, np.result_type(a.dtype, b.dtype))
    axes = None if axes is None else normal_axes(tuple(axes) if np.iterable(axes) else axes, a.ndim)
    along = range(a.ndim) if axes is None else axes
    if mode != "valid":
        full = convolution(a, b, mode="full", method=method, axes=axes)
        return full if mode == "full" else _centre(full, a.shape, along)
    if all(a.shape[i] >= b.shape[i] for i in along):
        return convolution(a, b, mode="valid", method=method, axes=axes)
    if any(a.shape[i] > b.shape[i] for i in along):
        raise ValueError(f"For 'valid' mode, one must be at least as large as the other in every dimension ({name})")
    return convolution(b, a, mode="valid", method=method, axes=axes)


def _centre(full: Any, shape: tuple, axes: Any, later: int = 0) -> Any:
    index = [slice(None)] * full.ndim
    for i in axes:
        start = (full.shape[i] - shape[i] + later) // 2
        index[i] = slice(start, start + shape[i])
    return full[tuple(index)]


def _mirrored(b: Any) -> Any:
    b = _reversed(b, None)
    return np.conjugate(b) if is_complex(b) else b


def _numbers(*values: Any) -> list:
    """Arrays; integers among them are floats, as convolutions with floats make them."""
    return [inexact(v) for v in values]


@twin(ss.convolve, signal)
def convolve(in1, in2, mode="full", method="auto"):
    a, b = _numbers(in1, in2)
    if not (a.size and b.size) and has_wrapper((a, b)):
        return ss.convolve(plain(a), plain(b), mode, method)
    if method == "auto":
        method = (
            ss.choose_conv_method(*(np.zeros(v.shape, v.dtype) for v in (a, b)), mode) if a.ndim == b.ndim else "direct"
        )
    if method not in ("direct", "fft"):
        raise ValueError("Acceptable method flags are 'auto', 'direct', or 'fft'.")
    return _convolved("convolve", a, b, mode, method).astype(np.result_type(a.dtype, b.dtype))


@twin(ss.correlate, signal)
def correlate(in1, in2, mode="full", method="auto"):
    return convolve(in1, _mirrored(array(in2)), mode, method)


@twin(ss.fftconvolve, signal)
def fftconvolve(in1, in2, mode="full", axes=None):
    return _convolved("fftconvolve", *_numbers(in1, in2), mode, "fft", axes)


@twin(ss.oaconvolve, signal)
def oaconvolve(in1, in2, mode="full", axes=None):
    return _convolved("oaconvolve", *_numbers(in1, in2), mode, "overlap", axes)


PADDING = {"fill": "constant", "wrap": "wrap", "circular": "wrap", "symm": "symmetric", "symmetric": "symmetric"}


@twin(ss.convolve2d, signal)
def convolve2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    return _in_two_dimensions("convolve2d", *_numbers(in1, in2), mode, boundary, fillvalue, 0)


@twin(ss.correlate2d, signal)
def correlate2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    """As SciPy's, it conjugates the smaller one in mode 'valid'."""
    a, b = _numbers(in1, in2)
    if mode == "valid" and any(n < m for n, m in zip(a.shape, b.shape, strict=False)):
        return _in_two_dimensions(
            "correlate2d", _reversed(b, None), _mirrored(_reversed(a, None)), mode, boundary, fillvalue, 1
        )
    return _in_two_dimensions("correlate2d", a, _mirrored(b), mode, boundary, fillvalue, 1)


def _in_two_dimensions(name: str, a: Any, b: Any, mode: str, boundary: str, fillvalue: Any, later: int) -> Any:
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"{name} inputs must both be 2-D arrays")
    if boundary not in PADDING:
        raise ValueError("Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm').")
    fillvalue = constant(name, "fillvalue", fillvalue)
    if mode == "valid":
        return _convolved(name, a, b, mode, "direct")
    if boundary == "fill" and fillvalue == 0:
        full = _convolved(name, a, b, "full", "direct")
    else:  # what lies around is part of the signal then
        around = {"constant_values": fillvalue} if boundary == "fill" else {}
        wide = np.pad(a, [(n - 1, n - 1) for n in b.shape], PADDING[boundary], **around)
        full = _convolved(name, wide, b, "valid", "direct")
    return full if mode == "full" else _centre(full, a.shape, (0, 1), later)


# Filters ---------------------------------------------------------------------------------------------------------


def _taps(b, x, axis=-1):
    """y[n] = sum of b[k] x[n - k]."""
    dtype = np.result_type(b, x)
    if not x.size:
        return np.zeros(x.shape, dtype)
    if x.ndim == 1:
        return np.convolve(b, x)[: len(x)]
    if dtype.char in "fdFD":
        return ndimage.convolve1d(x, b, axis, dtype, "constant", 0.0, -(len(b) // 2))
    y, last = np.zeros(x.shape, dtype), np.moveaxis(x, axis, -1)
    for k in range(min(len(b), last.shape[-1])):
        np.moveaxis(y, axis, -1)[..., k:] += b[k] * last[..., : last.shape[-1] - k]
    return y


def _lags(w, x, count=1, axis=-1):
    """c[k] = sum of w[n] x[n - k]."""
    w, x = (np.moveaxis(v, axis, -1) for v in (w, x))
    n = x.shape[-1]
    dtype = np.result_type(w, x)
    return np.array([np.tensordot(w[..., k:], x[..., : max(n - k, 0)], w.ndim) for k in range(count)], dtype)


def _flipped(x: Any, axis: int) -> Any:
    return np.flip(x, axis=axis)


def _taps_batch(b, x, batched, size, axis):
    return _filtered(taps, b, x, batched, size, axis)


def _recursion_batch(a, u, batched, size, axis):
    return _filtered(recursion, a, u, batched, size, axis)


def _filtered(function: Any, weights: Any, x: Any, batched: list, size: int, axis: int) -> Any:
    """One filter for a batch of signals is one call."""
    if not batched[0]:
        return function(weights, x, axis=axis + 1 if axis >= 0 else axis)
    return np.stack([function(weights[i], x[i] if batched[1] else x, axis=axis) for i in range(size)])


taps = bilinear(
    _taps,
    lambda g, x, like, axis: lags(g, x, count=like.shape[0], axis=axis),
    lambda g, b, axis: _flipped(taps(b, _flipped(g, axis), axis=axis), axis),
    name="signal.taps",
    batch=_taps_batch,
)
lags = bilinear(
    _lags,
    lambda g, x, axis: taps(g, x, axis=axis),
    lambda g, w, axis: _flipped(taps(g, _flipped(w, axis), axis=axis), axis),
    name="signal.lags",
    batch="rows",
)


def _recursion(a, u, axis=-1):
    """The y with u[n] = sum of a[k] y[n - k]."""
    return ss.lfilter(np.ones(1, a.dtype), a, u, axis=axis) if u.size else np.zeros(u.shape, np.result_type(a, u))


def _back_in_time(g, a, axis):
    return _flipped(recursion(a, _flipped(g, axis), axis=axis), axis)


recursion = primitive(
    _recursion,
    lambda g, a, y, like, axis: -lags(_back_in_time(g, a, axis), y, count=like.shape[0], axis=axis),
    _back_in_time,
    name="signal.recursion",
    batch=_recursion_batch,
)


def _longer(x: Any, n: int) -> Any:
    return np.concatenate([x, np.zeros(n - x.shape[0], x.dtype)]) if x.shape[0] < n else x


def _zeros_behind(x: Any, n: int) -> Any:
    return np.concatenate([x, np.zeros((*x.shape[:-1], n), x.dtype)], axis=-1)


@twin(ss.lfilter, signal)
def lfilter(b, a, x, axis=-1, zi=None):
    """What the initial state adds to a filter without one is added to its input of the recursion."""
    b, a, x = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a)), inexact(x)
    if b.ndim != 1 or a.ndim != 1:
        raise ValueError("object of too small depth for desired array")
    if zi is None:
        u = taps(b, x, axis=axis)
        return recursion(a, u, axis=axis) if a.shape[0] > 1 else u / a[0]
    count = max(len(a), len(b)) - 1
    b, a, x = _longer(b / a[0], count + 1), _longer(a / a[0], count + 1), np.moveaxis(x, axis, -1)
    zi = np.moveaxis(inexact(zi), axis, -1)
    if zi.shape[-1] != count:
        raise ValueError(f"Unexpected shape for zi: expected {count} along the axis, received {zi.shape[-1]}.")
    n = x.shape[-1]
    zi = np.broadcast_to(zi, (*x.shape[:-1], count))
    state = _zeros_behind(zi, n)
    total = taps(b, _zeros_behind(x, count)) + state
    y = recursion(a, total[..., :n])
    final = total[..., n:] - taps(a, _zeros_behind(y, count))[..., n:]
    return np.moveaxis(y, -1, axis), np.moveaxis(final, -1, axis)


@twin(ss.lfilter_zi, signal)
def lfilter_zi(b, a):
    """The state that a step of height 1 leaves as it is: z = (companion of a)^T z + b[1:] - a[1:] b[0]."""
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    n = max(len(a), len(b))
    b, a = _longer(b / a[0], n), _longer(a / a[0], n)
    below = np.zeros((n - 1, n - 1), a.dtype)
    steady = np.eye(n - 1, dtype=a.dtype) - np.eye(n - 1, k=1, dtype=a.dtype)
    first = np.concatenate([a[1:, None], below[:, 1:]], axis=1)
    return np.linalg.solve(steady + first, b[1:] - a[1:] * b[0])


def _sections(sos: Any) -> Any:
    sos = np.atleast_2d(inexact(sos))
    if sos.ndim != 2 or sos.shape[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    if not everywhere(primal(sos)[:, 3] == 1):
        raise ValueError("sos[:, 3] should be all ones")
    return sos


@twin(ss.sosfilt, signal)
def sosfilt(sos, x, axis=-1, zi=None):
    sos, x, final = _sections(sos), inexact(x), []
    zi = None if zi is None else inexact(zi)
    for k in range(len(sos)):
        if zi is None:
            x = lfilter(sos[k, :3], sos[k, 3:], x, axis)
        else:
            x, state = lfilter(sos[k, :3], sos[k, 3:], x, axis, zi[k])
            final.append(state)
    return x if zi is None else (x, np.stack(final))


@twin(ss.sosfilt_zi, signal)
def sosfilt_zi(sos):
    sos, states, height = _sections(sos), [], 1.0
    for k in range(len(sos)):
        states.append(height * lfilter_zi(sos[k, :3], sos[k, 3:]))
        height = height * np.sum(sos[k, :3]) / np.sum(sos[k, 3:])
    return np.stack(states)


def _continued(x: Any, padtype: str | None, padlen: int) -> Any:
    """A signal with its reflection at both ends."""
    if padtype not in ("even", "odd", "constant", None):
        raise ValueError(
            f"Unknown value '{padtype}' given to padtype. padtype must be 'even', 'odd', 'constant', or None."
        )
    if padtype is None or not padlen:
        return x
    if x.shape[-1] <= padlen:
        raise ValueError(f"The length of the input vector x must be greater than padlen, which is {padlen}.")
    first, last = x[..., :1], x[..., -1:]
    if padtype == "constant":
        return np.concatenate([first] * padlen + [x] + [last] * padlen, axis=-1)
    before, after = np.flip(x[..., 1 : padlen + 1], axis=-1), np.flip(x[..., -padlen - 1 : -1], axis=-1)
    if padtype == "odd":
        before, after = 2 * first - before, 2 * last - after
    return np.concatenate([before, x, after], axis=-1)


def _forth_and_back(once: Any, x: Any, padlen: int) -> Any:
    for _ in range(2):
        x = np.flip(once(x, x[..., :1]), axis=-1)
    return x[..., padlen : x.shape[-1] - padlen]


@twin(ss.filtfilt, signal)
def filtfilt(b, a, x, axis=-1, padtype="odd", padlen=None, method="pad", irlen=None):
    if method != "pad":
        raise unsupported("filtfilt", "method", method, "'pad'", array(x))
    b, a, x = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a)), np.moveaxis(inexact(x), axis, -1)
    padlen = 0 if padtype is None else 3 * max(len(a), len(b)) if padlen is None else padlen
    steady = lfilter_zi(b, a)

    def once(x, first):
        return lfilter(b, a, x, -1, steady * first)[0]

    return np.moveaxis(_forth_and_back(once, _continued(x, padtype, padlen), padlen), -1, axis)


@twin(ss.sosfiltfilt, signal)
def sosfiltfilt(sos, x, axis=-1, padtype="odd", padlen=None):
    sos, x = _sections(sos), np.moveaxis(inexact(x), axis, -1)
    if padlen is None:
        values = plain(sos)
        padlen = 3 * (2 * len(sos) + 1 - min(np.sum(values[:, 2] == 0), np.sum(values[:, 5] == 0)))
    padlen = 0 if padtype is None else int(padlen)
    steady = np.reshape(sosfilt_zi(sos), (len(sos), *(1,) * (x.ndim - 1), 2))

    def once(x, first):
        return sosfilt(sos, x, -1, steady * first)[0]

    return np.moveaxis(_forth_and_back(once, _continued(x, padtype, padlen), padlen), -1, axis)


@twin(ss.savgol_filter, signal)
def savgol_filter(x, window_length, polyorder, deriv=0, delta=1.0, axis=-1, mode="interp", cval=0.0):
    """One convolution; at the ends, where no window fits, the values of the polynomial of the outermost window."""
    if mode not in ("mirror", "constant", "nearest", "interp", "wrap"):
        raise ValueError("mode must be 'mirror', 'constant', 'nearest' 'wrap' or 'interp'.")
    x = np.moveaxis(single_or_double(x), axis, -1)
    weights = ss.savgol_coeffs(window_length, polyorder, deriv, delta).astype(primal(x).real.dtype)
    half, before = window_length // 2, (window_length - 1) // 2
    around = [(0, 0)] * (x.ndim - 1) + [(before, half)]
    if mode != "interp":
        how = {"mirror": "reflect", "constant": "constant", "nearest": "edge", "wrap": "wrap"}[mode]
        x = np.pad(x, around, how, **({"constant_values": cval} if mode == "constant" else {}))
        return np.moveaxis(taps(weights, x)[..., window_length - 1 :], -1, axis)
    if window_length > x.shape[-1]:
        raise ValueError("If mode is 'interp', window_length must be less than or equal to the size of x.")
    n = x.shape[-1]
    middle = taps(weights, x)[..., window_length - 1 + half - before : n - half + window_length - 1 - before]
    ends = [ss.savgol_coeffs(window_length, polyorder, deriv, delta, pos=k, use="dot") for k in range(window_length)]
    ends = np.array(ends, weights.dtype).T
    first = x[..., :window_length] @ ends[:, :half]
    last = x[..., n - window_length :] @ ends[:, window_length - half :]
    return np.moveaxis(np.concatenate([first, middle, last], axis=-1), -1, axis)


# Trends, analytic signals ----------------------------------------------------------------------------------------


@twin(ss.detrend, signal)
def detrend(data, axis=-1, type="linear", bp=0, overwrite_data=False):
    if type not in ("linear", "l", "constant", "c"):
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    if type in ("constant", "c"):
        x = inexact(data)
        return x - np.mean(x, axis=axis, keepdims=True)
    x = single_or_double(data)
    x = np.moveaxis(x, axis, 0)
    n = x.shape[0]
    breaks = np.unique(np.r_[0, constant("detrend", "bp", bp), n])
    if anywhere(breaks > n):
        raise ValueError("Breakpoints must be less than length of data along given axis.")
    flat, parts = np.reshape(x, (n, -1)), []
    for start, stop in itertools.pairwise(breaks):
        count = stop - start
        line = np.stack([np.arange(1, count + 1) / count, np.ones(count)], axis=1)
        basis = np.linalg.qr(line)[0][:, : np.linalg.matrix_rank(line)].astype(primal(x).dtype)
        part = flat[start:stop]
        parts.append(part - basis @ (basis.T @ part))
    return np.moveaxis(np.reshape(np.concatenate(parts), x.shape), 0, axis)


@twin(ss.hilbert, signal)
def hilbert(x, N=None, axis=-1):
    if is_complex(array(x)):
        raise ValueError("x must be real.")
    x = inexact(x)
    n = x.shape[axis] if N is None else N
    if n <= 0:
        raise ValueError("N must be positive.")
    weights = np.zeros(n, primal(x).dtype)
    weights[0], weights[1 : (n + 1) // 2] = 1, 2
    if n % 2 == 0:
        weights[n // 2] = 1
    shape = [n if i == axis % x.ndim else 1 for i in range(x.ndim)]
    return np.fft.ifft(np.fft.fft(x, n, axis) * weights.reshape(shape), axis=axis)
