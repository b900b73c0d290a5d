"""`LBFGS`, whose steps call the closure several times."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.errors import MissingError, OptionError
from wengert.dialects.torch.optim.optimizer import Optimizer
from wengert.dialects.torch.tensor import Tensor
from wengert.optim import LBFGSMemory, minimize_lbfgs
from wengert.tape import enable_grad, no_grad

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS; see `wengert.optim.minimize_lbfgs`."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise MissingError(f"[LBFGS] line_search_fn None or 'strong_wolfe' was required; got {line_search_fn!r}")
        defaults = {"lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval}
        defaults |= {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, defaults | {"history_size": history_size, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise OptionError("[LBFGS] LBFGS doesn't support per-parameter options (parameter groups)")
        self.state[self.param_groups[0]["params"][0]]["memory"] = LBFGSMemory(history_size)

    def step(self, closure: Callable | None = None) -> Any:
        """Take up to ``max_iter`` steps; the closure forgets the gradients, computes the loss and its backward."""
        if closure is None:
            raise OptionError("[LBFGS] a closure that computes the loss was required; received None")
        group, losses = self.param_groups[0], []

        def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
            self._put(x)
            with enable_grad():
                losses.append(closure())
            return float(losses[-1]), self._flat([t.grad for t in group["params"]])

        options = {k: group[k] for k in ("max_iter", "max_eval", "tolerance_grad", "tolerance_change")}
        wolfe = group["line_search_fn"] is not None
        x = self._flat(group["params"])
        memory = self.state[group["params"][0]]["memory"]
        x, _ = minimize_lbfgs(evaluate, x, memory, lr=float(group["lr"]), wolfe=wolfe, **options)
        self._put(x)
        return losses[0]

    def _flat(self, tensors: list) -> np.ndarray:
        """Tensors, one for each parameter, as one vector; what is missing is zero."""
        pairs = zip(tensors, self.param_groups[0]["params"], strict=True)
        parts = [np.zeros(p._spec.size) if t is None else np.ravel(bare(t)) for t, p in pairs]
        return np.concatenate(parts).astype(self.param_groups[0]["params"][0]._spec.dtype)

    def _put(self, x: np.ndarray) -> None:
        """Write a vector into the parameters."""
        start = 0
        with no_grad():
            for t in self.param_groups[0]["params"]:
                t.copy_(Tensor._box(x[start : start + t._spec.size].reshape(t._spec.shape)))
                start += t._spec.size
