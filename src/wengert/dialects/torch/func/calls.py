"""Modules called with other parameters than their own."""

from collections.abc import Sequence
from typing import Any

from wengert.dialects.torch import functions_joining
from wengert.dialects.torch.errors import OptionError, TorchError
from wengert.dialects.torch.nn.module import Module

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with some of its parameters and buffers, named by their paths, replaced for this call."""
    given: dict[str, Any] = {}
    dicts = parameter_and_buffer_dicts
    for part in [dicts] if isinstance(dicts, dict) else dicts:
        given |= part
    own: dict[int, list[str]] = {}
    for kind in ("_parameters", "_buffers"):
        for path, t in module._named(kind, "", True, False):
            own.setdefault(id(t), []).append(path)
    unknown = given.keys() - {path for paths in own.values() for path in paths}
    if strict and (unknown or len(given) < len(own)):
        raise TorchError(
            f"[functional_call] exactly the module's names were required; not among them: {sorted(unknown)}"
        )
    replaced = []
    for path, value in given.items():
        paths = next((p for p in own.values() if path in p), [path])
        tied = [same for same in paths if same not in given] if tie_weights else []
        replaced += [(*_place(module, name), value) for name in (path, *tied)]
    before = [(held, name, held[name]) for held, name, _ in replaced]
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    try:
        for held, name, value in replaced:
            held[name] = value
        return module(*args, **(kwargs or {}))
    finally:
        for held, name, value in before:
            held[name] = value


def _place(module: Module, path: str) -> tuple[dict, str]:
    """The dictionary that holds a parameter or buffer, and its name there."""
    above, _, name = path.rpartition(".")
    holder = module.get_submodule(above)
    for kind in ("_parameters", "_buffers"):
        if name in holder.__dict__[kind]:
            return holder.__dict__[kind], name
    raise OptionError(f"[functional_call] a name of a parameter or buffer was required; received '{path}'")


def stack_module_state(models: Sequence[Module]) -> tuple[dict, dict]:
    """The parameters, and the buffers, of modules of one structure, stacked by name."""
    if not models:
        raise TorchError("[stack_module_state] Expected at least one model, got 0")

    def stacked(name: str) -> dict:
        parts = [dict(getattr(model, name)()) for model in models]
        return {k: functions_joining.stack([p[k] for p in parts]).detach() for k in parts[0]}

    parameters = {k: t.requires_grad_() for k, t in stacked("named_parameters").items()}
    return parameters, stacked("named_buffers")
