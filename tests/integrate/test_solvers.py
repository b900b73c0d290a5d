"""Values as SciPy's, containers, and what is refused."""

import numpy as np
import pytest
from scipy import integrate

import wengert as wg
from wengert.errors import ArgumentError
from wengert.integrate import odeint, solve_ivp


def pendulum(t, y, friction):
    return np.stack([y[1], -np.sin(y[0]) - friction * y[1]])


@pytest.mark.parametrize("method", ["RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("t_eval", [None, np.linspace(0.0, 4.5, 11)])
def test_values_and_recorded_values_are_those_of_scipy(method, t_eval):
    expected = integrate.solve_ivp(pendulum, (0, 5), [1.0, 0.0], method=method, t_eval=t_eval, args=(0.2,))
    found = solve_ivp(pendulum, (0, 5), [1.0, 0.0], method=method, t_eval=t_eval, args=(0.2,))
    assert np.array_equal(found.t, expected.t) and np.array_equal(found.y, expected.y)
    recorded = solve_ivp(
        pendulum, (0, 5), [1.0, 0.0], method=method, t_eval=t_eval, args=(wg.tensor(0.2, requires_grad=True),)
    )
    assert recorded.success
    assert recorded.y.requires_grad
    np.testing.assert_allclose(recorded.y.numpy(), expected.y, atol=1e-2 if method in ("BDF", "LSODA") else 1e-3)
    if method in ("RK45", "RK23", "DOP853"):
        np.testing.assert_allclose(recorded.t, expected.t, rtol=1e-6)
        np.testing.assert_allclose(recorded.y.numpy(), expected.y, atol=1e-7)


def test_containers_have_the_times_in_front_or_at_the_end():
    def slope(t, y):
        return {"a": -y["a"], "b": [2 * y["b"][0]]}

    y0 = {"a": np.ones((2, 3)), "b": [1.0]}
    found = solve_ivp(slope, (0, 1), y0, t_eval=[0.0, 0.5, 1.0], rtol=1e-8, atol=1e-8, dense_output=True)
    assert found.y["a"].shape == (2, 3, 3) and found.y["b"][0].shape == (3,)
    assert np.allclose(found.sol(0.5)["a"], np.exp(-0.5))
    states = odeint(slope, y0, [0.0, 0.5, 1.0], tfirst=True)
    assert states["a"].shape == (3, 2, 3)
    assert np.allclose(states["b"][0], np.exp([0.0, 1.0, 2.0]))


def test_events_see_containers():
    def ground(t, y):
        return y["height"]

    ground.terminal, ground.direction = True, -1

    def fall(t, y):
        return {"height": y["speed"], "speed": -10.0}

    found = solve_ivp(fall, (0, 9), {"height": 0.0, "speed": 5.0}, events=ground)
    assert found.status == 1
    assert np.allclose(found.t_events[0], 1.0)
    assert np.allclose(found.y_events[0]["speed"], -5.0)


def test_lists_of_numbers_and_single_numbers_are_states():
    assert np.allclose(odeint(lambda y, t: [y[1], -y[0]], [0, 1], [0, np.pi / 2])[-1], [1, 0])
    assert np.allclose(odeint(lambda y, t: -y, 1, [0, 1]), [1, np.exp(-1)])


def test_repeated_single_and_falling_times():
    decay = {"func": lambda y, t: -y, "y0": 1.0}
    assert np.allclose(odeint(t=[0.0, 1.0, 1.0, 2.0], **decay), np.exp([0.0, -1.0, -1.0, -2.0]))
    assert np.allclose(odeint(t=[0.0], **decay), [1.0])
    assert np.allclose(odeint(t=[1.0, 0.5, 0.0], **decay), np.exp([0.0, 0.5, 1.0]))
    for gradient in ("discrete", "adjoint"):
        for t in ([0.0], [0.0, 0.0], [0.0, 1.0, 1.0]):
            g = wg.grad(lambda y: np.sum(odeint(lambda y, t: -y, y, t, gradient=gradient)))(1.0)  # noqa: B023
            assert np.allclose(g, np.sum(np.exp(-np.array(t))))


def test_complex_states_by_recorded_steps():
    def phase(w):
        return np.real(odeint(lambda y, t, w: 1j * w * y, 1.0 + 0j, [0.0, 1.0], args=(w,))[-1])

    assert np.allclose(wg.grad(phase)(0.4), -np.sin(0.4), rtol=1e-6)
    with pytest.raises(wg.errors.DTypeError, match="real states"):
        wg.grad(lambda y: np.real(odeint(lambda y, t: 1j * y, 1j * y, [0.0, 1.0], gradient="adjoint")[-1]))(1.0)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"t": [0.0, 2.0, 1.0]}, wg.errors.ArgumentError, "rise or fall"),
        ({"t": 1.0}, wg.errors.ShapeError, "vector"),
        ({"method": "Euler"}, wg.errors.ArgumentError, "DOP853"),
        ({"gradient": "exact"}, wg.errors.ArgumentError, "discrete"),
        ({"method": "BDF", "gradient": "discrete"}, wg.errors.ArgumentError, "adjoint"),
        ({"steps": 0}, wg.errors.ArgumentError, "positive number of steps"),
        ({"func": lambda y, t: np.zeros(3)}, wg.errors.ShapeError, "the state"),
        ({"y0": "x"}, wg.errors.DTypeError, "numbers"),
        ({"func": 3}, wg.errors.ArgumentError, "function"),
    ],
)
def test_bad_arguments_are_refused(change, error, text):
    good = {"func": lambda y, t: -y, "y0": np.ones(2), "t": [0.0, 1.0]}
    with pytest.raises(error, match=text):
        odeint(**(good | change))


@pytest.mark.parametrize("gradient", ["discrete", "adjoint"])
def test_a_solution_that_escapes_raises_or_says_so(gradient):
    """y' = y^2 from 1 is infinite at 1."""

    def end(y):
        return odeint(lambda y, t: y**2, y, [0.0, 2.0], gradient=gradient, method="RK45", rtol=1e-6, atol=1e-6)[-1]

    with np.errstate(all="ignore"), pytest.raises(wg.errors.GradientError, match=r"relax|step size"):
        wg.grad(end)(1.0)
    if gradient == "discrete":
        with np.errstate(all="ignore"):
            found = solve_ivp(lambda t, y: y**2, (0, 2), wg.tensor([1.0], requires_grad=True))
        assert not found.success and found.status == -1 and found.t[-1] < 1.01


def test_errors_in_the_right_side_leave_nothing_behind():
    def broken(y, t, k):
        raise ZeroDivisionError("mine")

    for gradient in ("discrete", "adjoint"):
        with pytest.raises(ZeroDivisionError, match="mine"):
            wg.grad(lambda k: odeint(broken, 1.0, [0.0, 1.0], args=(k,), gradient=gradient)[-1])(1.0)  # noqa: B023
    assert wg.is_recording()


def test_a_jacobian_of_the_callers_own_sees_containers():
    used = []

    def fast(t, y, k):
        return {"a": -k * y["a"], "b": 1e4 * (y["a"] - y["b"])}

    def jacobian(t, y, k):
        used.append(set(y))
        return np.array([[-k, 0.0], [1e4, -1e4]])

    def end(k):
        y0 = {"a": 1.0, "b": 0.0}
        found = solve_ivp(fast, (0, 1), y0, "Radau", args=(k,), jac=jacobian, rtol=1e-8, atol=1e-8)
        return found.y["b"][-1]

    # b follows a: exp(-k) / (1 - k / 1e4) but for what has decayed.
    k = 0.7
    assert np.isclose(end(k), np.exp(-k) / (1 - k / 1e4), rtol=1e-6)
    assert np.isclose(wg.grad(end)(k), -np.exp(-k) / (1 - k / 1e4) + np.exp(-k) / 1e4, rtol=1e-5)
    assert used and all(names == {"a", "b"} for names in used)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"t_span": (0, 1, 2)}, "pair of times"),
        ({"t_eval": [0.5, 2.0]}, "within t_span"),
        ({"t_eval": [0.5, 0.2]}, "direction"),
        ({"lband": 1}, "max_step"),
    ],
)
def test_bad_arguments_of_solve_ivp_are_refused(change, text):
    good = {"fun": lambda t, y: -y, "t_span": (0, 1), "y0": wg.tensor([1.0], requires_grad=True)}
    with pytest.raises(wg.errors.ArgumentError, match=text):
        solve_ivp(**(good | change))


def test_a_batch_cannot_pass_the_adjoint_or_share_different_times():
    def end(k):
        return odeint(lambda y, t, k: -k * y, 1.0, [0.0, 1.0], args=(k,), gradient="adjoint")[-1]

    def at(t):
        return odeint(lambda y, s: -y, 1.0, np.stack([0.0, t]))[-1]

    for f in (end, at):
        with pytest.raises(wg.errors.BatchError, match="loop"):
            wg.vmap(f)(np.ones(3))


def test_scipys_names():
    def decay(y, t, rate):
        return -rate * y

    from wengert.scipy import integrate as twins

    times = [0.0, 0.5, 1.0]
    assert np.array_equal(twins.odeint(decay, 2.0, times, (0.5,)), integrate.odeint(decay, 2.0, times, (0.5,)))
    exact = -2 * np.exp(-0.5)
    for f in (
        lambda rate: twins.odeint(decay, 2.0, times, (rate,))[-1, 0],
        lambda rate: twins.odeint(decay, [2.0], times, rate, rtol=1e-10, atol=1e-10)[-1, 0],
        lambda rate: twins.odeint(lambda t, y: -rate * y, [2.0], times, tfirst=True, h0=0.01, mxstep=900)[-1, 0],
        lambda rate: twins.solve_ivp(lambda t, y: -rate * y, (0, 1), [2.0], rtol=1e-9, atol=1e-9).y[0, -1],
    ):
        assert np.isclose(wg.grad(f)(0.5), exact, rtol=1e-6)
    with pytest.raises(ArgumentError, match="full_output"):
        twins.odeint(decay, wg.tensor([1.0], requires_grad=True), times, (0.5,), full_output=True)
