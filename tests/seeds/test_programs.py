"""The programs that the project started from run as they are, and print what they print.

They are not part of the project; where their folder is not beside it, they are skipped. Our own lessons on the same
matter are in ``examples/seeds``.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[3] / "shared" / "seeds" / "programs"
pytestmark = pytest.mark.skipif(not PROGRAMS.is_dir(), reason="the folder of the seeds' programs is not here")

MXNET_D2L = """\
x.grad:\x20\x20
[[ 4.  8.]
 [12. 16.]]
<NDArray 2x2 @cpu(0)>

[[1. 1.]
 [1. 1.]]
<NDArray 2x2 @cpu(0)>

[1. 1. 1.]
<NDArray 3 @cpu(0)>

[[40.    8.  ]
 [ 1.2   0.16]]
<NDArray 2x2 @cpu(0)>
"""

MXNET_SLIDES = """\

[[0.]
 [1.]
 [2.]
 [3.]]
<NDArray 4x1 @cpu(0)>

[[0.]
 [0.]
 [0.]
 [0.]]
<NDArray 4x1 @cpu(0)>

[[28.]]
<NDArray 1x1 @cpu(0)>
True

[[ 0.]
 [ 4.]
 [ 8.]
 [12.]]
<NDArray 4x1 @cpu(0)>
(4, 1)

[[ 0.]
 [ 4.]
 [ 8.]
 [12.]]
<NDArray 4x1 @cpu(0)>
False
True

[1.]
<NDArray 1 @cpu(0)>

[[1.]
 [1.]
 [1.]
 [1.]]
<NDArray 4x1 @cpu(0)>
"""

PYTORCH = """\
False True True
True True
True True True False False
None None None
<MulBackward0 object at 0x...> <AddBackward0 object at 0x...>
tensor([2.]) tensor([1.]) None
None None
tensor([[6., 9.]])
tensor([[4., 3.],
        [2., 6.]])
"""

DJL = """\
ND: (4) cpu() float32
[0., 1., 2., 3.]
ND: (4) cpu() float32
[0., 0., 0., 0.]
ND: () cpu() float32
28.
ND: (4) cpu() float32
[ 0.,  4.,  8., 12.]
ND: (4) cpu() boolean
[ true,  true,  true,  true]
ND: (4) cpu() float32
[1., 1., 1., 1.]
ND: (4) cpu() float32
[0., 2., 4., 6.]
ND: (4) cpu() boolean
[ true,  true,  true,  true]
ND: (4) cpu() boolean
[ true,  true,  true,  true]
ND: (1) cpu() boolean
[ true]
"""


def run(dialect: str, name: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "wengert.cli", "run", "--dialect", dialect, str(PROGRAMS / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(
    ("dialect", "name", "expected"),
    [
        ("mxnet", "000_mxnet_d2l.py", MXNET_D2L),
        ("mxnet", "002_mxnet_slides.py", MXNET_SLIDES),
        ("torch", "003_pytorch.py", PYTORCH),
        ("djl", "004_djl.py", DJL),
    ],
)
def test_prints_what_it_prints(dialect, name, expected):
    printed = re.sub("0x[0-9a-f]+", "0x...", run(dialect, name).stdout)
    assert [line.rstrip() for line in printed.splitlines()] == [line.rstrip() for line in expected.splitlines()]


def test_reading_the_gradient_of_a_non_leaf_warns():
    said = run("torch", "003_pytorch.py").stderr
    assert "UserWarning" in said and "not a leaf" in said


def test_the_scalar_program():
    lines = run("scalar", "001_scalar.py").stdout.splitlines()
    assert lines[0] == "28 11 4"
    assert lines[1] == "-153284.83150602411 3815.0389441500993"
    numeric = [float(number) for number in lines[2].split()]
    assert numeric == pytest.approx([-153284.83150602411, 3815.0389441500993], rel=1e-3)
    assert lines[3] == "60.85353612046653 872.2331479536114 -3.2853671032530305"
    assert lines[4:] == ["True True"]
