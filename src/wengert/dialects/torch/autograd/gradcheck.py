"""Checking gradients against differences."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.torch.backward import grad
from wengert.dialects.torch.errors import TorchError
from wengert.dialects.torch.tensor import Tensor


class GradcheckError(TorchError):
    """A gradient is not what differences of the function say."""


def gradcheck(
    func: Callable, inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_forward_ad: bool = False,
    check_backward_ad: bool = True, fast_mode: bool = False, masked: Any = None,
) -> bool:  # fmt: skip
    """Compare the gradients of a function with central differences of step `eps`.

    Returns
    -------
    bool
        Whether they agree within ``atol + rtol * size``; where not, `GradcheckError` is raised unless
        `raise_exception` is false.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
    if not checked:
        raise TorchError("[gradcheck] gradcheck expects at least one input tensor to require gradient, but none does")
    outputs = _outputs(func, inputs)
    if not outputs:
        raise TorchError("[gradcheck] a function with outputs that require grad was required; none do")
    for o, output in enumerate(outputs):
        for i in checked:
            numerical = _numerical(func, inputs, i, o, eps)
            analytical = _analytical(output, inputs[i])
            if not np.allclose(analytical, numerical, rtol, atol, equal_nan=True):
                if not raise_exception:
                    return False
                raise GradcheckError(
                    f"[gradcheck] Jacobian mismatch for output {o} with respect to input {i},\nnumerical:"
                    f"{Tensor._box(numerical)}\nanalytical:{Tensor._box(analytical)}\n"
                )
    return True


def _outputs(func: Callable, inputs: tuple) -> list:
    results = func(*inputs)
    results = results if isinstance(results, (tuple, list)) else (results,)
    return [r for r in results if isinstance(r, Tensor) and r.requires_grad]


def _analytical(output: Tensor, x: Tensor) -> np.ndarray:
    """The Jacobian, a row of it for each element of the output, transposed as PyTorch prints it."""
    columns = []
    for k in range(output._spec.size):
        seed = np.zeros(output._spec.size, output._spec.dtype)
        seed[k] = 1
        seeded = Tensor._box(seed.reshape(output._spec.shape))
        (g,) = grad(output, x, seeded, retain_graph=True, allow_unused=True)
        columns.append(np.zeros(x._spec.size) if g is None else np.conj(np.ravel(g.detach().numpy())))
    return np.stack(columns, 1) if columns else np.zeros((x._spec.size, 0))


def _numerical(func: Callable, inputs: tuple, i: int, o: int, eps: float) -> np.ndarray:
    base = np.array(inputs[i].detach().numpy())
    rows = []
    for k in range(base.size):
        steps = (eps, 1j * eps) if base.dtype.kind == "c" else (eps,)
        slopes = []
        for step in steps:
            values = []
            for sign in (1, -1):
                moved = base.copy()
                moved.reshape(-1)[k] += sign * step
                x = Tensor._box(moved).requires_grad_()
                values.append(np.array(_outputs(func, (*inputs[:i], x, *inputs[i + 1 :]))[o].detach().numpy()).ravel())
            slopes.append((values[0] - values[1]) / (2 * eps))
        rows.append(slopes[0] if len(slopes) == 1 else slopes[0] - 1j * slopes[1])
    return np.stack(rows) if rows else np.zeros((0, 1))


def gradgradcheck(
    func: Callable, inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True, **options: Any,
) -> bool:  # fmt: skip
    """Compare the gradients of a function's gradient with central differences; see `gradcheck`."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = _outputs(func, inputs)
    if grad_outputs is None:
        source = np.random.default_rng(0)
        seeds = [
            Tensor._box(np.asarray(source.normal(size=y._spec.shape), y._spec.dtype)).requires_grad_() for y in outputs
        ]
    else:
        seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    n = len(inputs)

    def gradient(*args: Any) -> tuple:
        given = [t for t in args[:n] if isinstance(t, Tensor) and t.requires_grad]
        return grad(_outputs(func, args[:n]), given, list(args[n:]), create_graph=True, allow_unused=True)

    return gradcheck(gradient, (*inputs, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
