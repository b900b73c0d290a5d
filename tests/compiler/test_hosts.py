"""Other machines than this one: narrower vectors, C libraries without vector functions, processors of another kind."""

import os
import subprocess
import sys

import llvmlite.binding as llvm
import pytest

from wengert.compiler.vectormath import host

PROGRAM = """
import numpy as np
import scipy.special as sp
import wengert as wg

random = np.random.default_rng(0)
x, y = random.uniform(0.2, 1.5, (13, 11)), random.uniform(0.2, 1.5, 11)
places = random.integers(0, 13, 29)

def f(x, y):
    a = np.sin(x) * np.cos(x) + np.exp(-x) / (1 + np.log(y)) ** 2
    b = np.where(a > 0.5, np.tanh(a), np.arctan2(a, y)) + sp.erf(x) * np.cbrt(y)
    b = b[places] @ np.sqrt(y) + np.sum(np.maximum(b[places, ::2], 0.3), axis=1)
    return np.sum(b[1:] * np.cumsum(b)[:-1]) + sp.expit(x).mean() + np.max(x - y) + np.log1p(np.expm1(x)).sum()

for dtype, digits in ((np.float64, 1e-11), (np.float32, 1e-3)):
    fast = wg.compile(wg.value_and_grad(f, argnums=(0, 1)))
    given = x.astype(dtype), y.astype(dtype)
    value, gradients = wg.value_and_grad(f, argnums=(0, 1))(*given)
    fast(*given)
    again, found = fast(*given)
    assert fast.stats()["recordings"] == 1
    np.testing.assert_allclose(again, value, rtol=digits)
    for a, b in zip(found, gradients):
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits)

def g(z, w):
    return np.exp(1j * z.real) * w / (z + 3) + z[::-1], np.abs(z), (z * w).sum(), np.log(w), w[1:].imag

for n in (1, 2, 3, 5, 8, 29):
    for dtype, digits in ((np.complex128, 1e-13), (np.complex64, 1e-5)):
        z, w = (random.normal(size=n) + 1j * random.normal(size=n) for _ in range(2))
        z, w = z.astype(dtype), w.astype(dtype)
        fast = wg.compile(g)
        fast(z, w)
        for a, b in zip(fast(z, w), g(z, w)):
            np.testing.assert_allclose(a, b, rtol=digits, atol=digits)
"""
WITHOUT_VECTOR_LIBRARY = """
import ctypes
original = ctypes.CDLL
class Library(original):
    def __init__(self, name, *args, **kwargs):
        if name == "libmvec.so.1":
            raise OSError(name)
        super().__init__(name, *args, **kwargs)
ctypes.CDLL = Library
"""
ON_ANOTHER_SYSTEM = """
import platform
platform.system = lambda: "Darwin"
"""
WITH_AN_OLD_LIBRARY = """
from wengert.compiler import mathlibrary
has = mathlibrary._has
old = ("sin", "cos", "exp", "log", "pow")
mathlibrary._has = lambda name: name.rpartition("_")[2].rstrip("f") in old and has(name)
"""
WITHOUT_FEATURES = """
import llvmlite.binding as llvm
def refuse():
    raise RuntimeError("failed to get host cpu features")
llvm.get_host_cpu_features = refuse
"""


def run(program, tmp_path, **environment):
    """What it prints; texts are compiled by no other thread, so that whoever looks on sees all of them."""
    ours = {"PYTHONPATH": os.pathsep.join(sys.path), "WENGERT_CACHE": str(tmp_path), "WENGERT_THREADS": "1"}
    given = os.environ | ours | environment
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize("bits", [bits for bits in ("128", "256") if int(bits) < host().bits])
def test_narrower_vectors(bits, tmp_path):
    run(PROGRAM, tmp_path, WENGERT_VECTOR_BITS=bits)


@pytest.mark.parametrize(
    "before", [WITHOUT_VECTOR_LIBRARY, ON_ANOTHER_SYSTEM, WITH_AN_OLD_LIBRARY, WITHOUT_FEATURES],
    ids=["no vector library", "another system", "an old library", "features unknown"],
)  # fmt: skip
def test_other_libraries(before, tmp_path):
    run(before + PROGRAM, tmp_path)


ASSEMBLY = """
from wengert.compiler import code, machine
import llvmlite.binding as llvm
written = []
original = code.object_code
def noted(text, level=0, passes=False):
    written.append(code.new_machine(level).emit_assembly(llvm.parse_assembly(text)))
    return original(text, level, passes)
code.object_code = noted
"""


@pytest.mark.skipif(host().bits < 512, reason="there is nothing to leave out")
def test_narrower_vectors_have_no_instructions_of_wider_ones(tmp_path):
    program = ASSEMBLY + PROGRAM + 'print(len(written), "zmm" in str(written), "{%k" in str(written))'
    count, wide, masks = run(program, tmp_path, WENGERT_VECTOR_BITS="256").split()
    assert int(count) and (wide, masks) == ("False", "False")
    assert run(program, tmp_path / "wide").split()[1:] == ["True", "True"]


TEXTS = ASSEMBLY.replace("code.new_machine(level).emit_assembly(llvm.parse_assembly(text))", "text")


def test_kernels_for_arm_assemble(tmp_path):
    """The texts of a whole program, made for registers of 128 bits without the vector library of another machine."""
    program = TEXTS + ON_ANOTHER_SYSTEM + PROGRAM + "print('\\0'.join(written))"
    texts = run(program, tmp_path, WENGERT_VECTOR_BITS="128").split("\0")
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple("aarch64-unknown-linux-gnu").create_target_machine(opt=1)
    for text in texts:
        module = llvm.parse_assembly(text)
        module.triple = "aarch64-unknown-linux-gnu"
        assert machine.emit_assembly(module)
    assert any("<2 x double>" in text for text in texts)
