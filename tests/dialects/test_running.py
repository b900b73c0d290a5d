"""``wengert run``: scripts and notebooks of other systems, unmodified."""

import json
import subprocess
import sys

import pytest


def run(*arguments, cwd):
    command = [sys.executable, "-m", "wengert.cli", "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


def notebook(path, *cells, language="python"):
    made = [{"cell_type": "code", "source": cell} for cell in cells]
    made.insert(1, {"cell_type": "markdown", "source": "not code ("})
    path.write_text(json.dumps({"cells": made, "metadata": {"kernelspec": {"language": language}}}))
    return path


SCRIPT = """
import sys
import mxnet as mx
from mxnet import autograd, nd
import beside

x = nd.arange(4).reshape((4, 1))
x.attach_grad()
with autograd.record():
    y = 2 * nd.dot(x.T, x)
y.backward()
print(x.grad.asnumpy().ravel().tolist(), sys.argv[1:], __name__, beside.here)
"""


def test_a_script(tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "beside.py").write_text("here = 'found'\n")
    script = tmp_path / "scripts" / "train.py"
    script.write_text(SCRIPT)
    done = run("--dialect", "mxnet", script, "--epochs", 3, "-d", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[0.0, 4.0, 8.0, 12.0] ['--epochs', '3', '-d'] __main__ found\n"


def test_a_notebook(tmp_path):
    path = notebook(
        tmp_path / "lesson.ipynb",
        ["%matplotlib inline\n", "import torch\n", "x = torch.arange(4.0, requires_grad=True)\n", "x"],
        "!pip install something\ny = 2 * torch.dot(x, x)\ny.backward()\nx.grad",
        "%%bash\nls",
        "if True:\n    %time\n    z = x.grad\nz.sum();",
        "def f(v):\n    return v * 2\n\nprint(f(3))",
        "None",
    )
    done = run("-d", "torch", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "tensor([0., 1., 2., 3.], requires_grad=True)",
        "tensor([ 0.,  4.,  8., 12.])",
        "6",
    ]


def test_an_exception_shows_the_script_and_its_line(tmp_path):
    script = tmp_path / "wrong.py"
    script.write_text("import mxnet\ndef f():\n    raise ValueError('mine')\nf()\n")
    done = run("-d", "mxnet", script, cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[-1] == "ValueError: mine"
    assert f'File "{script}", line 4, in <module>' in done.stderr
    assert "runpy" not in done.stderr and "cli.py" not in done.stderr


def test_an_exception_shows_the_notebook_and_its_cell(tmp_path):
    path = notebook(tmp_path / "wrong.ipynb", "x = 1", "y = x + 1\ny / 0")
    done = run("-d", "mxnet", path, cwd=tmp_path)
    assert done.returncode == 1
    assert f'File "{path}, cell 2", line 2' in done.stderr
    assert "y / 0" in done.stderr


def test_an_exit_status_is_passed_on(tmp_path):
    script = tmp_path / "leave.py"
    script.write_text("raise SystemExit(7)\n")
    assert run("-d", "mxnet", script, cwd=tmp_path).returncode == 7


def test_two_dialects_at_once(tmp_path):
    script = tmp_path / "both.py"
    script.write_text(
        "import mxnet as mx, torch\n"
        "print(mx.nd.ones(2).asnumpy().tolist(), torch.ones(2).tolist())\n"
        "print(type(mx.nd.ones(2) + 1).__name__, type(torch.ones(2) + 1).__name__)\n"
    )
    done = run("-d", "mxnet", "-d", "torch", script, cwd=tmp_path)
    assert done.stdout == "[1.0, 1.0] [1.0, 1.0]\nNDArray Tensor\n", done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.py"], "a dialect to speak was required; add --dialect mxnet or torch or djl or scalar"),
        (["-d", "keras", "here.py"], "one of mxnet, torch, djl, scalar was required; received 'keras'"),
        (["-d", "scalar", "nothing.py"], "received nothing.py, which is no file"),
        (["-d", "scalar", "broken.ipynb"], "a notebook (JSON with cells) was required; broken.ipynb is none"),
        (["-d", "scalar", "java.ipynb"], "a notebook in Python was required; java.ipynb is one in java"),
    ],
)
def test_wrong_calls_end_in_one_line(tmp_path, arguments, said):
    (tmp_path / "here.py").write_text("")
    (tmp_path / "broken.ipynb").write_text("{")
    notebook(tmp_path / "java.ipynb", "int x = 1;", language="java")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_a_real_installation_gives_way_and_this_is_said(tmp_path):
    (tmp_path / "mxnet.py").write_text("real = True\n")
    script = tmp_path / "script.py"
    script.write_text("import mxnet\nprint(mxnet.nd.ones(1).shape)\n")
    program = "import sys; sys.path.append(sys.argv.pop(1)); from wengert.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), "run", "-d", "mxnet", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "(1,)\n", done.stderr
    assert f"wengert: wengert.dialects.mxnet stands in for the one in {tmp_path / 'mxnet.py'}" in done.stderr
