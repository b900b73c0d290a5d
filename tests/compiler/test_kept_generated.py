"""Functions at random that keep what they compute: beside themselves without compiling, objects and all."""

import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import wengert as wg

from .test_kept_aliases import Body, told

CALLS = 7
PLACES = ["k.a", "k.b", 'k.p["u"]', 'k.p["v"]', "k.l[0]", "k.l[1]", 'g["w"]', 'g["z"]', "h[0]", "h[1]", "k.s.x"]
RESULTS = ['np.sum(k.a) + np.sum(g["w"])', "y * 1.0 + z", '[k.p["u"] * 1, np.sum(h[0])]', "np.sum(k.l[0] * k.s.x)"]


def value(r):
    """An expression over everything that there is."""
    a, b = (r.choice([*PLACES, "k.t[0]", "x", "y", "z"]) for _ in range(2))
    return r.choice([f"{a} {r.choice('+-*')} {b}", f"np.tanh({a})", a, f"np.where({a} > 0.3, {b}, 0.5 * {a})"])


def statement(r):
    """Something that writes: into names, places, arrays, containers."""
    v, w, place = value(r), value(r), r.choice(PLACES)
    return r.choice([
        f"{r.choice('yz')} = {v}", f"{place} = {v}", f"{place} = {v}", f"{place}[:] = {v}", f"{place} *= 0.9",
        f'k.p = {{"u": {v}, "v": {w}}}', f"k.l = [{v}, {w}]", f"k.s = replace(k.s, x={v}, n=k.s.n + 1.0)",
        f"k.t = ({v}, k.t[1] + 1)", f'g["i"] = {{"c": {v}}}', "k.p = k.q", "k.q = dict(k.p)", "k.a, k.b = k.b, k.a",
        "k.l = k.l[::-1]", f"k.m = np.sum({v})", 'g["n"] = g["n"] + 1.0', f'k.q["u"] = {v}',
        f'k.q = {{**k.q, "u": {v}}}', f"if np.sum({v}) > 1.0: k.a = {w}", "h[0], h[1] = h[1], h[0]",
    ])  # fmt: skip


def function(seed):
    """A function of what is kept, two containers, and an array."""
    r = random.Random(seed)
    lines = [
        "y = x * 0.5",
        "z = x + 0.1",
        *[statement(r) for _ in range(r.randint(2, 7))],
        f"return {r.choice(RESULTS)}",
    ]
    space = {"np": np, "replace": replace}
    exec("def f(k, g, h, x):\n    " + "\n    ".join(lines), space)
    return space["f"]


def everything(seed):
    """What is kept, and the containers; now and then one thing in two places."""
    generator = np.random.default_rng(seed)

    def new():
        return generator.uniform(0, 1, 3)

    p = {"u": new(), "v": new()}
    k = SimpleNamespace(a=new(), b=new(), l=[new(), new()], m=0.0, p=p, q={"u": new(), "v": new()})
    k.s, k.t = Body(new()), (new(), 0)
    if seed % 5 == 0:
        k.q = p
    if seed % 3 == 0:
        k.b = k.a
    if seed % 7 == 0:
        k.l[1] = p["u"]
    return k, {"w": new(), "z": new(), "i": {"c": new()}, "n": 0.0}, [new(), new()]


def rounded(found):
    if isinstance(found, (list, tuple)):
        return [rounded(part) for part in found]
    if isinstance(found, str) and found.startswith("np.float64"):
        return f"np.float64 {eval(found):.8g}"
    return float(f"{found:.8g}") if isinstance(found, float) else found


def run(seed, compiled):
    f = function(seed)
    k, g, h = everything(seed)

    def called(g, h, x):
        return f(k, g, h, x)

    called = wg.compile(called) if compiled else called
    history, found = [], []
    for turn in range(CALLS):
        history.append([*vars(k).values(), *g.values(), *h, g, h])  # what others hold
        result = called(g, h, np.full(3, 0.2 + 0.1 * turn))
        parts = [np.asarray(part).tolist() for part in (result if isinstance(result, list) else [result])]
        found.append(rounded([parts, told([history, list(vars(k).values()), g, h], {})]))
        if turn == 3:
            k.a[:], g["w"][0], k.p["u"][1] = 0.3, 0.7, 0.9
    return found


@pytest.mark.filterwarnings("ignore:.compile. .* has been recorded for 8 kinds")
@pytest.mark.parametrize("seeds", [range(k, k + 20) for k in range(0, 200, 20)], ids=lambda seeds: str(seeds[0]))
def test_that_all_is_kept_as_without_compiling(seeds):
    for seed in seeds:
        assert run(seed, True) == run(seed, False), seed
