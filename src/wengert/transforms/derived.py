"""Names that moved: see `forward`, `jacobian` and `vmap`."""

from wengert.transforms.forward import jvp
from wengert.transforms.jacobian import hessian, hvp, jacobian, linearize, vhp
from wengert.transforms.vmap import vmap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "linearize", "vhp", "vmap"]
