"""Keywords that many functions share: ``out=``, and those of ufuncs; and errors, which are NumPy's own."""

import inspect

import numpy as np
import pytest
from tests.battery.samples import SMOOTH
from tests.battery.variants import as_tensors, is_twin, key_of, name_of

import wengert as wg
from wengert.primitive import REGISTRY, Composite, Primitive

pytestmark = pytest.mark.filterwarnings("ignore")

UFUNCS = [function for function in SMOOTH if isinstance(function, np.ufunc) and function.nout == 1]


def _parameters(function):
    return list(inspect.signature(function).parameters) if not isinstance(key_of(function), tuple) else []


TAKE_OUT = [*UFUNCS, *(function for function in SMOOTH if "out" in _parameters(key_of(function)))]


def _flat(value):
    return [x for item in value for x in _flat(item)] if isinstance(value, (list, tuple)) else [value]


def _gradient(function, args, kwargs, leaf):
    result = function(*args, **kwargs)
    cotangent = np.arange(1.0, 1 + result.size).reshape(result.shape)
    result.backward(cotangent)
    gradient, leaf.grad = leaf.grad, None
    return gradient.numpy()


# out= ------------------------------------------------------------------------------------------------------------


def _first_with_axes(function):
    """The first sample with a result that has axes, which can be written into."""
    for sample in SMOOTH[function]:
        result = function(*sample.args, **sample.kwargs)
        if isinstance(result, np.ndarray) and result.ndim:
            return sample, result
    pytest.skip("every result is a scalar")


@pytest.mark.parametrize("function", TAKE_OUT, ids=name_of)
def test_out_is_a_tensor(function):
    sample, expected = _first_with_axes(function)
    args, kwargs = as_tensors(sample)
    out = wg.zeros(expected.shape, expected.dtype)
    assert function(*args, **kwargs, out=out) is out
    np.testing.assert_allclose(out.data, expected)
    if isinstance(REGISTRY[key_of(function)], (Primitive, Composite)) and expected.dtype.kind == "f":
        leaf = next(x for x in _flat(args) if isinstance(x, wg.Tensor))
        written = _gradient(function, args, {**kwargs, "out": wg.zeros(expected.shape)}, leaf)
        assert np.array_equal(written, _gradient(function, args, kwargs, leaf))


@pytest.mark.parametrize("function", TAKE_OUT, ids=name_of)
def test_out_is_a_plain_array(function):
    """Of unrecorded tensors the result is written; a recorded one would lose its gradient, and is refused."""
    sample, expected = _first_with_axes(function)
    args, kwargs = as_tensors(sample, requires_grad=False)
    out = np.zeros_like(expected)
    assert function(*args, **kwargs, out=out) is out
    np.testing.assert_allclose(out, expected)
    if isinstance(REGISTRY[key_of(function)], Primitive) and expected.dtype.kind == "f":
        args, kwargs = as_tensors(sample)
        with pytest.raises(wg.errors.LostGradientError):
            function(*args, **kwargs, out=out)


@pytest.mark.parametrize("function", [f for f in TAKE_OUT if not isinstance(f, np.ufunc)], ids=name_of)
def test_out_by_position(function):
    sample, expected = _first_with_axes(function)
    args, kwargs = as_tensors(sample)
    names, defaults = _parameters(function), inspect.signature(function)
    given = defaults.bind(*args, **kwargs)
    if defaults.parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY or set(given.kwargs):
        pytest.skip("there is no position")
    given.apply_defaults()
    positional = [given.arguments[name] for name in names[: names.index("out")]]
    out = wg.zeros(expected.shape, expected.dtype)
    assert function(*positional, out) is out
    np.testing.assert_allclose(out.data, expected)


# Keywords of ufuncs ----------------------------------------------------------------------------------------------

REAL = [
    function
    for function in UFUNCS
    if isinstance(REGISTRY[function], Primitive)
    and function not in (np.matmul, np.float_power)  # which has no loop of single precision
    and all(isinstance(x, (np.ndarray, np.floating)) for x in SMOOTH[function][0].args)
    and not np.iscomplexobj(function(*SMOOTH[function][0].args))
]


@pytest.mark.parametrize("function", REAL, ids=name_of)
def test_where(function):
    """Elements that are not computed keep what ``out=`` holds, and their gradients are zero."""
    sample = SMOOTH[function][0]
    args, _ = as_tensors(sample)
    mask = np.arange(args[0].size).reshape(args[0].shape) % 2 == 0
    before = wg.tensor(np.full(args[0].shape, 7.0), requires_grad=True)
    out = before.copy()
    function(*args, where=mask, out=out)
    np.testing.assert_allclose(out.data, np.where(mask, function(*sample.args), 7.0))
    out.backward(np.ones(out.shape))
    np.testing.assert_array_equal(before.grad.data, ~mask)
    gradient = args[0].grad.numpy()
    args[0].grad = None
    function(*args).backward(np.where(mask, 1.0, 0.0))
    np.testing.assert_array_equal(gradient, args[0].grad.data)


@pytest.mark.parametrize("function", REAL, ids=name_of)
def test_dtype(function):
    sample = SMOOTH[function][0]
    args, _ = as_tensors(sample)
    result = function(*args, dtype=np.float32)
    expected = function(*sample.args, dtype=np.float32, casting="same_kind")
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result.data, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "keyword",
    [{"casting": "no"}, {"order": "F"}, {"signature": "d->d"}, {"subok": False}],
    ids=lambda keyword: next(iter(keyword)),
)
def test_keywords_without_a_meaning_are_refused_by_name(keyword):
    with pytest.raises((wg.errors.ArgumentError, TypeError), match=next(iter(keyword))):
        np.exp(wg.tensor([1.0], requires_grad=True), **keyword)


# Errors ----------------------------------------------------------------------------------------------------------

WITH_AXIS = [
    (function, sample, name)
    for function, given in SMOOTH.items()
    for sample in given[:1]
    if not isinstance(function, np.ufunc)
    for name in _parameters(key_of(function))
    if name.startswith("axis") or name in ("axes", "source", "kth")
]


@pytest.mark.parametrize(
    "function, sample, name", WITH_AXIS, ids=[f"{name_of(function)}-{name}" for function, _, name in WITH_AXIS]
)
@pytest.mark.parametrize("bad", [99, -99, 0.5, "x", (0, 0)], ids=repr)
def test_wrong_axes_raise_what_numpy_raises(function, sample, name, bad):
    signature = inspect.signature(key_of(function))

    def call(arguments):
        given = signature.bind(*arguments[0], **arguments[1])
        given.arguments[name] = bad
        return function(*given.args, **given.kwargs)

    try:
        expected = call((sample.args, sample.kwargs))
    except Exception as error:
        kinds = (TypeError, ValueError, IndexError, RuntimeError) if is_twin(function) else type(error)
        with pytest.raises(kinds):
            call(as_tensors(sample))
    else:
        if is_twin(function) and bad == (0, 0):
            pytest.skip("SciPy takes the axis twice")
        assert np.shape(call(as_tensors(sample))) == np.shape(expected)
