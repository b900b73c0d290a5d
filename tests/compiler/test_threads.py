import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tests.compiler.entries import adder

from wengert.compiler import blas, threads
from wengert.compiler.assembly import FIELDS, filled, index, spelled


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_share_of_time_without_control_groups(tmp_path):
    assert threads._share_of_time(tmp_path) == math.inf


@pytest.mark.parametrize(
    ("limit", "share"), [("max 100000", math.inf), ("150000 100000", 1.5), ("50000 100000", 0.5), ("rubbish", math.inf)]
)
def test_share_of_time_of_groups_of_the_second_version(tmp_path, limit, share):
    write(tmp_path, "proc/self/cgroup", "0::/user/inner\n")
    write(tmp_path, "sys/fs/cgroup/user/cpu.max", limit + "\n")
    write(tmp_path, "sys/fs/cgroup/user/inner/cpu.max", "max 100000\n")
    assert threads._share_of_time(tmp_path) == share


def test_share_of_time_of_groups_of_the_first_version(tmp_path):
    write(tmp_path, "proc/self/cgroup", "4:cpu,cpuacct:/box\n3:memory:/box\n")
    write(tmp_path, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "250000")
    write(tmp_path, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000")
    assert threads._share_of_time(tmp_path) == 2.5
    write(tmp_path, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "-1")
    assert threads._share_of_time(tmp_path) == math.inf


def test_cores_by_affinity_and_wish(monkeypatch):
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = threads.cores.__wrapped__
    assert 1 <= count() <= affinity
    monkeypatch.setenv("WENGERT_THREADS", "1")
    assert count() == 1
    monkeypatch.setenv("WENGERT_THREADS", "100000")
    assert count() == 4 * affinity
    monkeypatch.setenv("WENGERT_THREADS", "many")
    assert 1 <= count() <= affinity


LIMITED = """
import os
import numpy as np
from threadpoolctl import threadpool_limits
from tests.compiler.entries import adder
from wengert.compiler import threads
from wengert.compiler.assembly import index
def tasks():
    return len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0
before = tasks()
f = adder((1000,), grain=10).function
x = np.arange(1000.0)
assert np.array_equal(f(x, x), 2 * x)
print(int(threads.pool()[index("pool.helpers")]), tasks() - before)
with threadpool_limits(1):
    assert np.array_equal(f(x, x), 2 * x)
"""


@pytest.mark.parametrize(("wish", "helpers"), [("1", 0), ("3", 2)])
@pytest.mark.skipif(os.name != "posix", reason="helpers need POSIX threads")
def test_helpers_are_as_many_as_wished_and_end_with_the_process(wish, helpers):
    settings = dict(os.environ, WENGERT_THREADS=wish, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    root = Path(__file__).parents[2]
    run = [sys.executable, "-W", "error", "-c", LIMITED]
    done = subprocess.run(run, env=settings, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if (os.cpu_count() or 1) * 4 >= int(wish):
        assert done.stdout.split() == [str(helpers), str(helpers if sys.platform == "linux" else 0)]


def test_blas_libraries_are_those_that_threadpoolctl_finds():
    from threadpoolctl import threadpool_info

    known = {lib["filepath"] for lib in threadpool_info() if lib["user_api"] == "blas"}
    assert {os.path.realpath(path) for path, _ in blas._in_wheels()} <= {os.path.realpath(path) for path in known}
    assert {path for path, _ in blas._anywhere()} == known


def test_the_two_words_of_the_texts():
    for name in ("entry", "operands", "launches", "answer", "pool", "product"):
        settings = {"loud": 1, "capsule_content": 16, "dictionary_version": 24}
        text = spelled(name, {"most_tries": 1, "tuple_items": 24, **settings})
        assert "= field" not in text.replace(";   %x = field", "")
        assert "${" not in text
    table = filled("guard", [{"mask": -1, "size": 8}])
    assert table.shape == (1, len(FIELDS["guard"]))
    assert table[0, index("guard.mask")] == 2**64 - 1


def test_numbers_are_right_with_and_without_helpers():
    x = np.random.default_rng(0).standard_normal(10_000)
    assert np.array_equal(adder((10_000,), grain=100).function(x, x), adder((10_000,)).function(x, x))


SAME = """
import hashlib
import numpy as np
import wengert as wg
from threadpoolctl import threadpool_limits
rng = np.random.default_rng(0)
x, y, w = rng.standard_normal((1500, 61)), rng.standard_normal((61, 500)), rng.standard_normal((50, 12_000))
def f(x, y, w):
    z = np.tanh(x @ y)
    products = np.sum((w @ w.T) ** 2) + np.sum((x @ y[:, 0]) ** 2)
    return np.sum(np.sin(z) * z, axis=0).sum() + np.sum(np.exp(-z)) + products
fast = wg.compile(wg.value_and_grad(f, (0, 1, 2)))
def result():
    value, slopes = fast(x, y, w)
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in (value, *slopes))).hexdigest()
result()
found = {result(), result()}
with threadpool_limits(1):
    found.add(result())
print(*found)
"""


@pytest.mark.skipif(os.name != "posix", reason="helpers need POSIX threads")
def test_the_same_bits_with_any_number_of_threads():
    found = set()
    for wish in ("1", "2", "4"):
        settings = dict(os.environ, WENGERT_THREADS=wish, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
        run = [sys.executable, "-c", SAME]
        done = subprocess.run(run, env=settings, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        found |= set(done.stdout.split())
    assert len(found) == 1


PATIENT = """
import threading
import numpy as np, wengert as wg
from wengert.compiler import threads
from wengert.compiler.assembly import index
x = np.linspace(0.1, 1.0, 300_000)
fast = wg.compile(lambda x: (np.sum(np.sin(x)), np.exp(x) * x))
found = []
for patience in (threads.PATIENCE, 0):
    fast(x)
    threads.pool()[index("pool.patience")] = patience
    results = []
    workers = [threading.Thread(target=lambda: results.extend(fast(x) for _ in range(20))) for _ in range(4)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert len(results) == 80
    found += results
assert all(a == found[0][0] and (b == found[0][1]).all() for a, b in found)
print(int(threads.pool()[index("pool.helpers")]))
"""


def test_threads_that_wait_awake_or_asleep_give_the_same_bits():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "WENGERT_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", PATIENT], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "2", done.stderr


def test_nobody_waits_awake_where_cores_are_shared(monkeypatch):
    monkeypatch.setattr(threads, "_affinity", lambda: 4)
    processors = threads._processors.__wrapped__
    for threads_used, share, expected in ((4, math.inf, True), (2, 1.2, False), (2, 2.0, True), (8, math.inf, False)):
        monkeypatch.setattr(threads, "cores", lambda n=threads_used: n)
        monkeypatch.setattr(threads, "_share_of_time", lambda root, share=share: share)
        monkeypatch.setattr(threads, "_processors", processors)
        assert threads.has_cores_to_itself() is expected
