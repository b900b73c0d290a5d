"""Derivatives of solutions against closed forms."""

import numpy as np
import pytest
from scipy.linalg import expm, expm_frechet

import wengert as wg
from wengert.integrate import odeint, solve_ivp

RNG = np.random.default_rng(7)
A = RNG.standard_normal((3, 3))
Y0 = RNG.standard_normal(3)
TIMES = np.array([0.1, 0.5, 1.3, 2.0])
WEIGHTS = RNG.standard_normal((4, 3))

EXPLICIT = ["RK23", "RK45", "DOP853"]
WAYS = [(m, "discrete") for m in EXPLICIT] + [(m, "adjoint") for m in [*EXPLICIT, "Radau", "BDF", "LSODA"]]
LOW_ORDER = {"RK23", "Radau", "BDF"}


def linear(y, t, a):
    return a @ y


def closed_form(a, y0, times):
    """The weighted sum of exp(A (t - t0)) y0, and its derivatives by A, y0 and all times."""
    value, of_a, of_y0, of_times = 0.0, np.zeros_like(a), np.zeros_like(y0), np.zeros_like(times)
    for k, t in enumerate(times):
        power = expm(a * (t - times[0]))
        value += WEIGHTS[k] @ power @ y0
        of_y0 += power.T @ WEIGHTS[k]
        of_times[k] += WEIGHTS[k] @ a @ power @ y0
        of_times[0] -= WEIGHTS[k] @ a @ power @ y0
        for i in np.ndindex(a.shape):
            unit = np.zeros_like(a)
            unit[i] = t - times[0]
            of_a[i] += WEIGHTS[k] @ expm_frechet(a * (t - times[0]), unit, compute_expm=False) @ y0
    return value, of_a, of_y0, of_times


@pytest.mark.parametrize(("method", "gradient"), WAYS)
@pytest.mark.parametrize("backwards", [False, True])
def test_gradients_of_a_linear_system_in_matrix_state_and_times(method, gradient, backwards):
    tolerance = 1e-6 if method in LOW_ORDER else 1e-10
    times = TIMES[::-1].copy() if backwards else TIMES

    def f(a, y0, times):
        return np.sum(
            WEIGHTS
            * odeint(linear, y0, times, args=(a,), method=method, gradient=gradient, rtol=tolerance, atol=tolerance)
        )

    value, gradients = wg.value_and_grad(f, argnums=(0, 1, 2))(A, Y0, times)
    expected, *wanted = closed_form(A, Y0, times)
    allowed = 2e-3 if method == "BDF" else 2e-4 if method in LOW_ORDER else 1e-7
    np.testing.assert_allclose(value, expected, rtol=allowed)
    for g, w in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=allowed, atol=allowed * np.abs(w).max())


def test_equal_steps_have_the_gradient_of_the_closed_form():
    def f(a, y0, times):
        return np.sum(WEIGHTS * odeint(linear, y0, times, args=(a,), method="RK45", steps=40))

    gradients = wg.grad(f, argnums=(0, 1, 2))(A, Y0, TIMES)
    for g, w in zip(gradients, closed_form(A, Y0, TIMES)[1:], strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-8, atol=1e-9)


def lotka_volterra(y, t, p):
    prey, predators = y["prey"], y["predators"]
    return {
        "prey": p["birth"] * prey - p["eaten"] * prey * predators,
        "predators": p["fed"] * prey * predators - p["death"] * predators,
    }


PARAMETERS = {"birth": 1.5, "eaten": 1.0, "fed": 0.75, "death": 3.0}


def animals(p, gradient):
    states = odeint(
        lotka_volterra,
        {"prey": 1.0, "predators": 1.0},
        np.linspace(0.0, 6.0, 13),
        args=(p,),
        gradient=gradient,
        rtol=1e-11,
        atol=1e-11,
    )
    return np.sum(states["prey"] ** 2) + np.sum(states["predators"])


@pytest.mark.parametrize("gradient", ["discrete", "adjoint"])
def test_lotka_volterra_in_containers_agrees_with_complex_steps(gradient):
    """A complex step of 1e-30 has no rounding error: Im f(p + ih) / h is f'(p) to the tolerances."""

    def total(p):
        states = odeint(
            lambda y, t: np.array([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]]),
            np.array([1.0 + 0j, 1.0]),
            np.linspace(0.0, 6.0, 13),
            rtol=1e-12,
            atol=1e-12,
        )
        return np.sum(states[:, 0] ** 2) + np.sum(states[:, 1])

    numbers = np.array(list(PARAMETERS.values()), complex)
    wanted = [np.imag(total(numbers + 1e-30j * unit)) / 1e-30 for unit in np.eye(4)]
    found = wg.grad(lambda p: animals(p, gradient))(PARAMETERS)
    np.testing.assert_allclose(list(found.values()), wanted, rtol=2e-7)
    assert list(found) == list(PARAMETERS)


def test_conserved_quantity_has_no_gradient_in_time():
    """For y'' = -y the energy at the end does not move with the end."""

    def energy(end):
        y = odeint(lambda y, t: np.stack([y[1], -y[0]]), [1.0, 0.0], np.stack([0.0, end]))[-1]
        return np.sum(y**2)

    assert abs(wg.grad(energy)(3.0)) < 1e-7


def test_time_dependent_right_side_and_start_time():
    """y' = 2 t y has y(t) = y0 exp(t^2 - s^2)."""

    def end(s, t, gradient):
        return odeint(lambda y, t: 2 * t * y, 1.5, np.stack([s, t]), gradient=gradient)[-1]

    value = 1.5 * np.exp(0.7**2 - 0.2**2)
    for gradient in ("discrete", "adjoint"):
        of_s, of_t = wg.grad(end, argnums=(0, 1))(0.2, 0.7, gradient)
        np.testing.assert_allclose([of_s, of_t], [-0.4 * value, 1.4 * value], rtol=1e-6)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_stiff_decay_by_the_adjoint(method):
    """Two rates that differ by a million: y1' = -k y1, y2' = 1e6 (y1 - y2)."""

    def end(k):
        def slope(y, t, k):
            return np.stack([-k * y[0], 1e6 * (y[0] - y[1])])

        return odeint(slope, [1.0, 0.0], [0.0, 1.0], args=(k,), method=method, rtol=1e-8, atol=1e-10)[-1]

    k = 0.7
    assert np.allclose(wg.grad(lambda k: end(k)[0])(k), -np.exp(-k), rtol=1e-5)
    # The fast state follows: y2 = y1 / (1 - k / 1e6).
    assert np.allclose(wg.grad(lambda k: end(k)[1])(k), -np.exp(-k), rtol=1e-5)


def test_second_order_forward_mode_and_batches_through_recorded_steps():
    """y' = -k y: the state at 1 is exp(-k), and so are its derivatives but for the sign."""

    def end(k):
        return odeint(lambda y, t, k: -k * y, 1.0, [0.0, 1.0], args=(k,))[-1]

    rates = np.array([0.3, 0.9, 1.7])
    assert np.allclose(wg.grad(wg.grad(end))(0.5), np.exp(-0.5), rtol=1e-6)
    assert np.allclose(wg.jvp(end, (0.5,), (2.0,))[1], -2 * np.exp(-0.5), rtol=1e-6)
    assert np.allclose(wg.vmap(end)(rates), np.exp(-rates), rtol=1e-7)
    assert np.allclose(wg.vmap(wg.grad(end))(rates), -np.exp(-rates), rtol=1e-6)
    assert np.allclose(wg.grad(lambda r: np.sum(wg.vmap(end)(r)))(rates), -np.exp(-rates), rtol=1e-6)
    assert np.allclose(wg.hessian(lambda r: np.sum(wg.vmap(end)(r)))(rates), np.diag(np.exp(-rates)), atol=1e-6)
    assert np.allclose(wg.jvp(wg.grad(end), (0.5,), (1.0,))[1], np.exp(-0.5), rtol=1e-6)


def test_hessian_of_a_linear_system():
    """y(1) = exp(A) y0 is linear in y0 and its Jacobian exp(A)."""

    def end(y0):
        return odeint(linear, y0, [0.0, 1.0], args=(A,))[-1]

    np.testing.assert_allclose(wg.jacobian(end)(Y0), expm(A), rtol=1e-6)
    np.testing.assert_allclose(wg.jacobian(end, mode="forward")(Y0), expm(A), rtol=1e-6)
    np.testing.assert_allclose(wg.hessian(lambda y: np.sum(end(y) ** 2))(Y0), 2 * expm(A).T @ expm(A), rtol=1e-6)


@pytest.mark.parametrize("gradient", ["discrete", "adjoint"])
def test_tensors_at_the_ground_level(gradient):
    k = wg.tensor(0.5, requires_grad=True)
    y0 = wg.tensor([2.0, 1.0], requires_grad=True)
    y = odeint(lambda y, t, k: -k * y, y0, [0.0, 1.0, 2.0], args=(k,), gradient=gradient)
    np.sum(y[-1]).backward()
    assert np.allclose(k.grad.numpy(), -2 * 3 * np.exp(-1.0), rtol=1e-6)
    assert np.allclose(y0.grad.numpy(), np.exp(-1.0), rtol=1e-6)
    with wg.no_grad():
        assert odeint(lambda y, t, k: -k * y, y0, [0.0, 1.0], args=(k,), gradient=gradient).shape == (2, 2)


def test_recorded_values_from_outside():
    k = wg.tensor(0.5, requires_grad=True)
    y = odeint(lambda y, t: -k * y, 2.0, [0.0, 1.0])
    y[-1].backward()
    assert np.allclose(k.grad.item(), -2 * np.exp(-0.5), rtol=1e-6)
    with pytest.raises(wg.errors.LostGradientError, match="args="):
        odeint(lambda y, t: -k * y, 2.0, [0.0, 1.0], gradient="adjoint")


def test_the_adjoint_refuses_what_does_not_pass_it():
    def end(k):
        return odeint(lambda y, t, k: -k * y, 1.0, [0.0, 1.0], args=(k,), gradient="adjoint")[-1]

    with pytest.raises(wg.errors.GradientError, match="discrete"):
        wg.grad(wg.grad(end))(0.5)
    with pytest.raises(wg.errors.GradientError, match="discrete"):
        wg.jvp(end, (0.5,), (1.0,))
    assert np.allclose(wg.grad(end)(0.5), -np.exp(-0.5), rtol=1e-6)  # and nothing is left behind


def test_integers_and_words_in_args_are_constants():
    def slope(y, t, p):
        assert p["name"] == "decay"
        return -p["rate"] * y ** p["power"]

    def end(rate, gradient):
        p = {"rate": rate, "power": 2, "name": "decay"}
        return odeint(slope, 1.0, [0.0, 1.0], args=(p,), gradient=gradient)[-1]

    for gradient in ("discrete", "adjoint"):
        assert np.allclose(wg.grad(end)(0.5, gradient), -1 / 1.5**2, rtol=1e-6)


@pytest.mark.parametrize("gradient", ["discrete", "adjoint"])
def test_solve_ivp_moves_its_last_state_with_the_last_time(gradient):
    def end(stop):
        return solve_ivp(lambda t, y: -y, (0.0, stop), [1.0], rtol=1e-9, atol=1e-9, gradient=gradient).y[0, -1]

    assert np.allclose(wg.grad(end)(1.2), -np.exp(-1.2), rtol=1e-6)


@pytest.mark.parametrize("gradient", ["discrete", "adjoint"])
def test_gradient_up_to_a_terminal_event(gradient):
    def ground(t, y, g):
        return y[0]

    ground.terminal = True

    def fall(t, y, g):
        return np.stack([y[1], -g])

    def state(g):
        found = solve_ivp(
            fall, (0.0, 9.0), [5.0, 0.0], events=ground, args=(g,), gradient=gradient, rtol=1e-9, atol=1e-9
        )
        assert found.status == 1 and np.allclose(found.t_events[0], 1.0)
        return found.y[0, -1]

    # The time of the event is a constant: d/dg (5 - g t^2 / 2) at t = 1.
    assert np.allclose(wg.grad(state)(10.0), -0.5, rtol=1e-6)


def test_recorded_values_of_an_outer_function():
    def end(k, gradient):
        return odeint(lambda y, t: -k * y, 1.0, [0.0, 1.0], gradient=gradient)[-1]

    assert np.allclose(wg.grad(end)(0.5, "discrete"), -np.exp(-0.5))
    assert np.allclose(wg.vmap(wg.grad(lambda k: end(k, "discrete")))(np.array([0.5, 0.6])), -np.exp([-0.5, -0.6]))
    with pytest.raises(wg.errors.LostGradientError, match="args="):
        wg.grad(end)(0.5, "adjoint")
