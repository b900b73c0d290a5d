"""Blocks and parameters: the small core of DJL's ``ai.djl.nn``."""

from wengert.dialects.djl.nn.activation import Activation
from wengert.dialects.djl.nn.block import AbstractBlock, Block, LambdaBlock, SequentialBlock
from wengert.dialects.djl.nn.blocks import Blocks
from wengert.dialects.djl.nn.parameter import Parameter, ParameterList

__all__ = [
    "AbstractBlock",
    "Activation",
    "Block",
    "Blocks",
    "LambdaBlock",
    "Parameter",
    "ParameterList",
    "SequentialBlock",
]
