"""Elementwise programs: a chain of 200 operations, and option prices with their greeks."""

import math

import numpy as np

from ..workloads.elementwise import chain
from .workload import Workload, differentiated

# A chain of multiply, add, sine, subtract ------------------------------------------------------------------------


def chain_data(n):
    random = np.random.default_rng(1)
    return random.uniform(-0.7, -0.3, n), random.uniform(0.5, 0.9, n)


def chain_function(system, **_):
    xp = system.np
    return lambda x, y: chain(xp, x, y, "sin")


chains = differentiated(2, "chain")(chain_data, chain_function, lambda x, y: (x.size, x, y))


def chain_workload(n: int, limit: float, once: bool = False) -> Workload:
    title = f"200 elementwise operations, n = {n:,}"
    return Workload("chain", title, chains, {"n": n}, {"n": min(n, 7)}, limit, is_compiled_once=once)


# Black-Scholes ---------------------------------------------------------------------------------------------------


def option_data(n):
    """Spot, strike, rate, volatility and time to expiry."""
    ranges = ((80, 120), (80, 120), (0.01, 0.05), (0.1, 0.5), (0.2, 2))
    random = np.random.default_rng(7)
    return [random.uniform(*limits, n) for limits in ranges]


def option_prices(system, **_):
    xp, erf = system.np, system.erf

    def normal(x):
        return 0.5 * (1 + erf(x * math.sqrt(0.5)))

    def prices(spot, strike, rate, volatility, time):
        width = volatility * xp.sqrt(time)
        d = (xp.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / width
        return xp.sum(spot * normal(d) - strike * xp.exp(-rate * time) * normal(d - width))

    return prices


options = differentiated(5, "options")(option_data, option_prices, lambda *a: (a[0].size, *a))

WORKLOADS = [
    chain_workload(1, 0.3),
    chain_workload(100, 0.3, once=True),
    chain_workload(10_000, 0.3),
    chain_workload(1_000_000, 0.55, once=True),
    Workload(
        "options", "Black-Scholes, five greeks, 2·10⁶", options, {"n": 2_000_000}, {"n": 9}, 0.4, is_threaded=True
    ),
]
