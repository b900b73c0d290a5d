"""Random programs of views, writes and saved values: values and gradients must be those of plain NumPy.

Each program runs on tensors and on jets (forward mode on NumPy arrays), see `programs` and `jets`. A failing seed is
reproduced by ``check(Program(seed, no_grad=wg.no_grad))``; drop numbers from ``steps=`` to make it smaller.
"""

import numpy as np
import pytest
from tests.engine import runners
from tests.engine.programs import Program

import wengert as wg

EMPTY = [(0,), (2, 0), (0, 3), (3, 0, 2)]
LARGE = [(600,), (24, 25), (5, 10, 12)]
VARIANTS = {
    "backward": (runners.check_backward, {}, 300),
    "create_graph": (runners.check_create_graph, {}, 200),
    "grad": (runners.check_grad, {}, 100),
    "grad, arguments written": (runners.check_grad, {"write_inputs": True}, 200),
    "nested grad": (runners.check_nested, {}, 200),
    "nested grad, arguments written": (runners.check_nested, {"write_inputs": True}, 200),
    "grad with a leaf outside": (runners.check_mixed, {}, 200),
    "grad inside grad of the other argument": (runners.check_cross, {}, 100),
    "pullback": (runners.check_pullback, {}, 100),
    "float32": (lambda program: runners.check_backward(program, np.float32), {}, 100),
    "complex": (lambda program: runners.check_backward(program, complex), {}, 100),
    "complex, create_graph": (lambda program: runners.check_create_graph(program, complex), {}, 50),
    "empty arrays": (runners.check_backward, {"shapes": EMPTY}, 100),
    "empty arrays, nested grad": (runners.check_nested, {"shapes": EMPTY}, 50),
    "large arrays": (runners.check_backward, {"shapes": LARGE}, 150),
    "large arrays, create_graph": (runners.check_create_graph, {"shapes": LARGE}, 50),
    "long programs": (runners.check_backward, {"steps": range(80)}, 50),
}
CHUNK = 50


def chunks():
    for name, (check, options, count) in VARIANTS.items():
        for start in range(0, count, CHUNK):
            yield pytest.param(check, options, start, id=f"{name}-{start}")


@pytest.mark.parametrize(("check", "options", "start"), list(chunks()))
def test_random_programs_agree_with_numpy(check, options, start):
    for seed in range(start, start + CHUNK):
        check(Program(seed, no_grad=wg.no_grad, **options))
