"""Tensors of the PyTorch dialect: making, printing, converting, random numbers."""

import numpy as np
import pytest

import wengert.dialects.torch as torch


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: torch.tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
        (lambda: torch.tensor([1.0, 2.0]), "tensor([1., 2.])"),
        (lambda: torch.tensor(3), "tensor(3)"),
        (lambda: torch.tensor([]), "tensor([])"),
        (lambda: torch.tensor([[]]), "tensor([], size=(1, 0))"),
        (lambda: torch.tensor([True, False]), "tensor([ True, False])"),
        (lambda: torch.tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"),
        (lambda: torch.tensor([1.0, 3e8]), "tensor([1.0000e+00, 3.0000e+08])"),
        (lambda: torch.tensor([float("nan"), -1.5]), "tensor([    nan, -1.5000])"),
        (lambda: torch.tensor([float("inf"), 1.0]), "tensor([inf, 1.])"),
        (lambda: torch.tensor([1.0], dtype=torch.float64), "tensor([1.], dtype=torch.float64)"),
        (lambda: torch.tensor([1, 20], dtype=torch.int32), "tensor([ 1, 20], dtype=torch.int32)"),
        (lambda: torch.tensor([1.5 - 2j, 3]), "tensor([1.5000-2.j, 3.0000+0.j])"),
        (lambda: torch.eye(2), "tensor([[1., 0.],\n        [0., 1.]])"),
        (lambda: torch.zeros(2, 1, 2), "tensor([[[0., 0.]],\n\n        [[0., 0.]]])"),
        (lambda: torch.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
        (lambda: torch.ones(2, requires_grad=True), "tensor([1., 1.], requires_grad=True)"),
        (lambda: torch.ones(2, requires_grad=True) * 2, "tensor([2., 2.], grad_fn=<MulBackward0>)"),
    ],
)
def test_printed_forms(made, text):
    assert repr(made()) == str(made()) == text


def test_print_options():
    torch.set_printoptions(precision=2)
    assert str(torch.tensor([1.23456])) == "tensor([1.23])"
    torch.set_printoptions(profile="default")
    assert str(torch.tensor([1.23456])) == "tensor([1.2346])"


def test_names_of_types():
    assert str(torch.tensor(1.0).dtype) == "torch.float32"
    assert str(torch.zeros(2, 3).shape) == "torch.Size([2, 3])"
    assert str(type(torch.zeros(1))) == "<class 'torch.Tensor'>"
    assert repr(torch.zeros(1).device) == "device(type='cpu')"
    assert torch.zeros(1).type() == "torch.FloatTensor"
    assert torch.float is torch.float32
    assert torch.finfo(torch.float32).eps == 2**-23


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.0, torch.float32), (1, torch.int64), (True, torch.bool), (1j, torch.complex64), ([1, 2.0], torch.float32),
        (np.ones(2), torch.float64), (np.float64(1), torch.float64), ([], torch.float32),
    ],
)  # fmt: skip
def test_dtypes_of_data(data, dtype):
    assert torch.tensor(data).dtype is dtype


def test_the_constructor_takes_sizes_or_data():
    assert torch.Tensor(2, 3).shape == (2, 3)
    assert torch.Tensor([2, 3]).tolist() == [2, 3]
    assert torch.Tensor([2]).dtype is torch.float32
    assert torch.LongTensor([1, 2]).dtype is torch.int64
    assert isinstance(torch.ones(1), torch.FloatTensor)
    assert not isinstance(torch.ones(1), torch.LongTensor)


@pytest.mark.parametrize(
    ("a", "b", "dtype"),
    [
        ([1], [1.0], torch.float32), ([1], 1.5, torch.float32), ([True], 1, torch.int64), ([1], 2j, torch.complex64),
        (np.ones(1), [1.0], torch.float64), ([1.0], np.float64(1), torch.float32), ([1], np.float64(1), torch.float64),
        (np.ones(1, np.float16), [1], torch.float16), (np.ones(1, np.int32), np.int64(1), torch.int32),
        (np.ones(1, np.uint8), np.ones(1, np.int8), torch.int16),
    ],
)  # fmt: skip
def test_promotion(a, b, dtype):
    b = torch.tensor(b) if not isinstance(b, (int, float, complex)) or isinstance(b, np.generic) else b
    assert (torch.tensor(a) + b).dtype is dtype


def test_integer_division_and_means():
    assert (torch.tensor([1, 2]) / 2).tolist() == [0.5, 1]
    assert (torch.tensor([7]) // 2).tolist() == [3]
    assert torch.tensor([True, True]).sum().dtype is torch.int64
    with pytest.raises(RuntimeError, match="mean"):
        torch.tensor([1, 2]).mean()
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.tensor([1, 2]).add_(1.5)


def test_shared_memory():
    array = np.ones(3)
    t = torch.from_numpy(array)
    array += 1
    t.mul_(2)
    assert array.tolist() == t.tolist() == [4, 4, 4]
    window = torch.ones(2)
    view = window.numpy()
    window.add_(1)
    view[0] = 7
    assert window.tolist() == view.tolist() == [7, 2]
    assert torch.tensor(array) is not t
    array[0] = 0
    assert torch.as_tensor(array)[0].item() == 0


def test_numbers():
    t = torch.tensor([1.5])
    assert (t.item(), float(t), int(t), bool(t)) == (1.5, 1.5, 1, True)
    assert f"{torch.tensor(2.0):.2f}" == "2.00"
    for read in (float, int, bool, torch.Tensor.item):
        with pytest.raises(RuntimeError):
            read(torch.ones(2))
    with pytest.raises(TypeError, match="0-d"):
        len(torch.tensor(1))
    assert [x.item() for x in torch.arange(3)] == [0, 1, 2]
    assert 2 in torch.arange(3)


@pytest.mark.parametrize(
    ("wrong", "phrase"),
    [
        (lambda: torch.ones(2) + torch.ones(3), "The size of tensor a \\(2\\) must match the size of tensor b \\(3\\)"),
        (lambda: torch.ones(2, 3) @ torch.ones(2, 3), "shapes cannot be multiplied \\(2x3 and 2x3\\)"),
        (lambda: torch.ones(2).view(3), "invalid for input of size 2"),
        (lambda: torch.ones(2, 3).t().view(6), "Use .reshape"),
        (lambda: torch.cat([torch.ones(2, 2), torch.ones(3, 3)]), "Sizes of tensors must match"),
        (lambda: torch.zeros(2, 3).permute(0), "permute"),
        (lambda: torch.ones(2).cuda(), "not compiled with CUDA"),
        (lambda: torch.dot(torch.ones(2, 2), torch.ones(2)), "1D tensors expected"),
    ],
)
def test_refusals(wrong, phrase):
    with pytest.raises(RuntimeError, match=phrase):
        wrong()


def test_refusals_of_indices():
    for wrong in (lambda: torch.ones(2)[5], lambda: torch.ones(2).sum(3), lambda: torch.ones(3).squeeze(2)):
        with pytest.raises(IndexError):
            wrong()
    with pytest.raises(ValueError, match="step must be greater than zero"):
        torch.ones(2)[::-1]


def test_values_with_indices():
    x = torch.tensor([[3.0, 1.0, 2.0]])
    values, indices = x.max(dim=1)
    assert (values.tolist(), indices.tolist()) == ([3], [0])
    assert x.sort(descending=True).indices.tolist() == [[0, 2, 1]]
    assert x.topk(2).values.tolist() == [[3, 2]]
    assert x.median().item() == 2
    assert str(x.min(1)) == "torch.return_types.min(\nvalues=tensor([1.]),\nindices=tensor([1]))"


def test_gather_and_scatter_with_gradients():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    index = torch.tensor([[0, 0], [1, 0]])
    picked = x.gather(1, index)
    assert picked.tolist() == [[1, 1], [4, 3]]
    picked.sum().backward()
    assert x.grad.tolist() == [[2, 0], [1, 1]]
    assert torch.zeros(2, 2).scatter_add_(1, index, torch.ones(2, 2)).tolist() == [[2, 0], [1, 1]]
    with pytest.raises(IndexError, match="out of bounds"):
        x.gather(1, index + 5)


def test_random_numbers_are_those_of_a_mersenne_twister():
    torch.manual_seed(0)
    assert str(torch.rand(3)) == "tensor([0.4963, 0.7682, 0.0885])"
    torch.manual_seed(0)
    assert str(torch.randn(3)) == "tensor([ 1.5410, -0.2934, -2.1788])"
    state = torch.get_rng_state()
    first = torch.rand(3)
    torch.set_rng_state(state)
    assert first.equal(torch.rand(3))
    generator = torch.Generator().manual_seed(0)
    assert str(torch.rand(3, generator=generator)) == "tensor([0.4963, 0.7682, 0.0885])"
    assert sorted(torch.randperm(10).tolist()) == list(range(10))


def test_save_and_load(tmp_path):
    state = {"w": torch.tensor([1.0, 2.0], requires_grad=True), "step": 3}
    torch.save(state, tmp_path / "state.pt")
    loaded = torch.load(tmp_path / "state.pt")
    assert loaded["w"].tolist() == [1, 2]
    assert loaded["w"].requires_grad
    assert loaded["step"] == 3


def test_assert_close():
    torch.testing.assert_close(torch.ones(2), torch.ones(2) + 1e-7)
    with pytest.raises(AssertionError, match="not close"):
        torch.testing.assert_close(torch.ones(2), torch.zeros(2))
    with pytest.raises(AssertionError, match="dtype"):
        torch.testing.assert_close(torch.ones(2), torch.ones(2).double())
