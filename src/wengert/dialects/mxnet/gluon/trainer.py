"""`Trainer`: an optimiser with the parameters that it changes."""

from typing import Any

from wengert.dialects.mxnet import optimizer as optimizers
from wengert.dialects.mxnet.gluon.parameter import Parameter, ParameterDict

__all__ = ["Trainer"]


class Trainer:
    """Updates parameters by their gradients.

    Parameters
    ----------
    params : ParameterDict, dict, or list of Parameter
    optimizer : str or Optimizer
    optimizer_params : dict, optional
        Settings of the optimiser that `optimizer` names.
    kvstore, compression_params, update_on_kvstore
        Accepted: there is one device.
    """

    def __init__(
        self,
        params: Any,
        optimizer: Any,
        optimizer_params: dict[str, Any] | None = None,
        kvstore: Any = "device",
        compression_params: dict | None = None,
        update_on_kvstore: bool | None = None,
    ) -> None:
        if isinstance(params, (ParameterDict, dict)):
            params = [params[name] for name in sorted(params.keys())]
        if not isinstance(params, (list, tuple)) or not all(isinstance(p, Parameter) for p in params):
            raise ValueError(
                f"[Trainer] a list or dict of Parameters was required; received {type(params).__name__}, {params!r}; "
                f"pass net.collect_params()"
            )
        self._params: list[Parameter] = list({id(p): p for p in params}.values())
        numbered = dict(enumerate(self._params))
        if isinstance(optimizer, optimizers.Optimizer):
            assert not optimizer_params, (
                "[Trainer] optimizer_params must be None if optimizer is an Optimizer instance; set them there"
            )
            optimizer.param_dict = numbered
        else:
            optimizer = optimizers.create(optimizer, param_dict=numbered, **(optimizer_params or {}))
        self._optimizer, self._scale = optimizer, optimizer.rescale_grad
        self._updater = optimizers.Updater(optimizer)

    @property
    def optimizer(self) -> optimizers.Optimizer:
        """The optimiser."""
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return self._optimizer.learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Set the rate."""
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size: float, ignore_stale_grad: bool = False) -> None:
        """Update all parameters, by their gradients over `batch_size`.

        Raises
        ------
        UserWarning
            A gradient is of before the last step. With `ignore_stale_grad` such parameters are left alone.
        """
        self.update(batch_size, ignore_stale_grad)

    def allreduce_grads(self) -> None:
        """Sum gradients over devices: there is one."""

    def update(self, batch_size: float, ignore_stale_grad: bool = False) -> None:
        """The same as `step`, after `allreduce_grads`."""
        trained = [(i, p) for i, p in enumerate(self._params) if p.grad_req != "null"]
        if not ignore_stale_grad:
            for _, param in trained:
                _require_fresh(param)
        self._optimizer.rescale_grad = self._scale / batch_size
        for i, param in trained:
            if param._data is not None and param._data._fresh_grad:
                self._updater(i, param.grad(), param.data())
                param._data._fresh_grad = False

    def save_states(self, fname: str) -> None:
        """Write what the optimiser keeps into a file."""
        with open(fname, "wb") as stream:
            stream.write(self._updater.get_states())

    def load_states(self, fname: str) -> None:
        """Continue with what `save_states` wrote; read only files that you trust."""
        with open(fname, "rb") as stream:
            self._updater.set_states(stream.read())


def _require_fresh(param: Parameter) -> None:
    if not param.data()._fresh_grad:
        raise UserWarning(
            f"[step] Gradient of Parameter `{param.name}` on context {param.list_ctx()[0]} has not been updated by "
            f"backward since last `step`: a new one was required; run backward on all that the trainer has, or leave "
            f"such parameters alone with ignore_stale_grad=True"
        )
