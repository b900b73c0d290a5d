"""PyTorch's autograd semantics, question by question."""

import copy
import pickle

import numpy as np
import pytest

import wengert.dialects.torch as torch


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def test_gradients_accumulate_and_start_from_none():
    x = leaf(1.0, 2.0)
    assert x.grad is None
    (3 * x).sum().backward()
    (3 * x).sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_second_backward_is_refused_unless_the_graph_is_retained():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8]
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_the_implicit_seed_needs_one_element_of_any_rank():
    x = torch.tensor([[3.0]], requires_grad=True)
    (x * x).backward()
    assert x.grad.tolist() == [[6]]
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (leaf(1.0, 2.0) * 2).backward()
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for real scalar outputs"):
        torch.tensor(1 + 1j, requires_grad=True).mul(2).backward()


def test_the_seed_has_the_shape_of_the_output_and_any_precision():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * x).backward(torch.tensor([1.0]))
    (x * x).backward(torch.ones(2, dtype=torch.float64))
    assert x.grad.tolist() == [2, 4]
    assert x.grad.dtype is torch.float32


def test_nothing_recorded_is_refused():
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        torch.ones(2).sum().backward()
    with torch.no_grad():
        y = leaf(1.0).sum()
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        y.backward()


def test_only_floating_point_tensors_require_grad():
    with pytest.raises(RuntimeError, match="only Tensors of floating point and complex dtype can require gradients"):
        torch.tensor([1, 2], requires_grad=True)


def test_requires_grad_on_an_intermediate():
    y = leaf(1.0) * 2
    assert y.requires_grad_() is y
    with pytest.raises(RuntimeError, match="only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)


def test_grad_of_an_intermediate_warns_unless_it_is_retained():
    y = leaf(1.0) * 2
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None
    y.retain_grad()
    assert y.retains_grad
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3]


def test_backward_into_chosen_inputs():
    x, z = leaf(1.0, 2.0), torch.tensor(2.0, requires_grad=True)
    (x * z).sum().backward(inputs=[x])
    assert x.grad.tolist() == [2, 2]
    assert z.grad is None
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * z).sum().backward(inputs=[])


def test_grad_returns_what_was_asked_for():
    x, unused = leaf(1.0, 2.0), leaf(1.0)
    assert [g.tolist() for g in torch.autograd.grad((x * 2).sum(), x)] == [[2, 2]]
    assert torch.autograd.grad((x * 2).sum(), {"a": x})["a"].tolist() == [2, 2]
    assert torch.autograd.grad((x * 2).sum(), [x, unused], allow_unused=True)[1] is None
    assert torch.autograd.grad((x * 2).sum(), [x, unused], materialize_grads=True)[1].tolist() == [0]
    assert x.grad is None
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad((x * 2).sum(), [x, unused])
    with pytest.raises(ValueError, match="allow_unused"):
        torch.autograd.grad((x * 2).sum(), x, allow_unused=False, materialize_grads=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad((x * 2).sum(), torch.ones(1))


def test_batched_seeds_give_a_jacobian():
    x = leaf(1.0, 2.0)
    (jacobian,) = torch.autograd.grad(x**2, x, torch.eye(2), is_grads_batched=True)
    assert jacobian.tolist() == [[2, 0], [0, 4]]


def test_higher_orders():
    x = torch.tensor(3.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**3, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x, create_graph=True)
    second.backward()
    assert (first.item(), second.item(), x.grad.item()) == (27, 18, 6)


@pytest.mark.parametrize(
    "write", [lambda x: x.add_(1), lambda x: x.exp_(), lambda x: x.__iadd__(1), lambda x: x.fill_(0.0)]
)
def test_writes_into_a_leaf_are_refused(write):
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        write(x)
    with torch.no_grad():
        write(x)


@pytest.mark.parametrize(
    "write", [lambda x: x[0].add_(1), lambda x: x.view(2, 1).mul_(2), lambda x: x.__setitem__(0, 1.0)]
)
def test_writes_into_a_view_of_a_leaf_are_refused(write):
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        write(leaf(1.0, 2.0))


def test_writes_through_views_of_single_elements():
    x = leaf(1.0, 2.0)
    y = x * 2
    y[0].mul_(3)
    y[1] += x[0]
    assert y.tolist() == [6, 5]
    y.sum().backward()
    assert x.grad.tolist() == [7, 2]


def test_a_buffer_that_is_filled():
    x = leaf(2.0, 3.0)
    y = torch.zeros(2)
    y[0], y[1] = x[0] ** 2, x[0] * x[1]
    y.sum().backward()
    assert x.grad.tolist() == [7, 2]


def test_a_saved_value_is_safe_from_later_writes():
    x = leaf(0.0, 0.0)
    y = x.exp()
    total = y.sum()
    y.add_(1)
    total.backward()
    assert x.grad.tolist() == [1, 1]


def test_data_is_outside_the_history():
    x = leaf(1.0, 2.0)
    x.data.mul_(2)
    assert x.tolist() == [2, 4]
    x.data = torch.ones(3)
    x.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_arrays_of_tensors_that_require_grad_are_refused():
    x = leaf(1.0)
    for read in (lambda: x.numpy(), lambda: np.asarray(x)):
        with pytest.raises(RuntimeError, match="Can't call numpy\\(\\) on Tensor that requires grad"):
            read()
    assert x.detach().numpy().tolist() == [1]


def test_copies():
    x = leaf(1.0, 2.0)
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert made.tolist() == [1, 2]
        assert made.requires_grad
    with pytest.raises(RuntimeError, match="deepcopy protocol"):
        copy.deepcopy(x * 2)


def test_hooks():
    x, seen = leaf(1.0, 2.0), []
    handle = x.register_hook(lambda g: 2 * g)
    after = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * 3).sum().backward()
    handle.remove()
    after.remove()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [9, 9]
    assert seen == [[6, 6]]
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        torch.ones(1).register_hook(print)
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_subgradients():
    def slope(function, *values):
        x = leaf(*values)
        function(x).sum().backward()
        return x.grad.tolist()

    assert slope(lambda x: x.max(), 1.0, 1.0) == [0.5, 0.5]
    assert slope(lambda x: x.amax(0), 1.0, 1.0) == [0.5, 0.5]
    assert slope(lambda x: x.max(0).values, 1.0, 1.0) == [1, 0]
    assert slope(lambda x: torch.maximum(x, torch.ones(2)), 1.0, 1.0) == [0.5, 0.5]
    assert slope(torch.abs, 0.0, -2.0) == [0, -1]
    assert slope(torch.norm, 0.0, 0.0) == [0, 0]
    assert slope(torch.sqrt, 0.0) == [np.inf]


def test_complex_gradients():
    z = torch.tensor(1 + 2j, requires_grad=True)
    (z.abs() ** 2).backward()
    assert abs(z.grad.item() - (2 + 4j)) < 1e-5


def test_recording_modes():
    x = leaf(1.0)
    with torch.no_grad():
        assert not (x * 2).requires_grad
        with torch.enable_grad():
            assert (x * 2).requires_grad
        with torch.set_grad_enabled(True):
            assert (x * 2).requires_grad
    torch.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    torch.set_grad_enabled(True)
    with torch.inference_mode():
        assert not (x * 2).requires_grad

    @torch.no_grad()
    def double(t):
        return t * 2

    assert not double(x).requires_grad
    assert (x * 2).requires_grad


def test_names_of_operations():
    x, v = torch.ones(2, 2, requires_grad=True), leaf(1.0, 2.0)
    names = {
        "MulBackward0": x * 2, "AddBackward0": x + 1, "RsubBackward1": 1 - x, "PowBackward0": x**2,
        "PowBackward1": x**x,
        "MmBackward0": x @ x, "MvBackward0": x @ v, "DotBackward0": v @ v, "SumBackward0": x.sum(),
        "SumBackward1": x.sum(0), "MeanBackward0": x.mean(), "SelectBackward0": x[0], "SliceBackward0": x[:1],
        "ViewBackward0": x.view(4), "TBackward0": x.t(), "PermuteBackward0": x.T, "CloneBackward0": x.clone(),
        "CatBackward0": torch.cat([x, x]), "UnsqueezeBackward0": x[None], "IndexBackward0": x[[0, 1]],
    }  # fmt: skip
    assert [type(t.grad_fn).__name__ for t in names.values()] == list(names)
    assert repr((x * 2).grad_fn).startswith("<MulBackward0 object at 0x")
    (edge, _), constant = (x * 2).grad_fn.next_functions
    assert edge.name() == "torch::autograd::AccumulateGrad"
    assert edge.variable is x
    assert constant == (None, 0)
    assert x.grad_fn is None


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return factor * x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        assert ctx.needs_input_grad == (True, False)
        return ctx.factor * 3 * x**2 * g, None


def test_a_function_and_its_second_derivative():
    x = torch.tensor(2.0, requires_grad=True)
    y = Cube.apply(x, 2)
    assert repr(y) == "tensor(16., grad_fn=<CubeBackward>)"
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    assert (first.item(), second.item()) == (24, 24)


class Both(torch.autograd.Function):
    @staticmethod
    def forward(x, y):
        return x * y, x + y

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return g * y + h, g * x + h


def test_a_function_with_several_results():
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    product, total = Both.apply(x, y)
    (product * total).backward()
    assert (x.grad.item(), y.grad.item()) == (21, 16)
    product, _ = Both.apply(x, y)
    assert torch.autograd.grad(product, x)[0].item() == 3


def wrong(result):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        if result is not None:

            @staticmethod
            def backward(ctx, g):
                return result(g)

    return Wrong.apply(leaf(1.0)).sum()


def test_functions_that_are_wrong():
    with pytest.raises(RuntimeError, match="incorrect number of gradients \\(expected 1, got 2\\)"):
        wrong(lambda g: (g, g)).backward()
    with pytest.raises(RuntimeError, match="invalid gradient at index 0"):
        wrong(lambda g: g.expand(5)).backward()
    with pytest.raises(NotImplementedError, match="backward or vjp"):
        wrong(None).backward()


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y, g * x


def test_once_differentiable():
    x, y = leaf(1.0), leaf(3.0)
    seed = leaf(1.0)
    (first, _) = torch.autograd.grad(Once.apply(x, y), (x, y), seed, create_graph=True)
    assert first.tolist() == [3]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_a_function_in_place():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = leaf(1.0, 2.0)
    y = x.clone()
    assert Double.apply(y) is y
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_gradcheck():
    x = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: (t.exp() * t, t.sin()), x)
    assert torch.autograd.gradgradcheck(lambda t: t.exp() * t, x)
    with pytest.raises(torch.autograd.GradcheckError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda t: t * t.detach(), x)
    assert not torch.autograd.gradcheck(lambda t: t * t.detach(), x, raise_exception=False)


class CubeWithSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.slope = 3 * x**2
        ctx.mark_non_differentiable(sign := x.sign())
        return x**3, sign

    @staticmethod
    def backward(ctx, g, _):
        return ctx.slope * g


def test_a_function_inside_transformations():
    x = torch.tensor(2.0)
    for f in (lambda x: Cube.apply(x, 2), lambda x: 2 * CubeWithSlope.apply(x)[0]):
        first = torch.func.grad(f)
        second = torch.func.grad(first)
        assert (first(x).item(), second(x).item(), torch.func.grad(second)(x).item()) == (24, 24, 12)
        assert [t.item() for t in torch.func.jvp(f, (x,), (x,))] == [16, 48]
        assert torch.func.vmap(torch.func.grad(f))(torch.ones(3)).tolist() == [6, 6, 6]
        assert torch.func.hessian(f)(x).item() == 24
    with pytest.raises(RuntimeError, match="invalid gradient at index 0"):
        torch.func.grad(lambda x: wrong_at(x, lambda g: g.expand(5)))(x)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.func.grad(torch.func.grad(lambda x: Once.apply(x, x)))(x)


def wrong_at(x, result):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return result(g)

    return Wrong.apply(x)
