"""Nothing is left out: every function has samples, every parameter and every rule is used by some sample."""

import inspect
import operator
import warnings

import numpy as np
import pytest
from tests.battery.samples import REFUSED, SINGULAR, SMOOTH
from tests.battery.variants import as_tensors, key_of, name_of

import wengert as wg
from wengert.box import bare
from wengert.primitive import REGISTRY, Plain, Primitive
from wengert.rules import nn
from wengert.tape import Leaf
from wengert.testing import check_rule

# Functions -------------------------------------------------------------------------------------------------------


def _is_numpys(function):
    return (getattr(function, "__module__", None) or "").split(".")[0] == "numpy"


PUBLIC = [key for key in REGISTRY if isinstance(key, (np.ufunc, tuple)) or key is operator.getitem or _is_numpys(key)]
OWN = [getattr(wg, name) for name in nn.__all__]


@pytest.mark.parametrize("key", [*PUBLIC, *OWN], ids=name_of)
def test_every_function_has_samples(key):
    assert key in {key_of(function) for function in SMOOTH}, "add a line to tests/battery/samples.py"


@pytest.mark.parametrize("key", SINGULAR, ids=name_of)
def test_singular_samples_are_of_functions_with_smooth_ones(key):
    assert key in SMOOTH


# Parameters ------------------------------------------------------------------------------------------------------

ELSEWHERE = {"out"}
"""Parameters that every function takes, tested in test_keywords.py."""
NO_VALUE = {"subok", "device", "copy", "overwrite_input", "casting", "order", "kind"}
"""Parameters that only say how a result is made or kept in memory; `order` where that is all it says."""


def _documented(function):
    """Parameters of a NumPy function, without those for any number of arguments."""
    parameters = inspect.signature(key_of(function)).parameters.values()
    return {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _used(function, sample):
    """Parameters to which a sample gives another value than the default."""
    signature = inspect.signature(key_of(function))
    given = signature.bind(*sample.args, **sample.kwargs).arguments
    return {name for name, value in given.items() if value is not signature.parameters[name].default}


ARRAY_FUNCTIONS = [
    function
    for function in SMOOTH
    if _is_numpys(key_of(function))
    and not isinstance(key_of(function), np.ufunc)
    and not isinstance(REGISTRY[key_of(function)], Plain)
]


@pytest.mark.parametrize("function", ARRAY_FUNCTIONS, ids=name_of)
def test_every_parameter_is_used(function):
    used = set().union(*(_used(function, sample) for sample in [*SMOOTH[function], *REFUSED.get(function, ())]))
    assert _documented(function) - used <= ELSEWHERE | NO_VALUE


@pytest.mark.parametrize("function, sample", [(f, sample) for f, given in REFUSED.items() for sample in given])
def test_what_has_no_rule_is_refused_by_name(function, sample):
    """Values that NumPy takes, and that a rule does not know: an error that names them, whatever it is for others."""
    function(*sample.args, **sample.kwargs)
    args, kwargs = as_tensors(sample)
    with pytest.raises(wg.errors.WengertError) as caught:
        function(*args, **kwargs)
    assert all(str(value) in str(caught.value) for value in sample.kwargs.values())


# Rules -----------------------------------------------------------------------------------------------------------


def _steps(node, seen):
    """Name and operand's position of every rule on the way back from a node."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node is None or node in seen or isinstance(node, Leaf):
            continue
        seen.add(node)
        parents = node.p0 if isinstance(node.p0, tuple) else (node.p0, getattr(node, "p1", None))
        for position, parent in enumerate(parents):
            if parent is not None:
                yield node.name, position
                stack.append(parent)


def _tensors(result):
    if isinstance(result, (list, tuple, dict)):
        return [t for item in (result.values() if isinstance(result, dict) else result) for t in _tensors(item)]
    return [result] if isinstance(result, wg.Tensor) else []


@pytest.mark.filterwarnings("ignore")
def test_every_rule_is_used():
    """Of a primitive's operands that have a rule each is recorded by some sample, or on the way back from it."""
    used = set()
    for function, given in SMOOTH.items():
        for sample in given:
            args, kwargs = as_tensors(sample)
            try:
                results = _tensors(function(*args, **kwargs))
            except wg.errors.LostGradientError:
                continue
            used |= {step for t in results for step in _steps(t._node, set())}
            used |= _steps_back(results, _tensors([args, kwargs]))
    known = {p for p in REGISTRY.values() if isinstance(p, Primitive)}
    assert len({p.name for p in known}) == len(known), "two primitives have one name"
    # Those that transformations are made of have tests of their own.
    known = {p for p in known if not getattr(p.call, "__module__", "").startswith("wengert.transforms")}
    positions = {(p.name, k) for p in known for k in _positions(p)}
    assert positions <= used


def _steps_back(results, leaves):
    """The same on the way back from gradients, which depend on the cotangents as well."""
    heads = [t for t in results if t.requires_grad]
    cotangents = [wg.ones(t.shape, t.dtype, requires_grad=True) for t in heads]
    try:
        wg.backward(heads, cotangents, create_graph=True)
    except wg.errors.WengertError:  # no derivative, or none of the second order
        return set()
    return {step for leaf in leaves if leaf.grad is not None for step in _steps(leaf.grad._node, set())}


def _positions(p):
    """Where a node keeps the parents of the operands that have rules."""
    if p.variadic:
        return [0] if p.rules[0] is not None else []
    if p.scatter is not None:
        return [0]
    return range(sum(rule is not None for rule in p.rules))


# Tangents of linear functions ------------------------------------------------------------------------------------


LINEAR = [p for p in dict.fromkeys(REGISTRY.values()) if isinstance(p, Primitive) and p.kind in ("linear", "bilinear")]


@pytest.fixture(scope="module")
def linear_calls():
    """From each linear primitive to the calls of it, operands and parameters, that the samples lead to."""
    calls = {p: [] for p in LINEAR}
    table = wg.Tensor._table
    before = dict(table)
    table.clear()  # entries hold each other
    for key, p in REGISTRY.items():
        if p in LINEAR:
            table[key] = _listening(before[p] if p in before else wg.Tensor._table[p], calls[p])
    try:
        with warnings.catch_warnings(action="ignore"):
            for function, given in SMOOTH.items():
                for sample in given:
                    args, kwargs = as_tensors(sample)  # of tensors without a gradient SciPy's functions make arrays
                    function(*args, **kwargs)
    finally:
        table.clear()
        table.update(before)
    return calls


def _listening(entry, calls):
    def call(*args, **kwargs):
        calls.append((args, kwargs))
        return entry(*args, **kwargs)

    return call


def _finite(value):
    """Samples with NaNs cannot be compared with differences."""
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    return not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "fc" or np.all(np.isfinite(value))


@pytest.mark.parametrize("p", LINEAR, ids=lambda p: p.name)
def test_linear_functions_are_their_own_tangent_rules(p, linear_calls):
    assert linear_calls[p]
    for args, kwargs in linear_calls[p]:
        plain = [*map(bare, args)]
        if _finite(plain):
            check_rule(p.apply, *plain, **kwargs)
