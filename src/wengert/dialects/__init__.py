"""The systems that wengert speaks: programs written for them run unchanged on its engine.

==========  ====================================  ==================================================================
dialect     answers to                            conventions
==========  ====================================  ==================================================================
`mxnet`     ``mxnet``                             records inside ``record()``; gradients overwritten (``grad_req``)
`torch`     ``torch``                             records what requires grad; gradients add up; graph freed
`djl`       ``ai.djl``, ``djl``                   Java's names; records inside a collector; managers own arrays
`scalar`    ``scalar``                            plain Python numbers; each node lists (child, local derivative)
==========  ====================================  ==================================================================

Each can be imported directly (``from wengert.dialects.mxnet import nd``), or installed under the original's name
(`install`), or a script can be run under it: ``wengert run --dialect mxnet script.py``.

A dialect is spelling and conventions. Values, derivatives, views and writes in place are the engine's, so what is
better there is better here: second derivatives of everything, right gradients after writes in place, NumPy's functions.
"""

from wengert.dialects.imports import ORIGINALS, install, installed, uninstall
from wengert.dialects.running import run

__all__ = ["ORIGINALS", "install", "installed", "run", "uninstall"]
