"""Quantiles, statistics past NaNs, sets and histograms, where samples cannot say it: recorded q, holes, errors."""

import numpy as np
import pytest

import wengert as wg

METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip
NAN = np.nan


def differences(f, x, eps=1e-6):
    """Of the sum of what is finite; none at NaNs, which stay what they are."""
    slope = np.zeros(x.shape)
    for index in np.argwhere(~np.isnan(x)):
        ends = []
        for step in (eps, -eps):
            moved = x.copy()
            moved[tuple(index)] += step
            ends.append(f(moved))
        slope[tuple(index)] = np.nansum(ends[0] - ends[1]) / (2 * eps)
    return slope


HOLES = np.array([[1.2, NAN, -0.4, 2.1], [NAN, 0.3, NAN, -1.7], [0.9, -0.8, 1.6, -0.1]])
PAST_NANS = {
    "nansum": np.nansum,
    "nanprod": np.nanprod,
    "nanmean": np.nanmean,
    "nanvar": np.nanvar,
    "nanstd": np.nanstd,
    "nanmax": np.nanmax,
    "nanmin": np.nanmin,
    "nanmedian": np.nanmedian,
    "nanquantile": lambda x, **k: np.nanquantile(x, 0.3, **k),
    "nanpercentile": lambda x, **k: np.nanpercentile(x, [20, 70], method="weibull", **k),
}


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("name", PAST_NANS)
def test_holes_have_no_part_in_the_result_nor_in_the_gradient(name, axis):
    function = PAST_NANS[name]

    def f(x):
        return function(x, axis=axis)

    t = wg.tensor(HOLES, requires_grad=True)
    y = f(t)
    np.testing.assert_allclose(y.data, f(HOLES))
    y.backward(np.ones(y.shape))
    np.testing.assert_allclose(t.grad.data, differences(f, HOLES), atol=1e-7)


@pytest.mark.parametrize("name", PAST_NANS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_line_of_nothing_but_holes_has_the_gradient_zero(name):
    x = np.array([[NAN, NAN], [1.0, 2.0]])
    gradient = wg.grad(lambda x: np.nansum(PAST_NANS[name](x, axis=1)))(x)
    assert np.all(np.isfinite(gradient[1]))
    if name not in ("nanmax", "nanmin"):
        np.testing.assert_array_equal(gradient[0], [0, 0])


@pytest.mark.parametrize("function", [np.nanmax, np.nanmin, np.nanmedian, np.nanmean, np.nanvar])
def test_such_a_line_is_warned_of_as_numpy_does(function):
    with pytest.warns(RuntimeWarning) as ours:
        function(wg.tensor([NAN, NAN]))
    with pytest.warns(RuntimeWarning) as numpys:
        function(np.array([NAN, NAN]))
    assert str(ours[0].message) == str(numpys[0].message)


@pytest.mark.parametrize("method", METHODS)
def test_the_derivative_by_q_is_the_slope_between_two_elements(method):
    x, q = np.array([3.0, -1.0, 0.5, 7.0, 2.0]), 0.53
    slope = wg.grad(lambda q: np.quantile(x, q, method=method))(q)
    assert slope == pytest.approx(
        (np.quantile(x, q + 1e-6, method=method) - np.quantile(x, q - 1e-6, method=method)) / 2e-6, abs=1e-6
    )
    percent = wg.grad(lambda q: np.nanpercentile(x, q, method=method))(100 * q)
    assert percent == pytest.approx(slope / 100)


def test_by_q_and_by_the_elements():
    x = np.array([3.0, -1.0, 0.5, 7.0])
    mixed = wg.grad(lambda x: wg.grad(lambda q: np.quantile(x, q))(0.4))(x)
    np.testing.assert_allclose(mixed, [3, 0, -3, 0])


@pytest.mark.parametrize("keywords", [{"axis": 3}, {"method": "none"}, {"weights": [1.0, 2.0]}])
def test_quantiles_raise_what_numpy_raises(keywords):
    with pytest.raises(ValueError) as numpys:
        np.quantile(np.ones(2), 0.5, **keywords)
    with pytest.raises(type(numpys.value)):
        np.quantile(wg.tensor(np.ones(2), requires_grad=True), 0.5, **keywords)


@pytest.mark.parametrize("method", ["linear", "lower", "midpoint", "nearest"])
@pytest.mark.parametrize("q", [1, 0.5, [0.0, 0.1, 0.3, 0.75, 1.0]])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinities_give_what_they_give_in_numpy(method, q):
    for x in ([-np.inf, 1.0, 2.0, np.inf], [1.0, 2.0, np.inf], [np.inf, np.inf]):
        found = np.quantile(wg.tensor(x, requires_grad=True), q, method=method)
        np.testing.assert_array_equal(found.data, np.quantile(x, q, method=method))


@pytest.mark.parametrize("x", [[1 + 1j, complex(NAN, 2)], [complex(2, NAN), 1j, 0], [1.0, NAN]])
def test_the_median_with_holes_is_the_last_of_them(x):
    np.testing.assert_array_equal(np.median(wg.tensor(x, requires_grad=True)).data, np.median(x))


# Deviations, correlations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("keywords", [{"where": np.array([True, True, False])}, {"mean": np.ones(1)}])
def test_equal_elements_have_a_deviation_without_direction(keywords):
    np.testing.assert_array_equal(wg.grad(lambda x: np.std(x, **keywords))(np.ones(3)), np.zeros(3))


def test_rows_that_are_multiples_have_a_correlation_that_cannot_grow():
    row = np.array([0.3, -1.2, 0.7, 2.0])
    x = np.stack([row, 3 * row, -row])
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(np.corrcoef(x)))(x), 0, atol=1e-14)
    assert np.all(np.abs(np.corrcoef(wg.tensor(x)).data) <= 1)


# Sets ------------------------------------------------------------------------------------------------------------


def test_of_equal_elements_the_first_has_the_gradient():
    x = np.array([3.0, 1.0, 3.0, NAN, 1.0, NAN])
    weights = np.arange(1.0, 4.0)
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.unique(x)[:2] * weights[:2]))(x), [2, 1, 0, 0, 0, 0])
    values, index, inverse, counts = np.unique(wg.tensor(x), True, True, True)
    for got, expected in zip((values.data, index, inverse, counts), np.unique(x, True, True, True), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_zeros_are_trimmed_where_they_stand():
    x = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]])
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.trim_zeros(x) * 3))(x), [[0, 0, 0], [0, 3, 3]])


# Functions of the user's -----------------------------------------------------------------------------------------


def test_object_arrays_are_no_way_to_lose_a_gradient():
    t = wg.tensor(np.ones(2), requires_grad=True)
    with pytest.raises(wg.errors.LostGradientError):
        np.vectorize(np.sin)(t)
    with pytest.raises(wg.errors.MissingRuleError, match="vectorized"):
        np.frompyfunc(lambda v: 2 * v, 1, 1)(t)


def test_piecewise_sees_the_elements_of_each_mask_only():
    x = np.array([-4.0, 4.0])
    gradient = wg.grad(lambda x: np.sum(np.piecewise(x, [x < 0], [lambda v: np.sqrt(-v), np.sqrt])))(x)
    np.testing.assert_allclose(gradient, [-0.25, 0.25])


UNSIGNED, SIGNED = np.array([2**53 + 1, 2**64 - 2, 3], np.uint64), np.array([2**53 + 1, -1, 3])
LARGEST = np.array([2**63 - 1, 2**63 - 3, 5, 1])
MASK = np.array([True, True, True, False])


def copied_where(to, of, mask):
    to = np.copy(to)
    np.copyto(to, of, casting="unsafe", where=mask)
    return to


WHOLE = {
    "a mean of part": (lambda x, mask: np.mean(x, where=mask), LARGEST, MASK),
    "a deviation of part": (lambda x, mask: np.std(x, where=mask, ddof=1), LARGEST, MASK),
    "a mean of unsigned": (lambda x, mask: np.mean(x, where=mask), LARGEST.astype(np.uint64) * 2, MASK),
    "a narrow mean": (lambda x: np.mean(x, dtype="int8"), np.full(3, 100, np.int8)),
    "narrow means": (lambda x: np.mean(x, axis=0, dtype="uint8", keepdims=True), np.full((3, 2), 100)),
    "a narrow mean of part": (lambda x: np.mean(x, dtype="int8", where=MASK), np.full(4, 100, np.int8)),
    "a narrow variance": (lambda x: np.var(x, dtype="int8"), np.array([100, 100, 50], np.int8)),
    "signed of unsigned": (
        copied_where,
        np.zeros(3, np.int64),
        np.array([2**53 + 1, 2**64 - 2, 3], np.uint64),
        MASK[1:],
    ),
    "narrow of unsigned": (copied_where, np.zeros(3, np.int16), np.array([2**64 - 2, 5, 3], np.uint64), MASK[1:]),
    "unsigned of signed": (copied_where, np.zeros(3, np.uint64), np.array([2**53 + 1, -1, 3]), MASK[1:]),
    "the condition of what is infinite": (np.linalg.cond, np.diag([1, np.inf, 1.0])),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_and_infinities_are_numpys(name):
    f, *given = WHOLE[name]
    expected, fast = np.asarray(f(*given)), wg.compile(f)
    eager = np.asarray(f(wg.tensor(given[0]), *given[1:]))
    for found in (eager, *[np.asarray(fast(*given)) for _ in range(3)]):
        np.testing.assert_allclose(found, expected, 1e-15)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("f", [np.sum, np.prod, np.mean, np.var, lambda x, where: np.max(x, where=where, initial=0)])
def test_a_mask_has_no_more_axes_than_what_it_chooses_from(f):
    for g in (f, wg.compile(f)):
        for x in (np.arange(3.0), wg.tensor([0.0, 1.0, 2.0])):
            with pytest.raises(ValueError):
                g(x, where=np.ones((2, 3), bool))
