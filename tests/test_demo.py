"""The demo: it learns, it checks itself, and it says what is missing."""

import re
import sys

import numpy as np
import pytest

from wengert import cli, demo, nn

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
load_file = pytest.importorskip("safetensors.numpy").load_file


@pytest.fixture
def run(monkeypatch, capsys):
    """Call ``wengert demo`` with arguments; give exit status, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["wengert", "demo", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def test_a_short_run_learns_checks_draws_and_saves(run, tmp_path):
    out = tmp_path / "made" / "on the way [bold]"
    status, printed, err = run("--epochs", 5, "--seed", 1, "--out", out)
    assert (status, err) == (0, "")
    assert float(re.search(r"Held-out accuracy ([\d.]+)%", printed)[1]) > 90
    assert printed.count("passed") == 2
    assert str(out) in printed
    assert (out / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert sum(array.size for array in load_file(out / "digits.safetensors").values()) == 26_122


def test_the_same_seed_gives_the_same_weights(run, tmp_path):
    for name in "ab":
        run("--epochs", 1, "--seed", 7, "--out", tmp_path / name)
    first, second = (load_file(tmp_path / name / "digits.safetensors") for name in "ab")
    for name in first:
        # To the last bits only under WENGERT_EAGER=numpy: otherwise kernels take NumPy's place after a while.
        np.testing.assert_allclose(first[name], second[name], rtol=1e-6, atol=1e-12)


@pytest.fixture(scope="module")
def digits():
    return demo.load_digits(np.random.default_rng(0))


def test_every_scan_is_either_learnt_from_or_held_out(digits):
    assert (len(digits.images), len(digits.unseen)) == (1438, 359)
    assert np.bincount(np.concatenate([digits.labels, digits.unseen_labels])).sum() == 1797
    assert digits.images.min() == 0 and digits.images.max() == 1


def test_distortions_keep_shape_and_original(digits):
    rng = np.random.default_rng(0)
    before = digits.images[:50].copy()
    after = demo.distort(before, rng)
    assert after.shape == before.shape
    np.testing.assert_array_equal(before, digits.images[:50])
    # Ink moves and little of it leaves the image; noise adds none on average.
    assert np.mean(after) == pytest.approx(np.mean(before), rel=0.1)
    assert np.corrcoef(after.ravel(), before.ravel())[0, 1] > 0.7


def test_the_gradient_check_passes_a_right_gradient_and_finds_a_wrong_one(digits):
    rng = np.random.default_rng(0)
    right = nn.Sequential(nn.Linear(64, 10, rng=rng))
    before = right.state_dict()
    worst, count = demo.check_gradient(right, digits, rng)
    assert worst < demo.TOLERANCE and count == 20
    for name, weights in right.state_dict().items():
        np.testing.assert_array_equal(weights, before[name])

    wrong = nn.Sequential(nn.Linear(64, 10, rng=rng), lambda y: 2 * y - y.detach())
    worst, _ = demo.check_gradient(wrong, digits, rng)
    assert worst > 0.1


def test_a_failed_check_is_exit_status_1(run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "save_and_reload", lambda *_: False)
    status, printed, _ = run("--epochs", 1, "--out", tmp_path)
    assert status == 1
    assert "FAILED" in printed


def test_missing_packages_are_named_with_the_way_to_get_them(run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "sklearn" else object())
    status, printed, err = run("--out", tmp_path)
    assert (status, printed) == (2, "")
    assert "not installed: scikit-learn" in err and "pip install 'wengert[demo]'" in err
    assert err.count("\n") == 1


def test_an_output_folder_that_cannot_be_is_refused_before_training(run, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        status, printed, err = run("--out", out)
        assert (status, printed) == (2, "")
        assert "--out must be a folder" in err and err.count("\n") == 1
