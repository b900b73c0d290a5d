"""Minimisers, against closed forms and SciPy's own answers."""

import threading
import warnings
from typing import NamedTuple

import numpy as np
import pytest
from scipy import optimize as scipy_optimize

import wengert as wg
from wengert import optimize
from wengert.optimize import LinearConstraint, NonlinearConstraint, minimize

START = np.array([1.3, 0.7, 0.8, 1.9])

FIRST_ORDER = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP"]
SECOND_ORDER = ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr", "dogleg", "trust-exact"]
VALUES_ONLY = ["Nelder-Mead", "Powell", "COBYLA", "COBYQA"]


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_in_containers(p):
    head, (middle, last) = p["head"], p["tail"]
    return rosenbrock(np.stack([head, middle[0, 0], last[0], last[1]]))


CONTAINERS = {"head": 1.3, "tail": (np.array([[0.7]]), [0.8, 1.9])}


def valley(x):
    return np.sum(np.cosh(x - np.arange(4))) + x[0] * x[3]


def valley_gradient(x):
    return np.sinh(x - np.arange(4)) + np.array([x[3], 0, 0, x[0]])


@pytest.mark.parametrize("method", FIRST_ORDER)
def test_the_way_is_that_of_scipy_with_the_gradient_by_hand(method):
    expected = scipy_optimize.minimize(valley, START, method=method, jac=valley_gradient)
    found = minimize(valley, START, method=method)
    assert found.success == expected.success
    assert found.nit == expected.nit
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-8)
    assert found.derivatives == "exact gradient"
    assert type(found.x) is np.ndarray


@pytest.mark.parametrize("method", SECOND_ORDER)
def test_second_order_methods_get_exact_hessians(method):
    start = np.array([1.2, 1.1, 1.3, 1.6]) if method == "dogleg" else START  # it needs a positive definite Hessian
    found = minimize(rosenbrock, start, method=method, options={"gtol": 1e-9} if method == "trust-constr" else None)
    np.testing.assert_allclose(found.x, 1, atol=1e-4)
    assert "Hessian" in found.derivatives


@pytest.mark.parametrize("method", VALUES_ONLY)
def test_methods_without_derivatives_say_so(method):
    def bowl(x):
        return np.sum((x - 1) ** 2)

    with pytest.warns(RuntimeWarning, match="no derivatives"):
        found = minimize(bowl, [0.0, 0.5], method=method)
    np.testing.assert_allclose(found.x, 1, atol=1e-3)
    assert found.derivatives.startswith("none")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minimize(bowl, [0.0, 0.5], method=method, jac=False)


def test_the_default_methods_are_those_of_scipy():
    assert "hess_inv" in minimize(rosenbrock, START)
    assert minimize(rosenbrock, START, bounds=[(None, None)] * 4).message.startswith("CONVERGENCE")
    assert (
        minimize(rosenbrock, START, constraints={"type": "eq", "fun": lambda x: x[0] - 1}).message
        == "Optimization terminated successfully"
    )


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "Newton-CG", "trust-exact"])
def test_nested_containers(method):
    found = minimize(rosenbrock_in_containers, CONTAINERS, method=method, tol=1e-8)
    assert list(found.x) == ["head", "tail"] and isinstance(found.x["tail"], tuple)
    assert found.x["tail"][0].shape == (1, 1)
    np.testing.assert_allclose(found.x["head"], 1, atol=1e-5)
    np.testing.assert_allclose(found.x["tail"][1], [1, 1], atol=1e-5)
    assert found.jac["tail"][0].shape == (1, 1)


class Line(NamedTuple):
    slope: float
    offset: float


def test_named_tuples_numbers_matrices_integers_and_args():
    t = np.arange(5)
    line = minimize(lambda p, t: np.sum((p.slope * t + p.offset - (2 * t + 1)) ** 2), Line(0, 0), args=(t,)).x
    assert isinstance(line, Line) and np.allclose(line, (2, 1))
    assert np.allclose(minimize(lambda x: (x - 3) ** 2, 0).x, [3.0])
    matrix = minimize(lambda m: np.sum((m @ m - np.diag([4.0, 9.0])) ** 2), np.eye(2, dtype=int) * 2).x
    assert np.allclose(matrix, np.diag([2, 3]), atol=1e-4)
    assert np.allclose(minimize(lambda x, a: (x[0] - a) ** 2, [0.0], args=5).x, [5])


def test_value_and_gradient_are_computed_once_for_each_point():
    calls = []

    def counted(x):
        calls.append(1)
        return rosenbrock(x)

    found = minimize(counted, START, method="BFGS")
    assert len(calls) == found.nfev


def test_bounds_of_vectors_and_of_containers():
    def far(x):
        return np.sum((x - 5) ** 2)

    assert np.allclose(minimize(far, [0.0, 0.0], bounds=[(0, 1), (None, 2)]).x, [1, 2])
    assert np.allclose(minimize(far, [0.0, 0.0], bounds=optimize.Bounds([0, 0], [1, 2])).x, [1, 2])
    start = {"a": 0.0, "b": np.zeros((2, 2))}
    upper = {"a": 1.0, "b": np.array([2.0, 3.0])}
    found = minimize(lambda p: far(p["a"]) + far(p["b"]), start, bounds=(None, upper)).x
    assert np.allclose(found["a"], 1) and np.allclose(found["b"], [[2, 3], [2, 3]])
    with pytest.raises(wg.errors.ArgumentError, match=r"\(lower, upper\)"):
        minimize(lambda p: far(p["a"]), {"a": 0.0}, bounds=[(0, 1)])
    with pytest.raises(wg.errors.ShapeError, match="broadcast"):
        minimize(lambda p: far(p["b"]), start, bounds=({"a": 0.0, "b": np.zeros(3)}, None))


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
@pytest.mark.parametrize("old_form", [True, False])
def test_nonlinear_constraints_in_containers(method, old_form):
    """The point of the unit circle with the largest x + 2y is (1, 2) / sqrt(5)."""
    seen = []

    def circle(p):
        seen.append(type(p["x"]))
        return p["x"] ** 2 + p["y"] ** 2

    constraint = NonlinearConstraint(circle, 1.0, 1.0)
    if old_form:
        constraint = {"type": "eq", "fun": lambda p: circle(p) - 1}
    found = minimize(
        lambda p: -p["x"] - 2 * p["y"], {"x": 0.5, "y": 0.5}, method=method, constraints=constraint, tol=1e-9
    )
    assert np.allclose([found.x["x"], found.x["y"]], np.array([1, 2]) / np.sqrt(5), atol=1e-5)
    assert any(issubclass(kind, wg.Tensor) or "Dual" in kind.__name__ for kind in seen)  # not differences


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA"])
def test_linear_constraints_are_of_the_vector(method):
    """The point of x + y = 2 nearest to the origin."""
    found = minimize(
        lambda p: p[0] ** 2 + p[1] ** 2,
        (3.0, 0.0),
        method=method,
        jac=False if method == "COBYLA" else None,
        constraints=[LinearConstraint([[1, 1]], 2, 2)],
    )
    assert np.allclose(found.x, [1, 1], atol=1e-3)
    with pytest.raises(wg.errors.ArgumentError, match="2 columns"):
        minimize(lambda p: p[0], (1.0, 1.0), constraints=LinearConstraint([[1, 1, 1]], 2, 2))


def test_derivatives_of_the_callers_own_are_used():
    used = set()

    def gradient(p):
        used.add("jac")
        return {"x": 2 * p["x"]}

    def product(p, d):
        used.add("hessp")
        return {"x": 2 * d["x"]}

    def square(p):
        assert type(p["x"]) is np.ndarray
        return np.sum(p["x"] ** 2)

    start = {"x": np.array([1.0, 2.0])}
    found = minimize(square, start, method="trust-ncg", jac=gradient, hessp=product)
    assert used == {"jac", "hessp"} and np.allclose(found.x["x"], 0)
    found = minimize(lambda p: (square(p), {"x": 2 * p["x"]}), start, method="BFGS", jac=True)
    assert np.allclose(found.x["x"], 0) and "caller" in found.derivatives
    found = minimize(square, start, jac="3-point")
    assert np.allclose(found.x["x"], 0, atol=1e-6) and found.derivatives == "differences"
    found = minimize(rosenbrock, START, method="trust-exact", hess=scipy_optimize.rosen_hess)
    assert np.allclose(found.x, 1, atol=1e-4) and "caller" in found.derivatives
    mixed = minimize(lambda p: (np.sum(p**4), 4 * p**3), np.ones(2), method="Newton-CG", jac=True)
    assert np.allclose(mixed.x, 0, atol=1e-2)


def test_callbacks_see_containers():
    seen = []
    minimize(lambda p: (p["x"] - 1) ** 2, {"x": 0.0}, callback=lambda p: seen.append(p["x"]))
    assert np.allclose(seen[-1], 1)

    def stop(intermediate_result):
        assert "x" in intermediate_result.x
        raise StopIteration

    assert minimize(lambda p: (p["x"] - 1) ** 4, {"x": 0.0}, callback=stop).nit <= 1


def test_nan_and_infinity_are_treated_as_in_scipy():
    def log_barrier(x):
        with np.errstate(all="ignore"):
            return x[0] - np.log(x[0])

    for method in ("BFGS", "L-BFGS-B"):
        expected = scipy_optimize.minimize(
            lambda x: x[0] - np.log(x[0]) if x[0] > 0 else np.nan, [0.3], jac=lambda x: 1 - 1 / x, method=method
        )
        found = minimize(log_barrier, [0.3], method=method)
        assert np.allclose(found.x, expected.x, rtol=1e-5, equal_nan=True)
    assert np.isnan(minimize(lambda x: np.sum(x) * np.nan, [1.0], method="L-BFGS-B").fun)


def test_recorded_values_are_refused_and_lead_to_implicit():
    t = wg.tensor(2.0, requires_grad=True)
    for call in (
        lambda: minimize(lambda x, a: (x[0] - a) ** 2, [0.0], args=(t,)),
        lambda: minimize(lambda x: (x[0] - t) ** 2, [0.0]),
        lambda: minimize(lambda x: (x[0] - t) ** 2, [0.0], method="Nelder-Mead", jac=False),
        lambda: minimize(lambda x: x**2, t),
        lambda: wg.grad(lambda a: minimize(lambda x: (x[0] - a) ** 2, [0.0]).x[0])(1.0),
    ):
        with pytest.raises(wg.errors.LostGradientError, match="implicit"):
            call()
    assert np.allclose(minimize(lambda x, a: (x[0] - a) ** 2, wg.tensor([0.0]), args=(wg.tensor(2.0),)).x, 2)


def test_what_is_no_objective_is_refused():
    with pytest.raises(wg.errors.ShapeError, match="one number"):
        minimize(lambda x: x**2, [1.0, 2.0])
    with pytest.raises(wg.errors.ShapeError, match="return missing"):
        minimize(lambda x: None, [1.0])
    with pytest.raises(wg.errors.DTypeError, match="real variables"):
        minimize(lambda x: np.abs(x[0]), [1j])
    with pytest.raises(wg.errors.DTypeError, match="numbers"):
        minimize(lambda p: p["x"], {"x": 1.0, "name": "a"})
    with pytest.raises(ValueError, match="Unknown solver"):
        minimize(rosenbrock, START, method="steepest")
    with pytest.warns(wg.errors.LostGradientWarning, match="float"):
        minimize(lambda x: float(x[0]) ** 2, [1.0])


def test_errors_of_the_function_pass_and_leave_nothing_behind():
    def broken(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        minimize(broken, [1.0])
    assert np.allclose(minimize(rosenbrock, START, method="L-BFGS-B").x, 1, atol=1e-3)


def test_inside_no_grad_and_in_threads():
    with wg.no_grad():
        assert np.allclose(minimize(rosenbrock, START, tol=1e-9).x, 1, atol=1e-4)
    found = {}

    def work(k):
        found[k] = minimize(lambda x: np.sum((x - k) ** 2), np.zeros(3)).x

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.allclose(found[k], k) for k in range(4))


def test_progress_is_shown_on_request(capsys):
    minimize(rosenbrock, START)
    assert capsys.readouterr().out == ""
    minimize(rosenbrock, START, progress=True)
    assert "evaluation" in capsys.readouterr().out


def test_custom_methods_get_the_exact_gradient():
    def descent(fun, x0, args=(), jac=None, **options):
        x = x0
        for _ in range(200):
            x = x - 0.1 * jac(x)
        return optimize.OptimizeResult(x=x, fun=fun(x), success=True)

    assert np.allclose(minimize(lambda p: np.sum((p["x"] - 2) ** 2), {"x": np.zeros(2)}, method=descent).x["x"], 2)


def test_sparse_jacobians_of_constraints_are_exact():
    inside = NonlinearConstraint(lambda x: x**2, 0, 1, finite_diff_jac_sparsity=np.eye(20))
    found = minimize(lambda x: -np.sum(x), np.full(20, 0.5), method="trust-constr", constraints=inside)
    assert np.allclose(found.x, 1, atol=1e-2)
