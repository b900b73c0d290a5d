"""The code of generated functions, kept on the disk."""

import marshal

import pytest

from wengert import generate
from wengert.compiler.cache import Store
from wengert.compiler.generated import MOST, GeneratedCode

TEXT = "def forward(x):\n    return x + 1"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "kept")


def made(code):
    scope = {}
    exec(code, scope)
    return scope["forward"]


@pytest.fixture
def compiled(monkeypatch):
    """The texts that Python's compiler has been given."""
    texts = []
    original = generate.compiled
    monkeypatch.setattr(generate, "compiled", lambda text: texts.append(text) or original(text))
    return texts


def test_code_is_compiled_once_for_all_processes(store, compiled):
    first = GeneratedCode(store)
    assert made(first(TEXT))(1) == 2
    first.keep()
    assert made(GeneratedCode(store)(TEXT))(1) == 2
    assert compiled == [TEXT]


def test_nothing_is_written_where_nothing_is_new(store):
    first = GeneratedCode(store)
    first(TEXT)
    assert not store.folder.exists()
    first.keep()
    (file,) = store.folder.rglob("*.object")
    file.unlink()
    first.keep()
    assert not file.exists()


def test_two_processes_add_to_each_other(store, compiled):
    one, two = GeneratedCode(store), GeneratedCode(store)
    other = TEXT.replace("1", "2")
    one(TEXT), two(other)
    one.keep()
    two.keep()
    third = GeneratedCode(store)
    assert made(third(TEXT))(1) == 2 and made(third(other))(1) == 3
    assert compiled == [TEXT, other]


@pytest.mark.parametrize("held", [b"", b"no code", marshal.dumps(3), marshal.dumps({b"x": b"y"})])
def test_what_cannot_be_read_is_compiled_anew(store, held):
    first = GeneratedCode(store)
    store.keep(first.key, held)
    assert made(first(TEXT))(1) == 2


def test_a_text_whose_code_is_damaged_is_compiled_anew(store, compiled):
    first = GeneratedCode(store)
    first(TEXT)
    (name,) = first.used
    store.keep(first.key, marshal.dumps({name: b"damaged"}))
    assert made(GeneratedCode(store)(TEXT))(1) == 2
    assert compiled == [TEXT, TEXT]


def test_what_is_kept_is_bounded(store):
    many = {bytes([i // 256, i % 256]): b"" for i in range(MOST)}
    first = GeneratedCode(store)
    store.keep(first.key, marshal.dumps(many))
    first(TEXT)
    first.keep()
    assert list(first.known) == list(first.used) and len(first.used) == 1
