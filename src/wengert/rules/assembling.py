"""Arrays put together from parts: inserting, deleting, blocks, filling up a size; and scales between end points."""

import itertools

import numpy as np

from wengert.primitive import composite, linear, without_gradient
from wengert.protocol import anywhere, constant, innermost, lying, usual_order
from wengert.rules.reductions import normal_axis

# Inserting and deleting ------------------------------------------------------------------------------------------


def _permute(x, order=(), axis=0):
    return np.take(x, order, axis)


def _permute_back(g, order, axis):
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return _permute(g, order=back, axis=axis)


_permute = linear(_permute, lambda g, order, axis: _permute_back(g, order, axis), batch="axis", moves=True)


def _places(obj):
    """What says where to insert or delete, without tensors: NumPy looks at whether it came as a number or a list."""
    return [innermost(i) for i in obj] if isinstance(obj, (list, tuple)) else innermost(obj)


@composite(np.insert)
def insert(arr, obj, values, axis=None):
    """The new elements behind the old ones, and then all in the order that NumPy's function gives their numbers."""
    arr = arr if hasattr(arr, "ndim") else np.asarray(arr)
    lies = usual_order(arr)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, normal_axis(axis, arr.ndim))
    return lying(_inserted(arr, obj, values, axis), lies)


def _inserted(arr, obj, values, axis):
    n, obj = arr.shape[axis], _places(obj)
    values = values if hasattr(values, "ndim") else np.array(values, arr.dtype)
    values = values if values.dtype == arr.dtype else np.astype(values, arr.dtype)
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        return _inserted_at(arr, obj, np.moveaxis(values, 0, axis), axis)
    count = len(np.insert(np.arange(n), obj, 0)) - n
    count = values.shape[axis] if count == 1 else count
    order = np.insert(np.arange(n), obj, np.arange(n, n + count))
    values = np.broadcast_to(values, (*arr.shape[:axis], count, *arr.shape[axis + 1 :]))
    return _permute(np.concatenate([arr, values], axis=axis), order=order, axis=axis)


def _inserted_at(arr, place, values, axis):
    n, lead = arr.shape[axis], (slice(None),) * axis
    if not -n <= place <= n:
        raise IndexError(f"index {place} is out of bounds for axis {axis} with size {n}")
    place = place + n if place < 0 else place
    values = np.broadcast_to(values, (*arr.shape[:axis], values.shape[axis], *arr.shape[axis + 1 :]))
    return np.concatenate([arr[(*lead, slice(place))], values, arr[(*lead, slice(place, None))]], axis=axis)


@composite(np.delete)
def delete(arr, obj, axis=None):
    lies = usual_order(arr)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, normal_axis(axis, arr.ndim))
    n, lead = arr.shape[axis], (slice(None),) * axis
    if isinstance(obj, (int, np.integer)) and not isinstance(obj, bool) and -n <= obj < n:
        ends = [arr[(*lead, slice(obj % n))], arr[(*lead, slice(obj % n + 1, None))]]
        return lying(np.concatenate(ends, axis=axis), lies)
    places = _places(obj)
    kept = np.zeros(n, bool)
    kept[np.delete(np.arange(n), places)] = True
    found = arr[(*lead, kept)]
    is_one = not isinstance(places, slice) and np.size(places) == 1 and np.asarray(places).dtype.kind in "iu"
    return lying(found, lies) if is_one or isinstance(places, slice) else found


@composite(np.resize)
def resize(a, new_shape):
    """The elements one after the other, from the first again where they are too few."""
    new_shape = (new_shape,) if isinstance(new_shape, (int, np.integer)) else tuple(new_shape)
    size = 1
    for n in new_shape:
        size *= n
        if n < 0:
            raise ValueError("all elements of `new_shape` must be non-negative")
    a = np.ravel(a)
    if not a.size or not size:
        return np.zeros_like(a, shape=new_shape)
    return np.reshape(np.tile(a, -(-size // a.size))[:size], new_shape)


# Blocks ----------------------------------------------------------------------------------------------------------


@composite(np.block)
def block(arrays):
    parts = list(_with_depths(arrays, 0))
    depths = {depth for _, depth in parts}
    if any(part is None for part, _ in parts):
        raise ValueError("List at arrays cannot be empty")
    if len(depths) > 1:
        raise ValueError(f"List depths are mismatched. Depths were found: {sorted(depths)}")
    if any(isinstance(part, tuple) for part, _ in parts):
        raise TypeError("arrays is a tuple. Only lists can be used to arrange blocks")
    depth = depths.pop()
    ndim = max(depth, *(np.ndim(part) for part, _ in parts))
    return _joined(arrays, depth, ndim)


def _with_depths(arrays, depth):
    if not isinstance(arrays, list):
        yield arrays, depth
    elif not arrays:
        yield None, depth + 1
    else:
        yield from itertools.chain.from_iterable(_with_depths(each, depth + 1) for each in arrays)


def _joined(arrays, depth, ndim):
    if isinstance(arrays, list):
        return np.concatenate([_joined(each, depth - 1, ndim) for each in arrays], axis=-depth)
    arrays = arrays if hasattr(arrays, "ndim") else np.asarray(arrays)
    return np.copy(np.reshape(arrays, (1,) * (ndim - arrays.ndim) + arrays.shape))


# Scales ----------------------------------------------------------------------------------------------------------


@composite(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    if np.ndim(base):
        ndim = max(np.ndim(start), np.ndim(stop), np.ndim(base))
        start, stop, base = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x)) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    powers = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return powers if dtype is None else np.astype(powers, dtype)


@composite(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """Powers of the ratio of the ends, which are there without rounding."""
    if anywhere(start == 0) or anywhere(stop == 0):
        raise ValueError("Geometric sequence cannot include zero")
    kind = np.result_type(start, stop, float(num), np.zeros((), dtype))
    start, stop = (np.broadcast_to(x, np.broadcast_shapes(np.shape(start), np.shape(stop))) for x in (start, stop))
    start, stop = np.astype(start, kind), np.astype(stop, kind)
    steps = num - 1 if endpoint else num
    portions = (np.arange(num) / max(steps, 1)).astype(start.real.dtype).reshape(-1, *(1,) * start.ndim)
    points = start * np.power(stop / start, portions)
    if endpoint and num > 1:
        points = np.concatenate([points[:-1], stop[None]])
    points = np.moveaxis(points, 0, axis)
    return points if dtype is None else np.astype(points, dtype, copy=False)


# Functions that leave the real numbers where they have to --------------------------------------------------------


def _outside_below_zero(x):
    return anywhere(np.isreal(x) & (x < 0))


def _outside_one(x):
    return anywhere(np.isreal(x) & (np.abs(x) > 1))


def _complex_if(outside, x):
    """The operand as a complex number if some element is where the real function ends."""
    x = x if hasattr(x, "ndim") else np.asarray(x)
    if x.dtype.kind == "c" or not outside(constant(x)):
        return x
    return np.astype(x, np.complex64 if x.dtype.char in "fbhBH" else np.complex128)


for _function, _ufunc, _outside in (
    (np.emath.sqrt, np.sqrt, _outside_below_zero),
    (np.emath.log, np.log, _outside_below_zero),
    (np.emath.log2, np.log2, _outside_below_zero),
    (np.emath.log10, np.log10, _outside_below_zero),
    (np.emath.arccos, np.arccos, _outside_one),
    (np.emath.arcsin, np.arcsin, _outside_one),
    (np.emath.arctanh, np.arctanh, _outside_one),
):
    composite(_function)(lambda x, ufunc=_ufunc, outside=_outside: ufunc(_complex_if(outside, x)))


@composite(np.emath.logn)
def logn(n, x):
    return np.log(_complex_if(_outside_below_zero, x)) / np.log(_complex_if(_outside_below_zero, n))


@composite(np.emath.power)
def power(x, p):
    p = p if hasattr(p, "ndim") else np.asarray(p)
    if p.dtype.kind in "iu" and anywhere(p < 0):
        p = np.astype(p, np.float64)
    return np.power(_complex_if(_outside_below_zero, x), p)


without_gradient(
    np.ix_, np.packbits, np.unpackbits, np.bitwise_count, np.diag_indices_from, np.tril_indices_from,
    np.triu_indices_from,
)  # fmt: skip
