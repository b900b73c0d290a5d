import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

from wengert.compiler import cache, code, made
from wengert.compiler.cache import Store, default_store
from wengert.compiler.code import Code, bind

TEXT = "define i64 @answer(i64 %x) {\n  %y = add i64 %x, NUMBER\n  ret i64 %y\n}\n"
KEY = Store.key("a")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="about POSIX permissions")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "folder" / "inside")


@pytest.fixture
def used(store, monkeypatch):
    """The store that compiling uses meanwhile."""
    for module in (code, made):
        monkeypatch.setattr(module, "current_store", lambda: store)
    return store


def answer(number, **settings):
    found = Code(TEXT.replace("NUMBER", str(number)), **settings)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(found.address("answer"))
    return call(100), found.from_store


def files(store):
    return sorted(path for path in store.folder.rglob("*") if path.is_file())


def test_what_is_kept_comes_back(store):
    assert store.load(KEY) is None
    store.keep(KEY, b"code")
    assert store.load(KEY) == b"code"
    assert Store(store.folder).load(KEY) == b"code"
    store.keep(KEY, b"other")
    assert store.load(KEY) == b"other"
    assert len(files(store)) == 1


def test_keys_depend_on_every_part():
    parts = [("a",), ("b",), ("a", "b"), ("ab",), ("", "ab"), ("b", "a"), ()]
    assert len({Store.key(*p) for p in parts}) == len(parts)


def test_a_file_under_another_name_is_dropped(store):
    other = Store.key("b")
    for key in (KEY, other):
        store.keep(key, f"code of {key}".encode())
    store._path(KEY).replace(store._path(other))
    assert store.load(KEY) is None
    assert store.load(other) is None
    assert not files(store)


@needs_posix
@pytest.mark.parametrize(
    "put", [lambda path: os.mkfifo(path), lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()]
)
def test_what_is_no_file_is_not_read(store, put):
    store.keep(KEY, b"code")
    (path,) = files(store)
    path.unlink()
    put(path)
    assert store.load(KEY) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:32],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: bytes(len(data)),
    ],
)
def test_files_that_are_not_whole_are_dropped(store, spoil):
    store.keep(KEY, b"some code")
    (path,) = files(store)
    path.write_bytes(spoil(path.read_bytes()))
    assert store.load(KEY) is None
    assert not files(store)
    store.keep(KEY, b"some code")
    assert store.load(KEY) == b"some code"


def test_the_oldest_go_when_there_is_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BETWEEN_CHECKS", 1)
    store = Store(tmp_path, most_bytes=10 * cache.BLOCK * cache.FOLDERS)
    keys = [f"3{Store.key(str(k))[1:]}" for k in range(20)]
    folder = tmp_path / "3"
    folder.mkdir()
    (folder / "left.part").write_bytes(bytes(3000))
    os.utime(folder / "left.part", (1, 1))
    (folder / "other.txt").write_bytes(bytes(50_000))
    store.keep("7" + KEY[1:], b"in another folder")
    for k, key in enumerate(keys):
        store.keep(key, bytes([k]) * 1000)
        (path,) = folder.glob(f"{key}*")
        os.utime(path, (100 + k, 100 + k))
    kept = [k for k, key in enumerate(keys) if store.load(key)]
    assert kept == list(range(20 - len(kept), 20))
    assert 5 <= len(kept) <= 10
    assert not (folder / "left.part").exists()
    assert (folder / "other.txt").exists()
    assert store.load("7" + KEY[1:])


def test_no_folder_is_large(store):
    """What is looked through at once is a small part of all that is kept."""
    for k in range(200):
        store.keep(Store.key(str(k)), b"code")
    folders = [path for path in store.folder.iterdir() if path.is_dir()]
    assert len(folders) == cache.FOLDERS
    assert max(len(list(path.iterdir())) for path in folders) < 40


def test_reading_counts_as_use(store):
    store.keep(KEY, b"code")
    (path,) = files(store)
    os.utime(path, (1, 1))
    store.load(KEY)
    assert path.stat().st_mtime > time.time() - 100


@needs_posix
def test_folders_that_others_can_write_to_are_not_used(store):
    store.keep(KEY, b"code")
    store.folder.chmod(0o777)
    assert store.load(KEY) is None
    store.keep(Store.key("b"), b"code")
    assert len(files(store)) == 1


def test_a_disk_that_refuses_only_disables_the_store(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    store = Store(blocked / "inside")
    store.keep(KEY, b"code")
    assert not store.writes
    assert store.load(KEY) is None

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    store = Store(tmp_path / "full")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        store.keep(KEY, b"code")
    assert not store.writes
    assert not files(store)
    store.keep(KEY, b"code")
    assert store.load(KEY) is None


def test_which_folder(monkeypatch, tmp_path):
    for word in ("off", "OFF", "0", "no"):
        monkeypatch.setenv("WENGERT_CACHE", word)
        assert default_store() is None
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path))
    assert default_store().folder == tmp_path
    if sys.platform != "win32":
        monkeypatch.delenv("WENGERT_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
        assert default_store().folder == tmp_path / "home" / "wengert"
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        assert default_store().folder.is_absolute()


# Compiling through it ---------------------------------------------------------------------------------------------


def test_code_is_compiled_once(used):
    assert answer(1) == (101, False)
    assert answer(1) == (101, True)
    assert answer(2) == (102, False)
    assert answer(1, level=1) == (101, False)
    assert answer(1, level=1, passes=True) == (101, False)
    assert answer(1, level=1, passes=True) == (101, True)


def test_damage_means_compiling_again(used):
    answer(1)
    (path,) = files(used)
    path.write_bytes(path.read_bytes()[:-7])
    assert answer(1) == (101, False)
    assert answer(1) == (101, True)


def test_another_processor_has_other_code(used, monkeypatch):
    answer(1)
    host = code.host_facts()
    monkeypatch.setattr(code, "host_facts", lambda: ("0.0", *host[1:]))
    assert answer(1) == (101, False)


def test_without_a_store(monkeypatch):
    monkeypatch.setattr(code, "current_store", lambda: None)
    assert answer(1) == (101, False)
    assert answer(1) == (101, False)


def test_functions_from_outside_are_bound_by_name(used):
    double = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
    text = """declare double @NAME(double)
define double @call(double %x) {
  %y = call double @NAME(double %x)
  ret double %y
}"""
    for factor in (2, 3):
        function = double(lambda x, factor=factor: factor * x)
        name = bind(f"times{factor}", ctypes.cast(function, ctypes.c_void_p).value)
        found = Code(text.replace("NAME", name))
        assert double(found.address("call"))(1.5) == 1.5 * factor


PROCESS = """
import ctypes, sys
from wengert.compiler.code import Code
text = "define i64 @answer(i64 %x) {\\n  %y = add i64 %x, NUMBER\\n  ret i64 %y\\n}\\n"
for k in range(30):
    found = Code(text.replace("NUMBER", str(k)))
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(found.address("answer"))(1) == k + 1
"""


def test_many_processes_at_once(tmp_path):
    settings = dict(os.environ, WENGERT_CACHE=str(tmp_path), PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    root = Path(__file__).parents[2]
    running = [subprocess.Popen([sys.executable, "-c", PROCESS], env=settings, cwd=root) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 30
