"""Blocks: functions of lists of arrays, with parameters."""

from collections.abc import Callable
from typing import Any

from wengert.dialects.djl.errors import IllegalArgumentException, IllegalStateException
from wengert.dialects.djl.ndarray import NDArray, NDList, NDManager
from wengert.dialects.djl.ndarray.types import DataType, Shape
from wengert.dialects.djl.nn.parameter import Parameter, ParameterList, chosen
from wengert.dialects.djl.training.initializer import Initializer
from wengert.dialects.djl.training.store import ParameterStore

__all__ = ["AbstractBlock", "Block", "LambdaBlock", "SequentialBlock"]


class Block:
    """Base of blocks. One of your own has ``forwardInternal`` and ``getOutputShapes``.

    It declares parameters with ``addParameter`` and blocks inside with ``addChildBlock``, gives its parameters their
    shapes in ``prepare(inputShapes)``, and the blocks inside theirs in ``initializeChildBlocks``.
    """

    def __init__(self, *version: Any) -> None:
        self._parameters: dict[str, Parameter] = {}
        self._blocks: dict[str, Block] = {}
        self._inputs: list[Shape] | None = None

    # To be written by blocks of one's own -----------------------------------------------------------------------

    def forwardInternal(
        self, parameterStore: ParameterStore, inputs: NDList, training: bool, params: Any = None
    ) -> NDList:
        """Compute the result."""
        raise NotImplementedError(f"[{type(self).__name__}] a Block needs a method forwardInternal; define one")

    def getOutputShapes(self, inputShapes: list[Shape]) -> list[Shape]:
        """The shapes of the results, from those of the inputs."""
        raise NotImplementedError(f"[{type(self).__name__}] a Block needs a method getOutputShapes; define one")

    def prepare(self, inputShapes: list[Shape]) -> None:
        """Give parameters their shapes."""

    def initializeChildBlocks(self, manager: NDManager, dataType: DataType, *inputShapes: Shape) -> None:
        """Initialise the blocks inside."""
        for child in self._blocks.values():
            child.initialize(manager, dataType, *inputShapes)

    # For everybody ----------------------------------------------------------------------------------------------

    def addParameter(self, parameter: Parameter, shape: Shape | None = None) -> Parameter:
        """Declare a parameter, and give it back."""
        if shape is not None:
            parameter.setShape(shape)
        self._parameters[parameter.getName()] = parameter
        return parameter

    def addChildBlock(self, name: str, block: "Block") -> "Block":
        """Declare a block inside, and give it back."""
        self._blocks[f"{len(self._blocks) + 1:02d}{name}"] = block
        return block

    def forward(self, *arguments: Any) -> NDList:
        """The result: ``forward(parameterStore, inputs, training[, params])``, or of one array or list alone."""
        if not isinstance(arguments[0], ParameterStore):
            arguments = (ParameterStore(), arguments[0], False)
        store, inputs, training, *params = arguments
        inputs = inputs if isinstance(inputs, NDList) else NDList(inputs)
        return self.forwardInternal(store, inputs, training, *params)

    def initialize(self, manager: NDManager, dataType: DataType, *inputShapes: Shape) -> None:
        """Make all parameters, for inputs of these shapes."""
        self._inputs = list(inputShapes)
        self.prepare(list(inputShapes))
        for parameter in self._parameters.values():
            parameter.initialize(manager, dataType)
        self.initializeChildBlocks(manager, dataType, *inputShapes)

    def isInitialized(self) -> bool:
        """Whether all parameters have been made."""
        return all(parameter.isInitialized() for parameter in self.getParameters().values())

    def getInputShapes(self) -> list[Shape]:
        """The shapes that it was initialised for."""
        if self._inputs is None:
            raise IllegalStateException("[getInputShapes] a block that was initialised was required")
        return self._inputs

    def getDirectParameters(self) -> ParameterList:
        """The block's own parameters."""
        return ParameterList(self._parameters.items())

    def getParameters(self) -> ParameterList:
        """All parameters, those of the blocks inside under the name of their block."""
        inside = [(f"{name}_{key}", p) for name, block in self._blocks.items() for key, p in block.getParameters()]
        return ParameterList([*self._parameters.items(), *inside])

    def getChildren(self) -> ParameterList:
        """The blocks inside, with their names."""
        return ParameterList(self._blocks.items())

    def setInitializer(self, initializer: Initializer, which: Any = Parameter.Type.WEIGHT) -> None:
        """Say how parameters of a type, with a name, or that a function names, start."""
        wanted = chosen(which)
        for _, parameter in self.getParameters():
            if wanted(parameter):
                parameter.setInitializer(initializer)

    def freezeParameters(self, freeze: bool, which: Callable[[Parameter], bool] = lambda parameter: True) -> None:
        """Stop parameters from learning, or let them learn again."""
        for _, parameter in self.getParameters():
            if which(parameter):
                parameter.freeze(freeze)

    def clear(self) -> None:
        """Free all parameters."""
        for _, parameter in self.getParameters():
            parameter.close()

    def attach(self, manager: NDManager) -> None:
        """Give all parameters to a manager."""
        for _, parameter in self.getParameters():
            parameter.getArray().attach(manager)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}: {block!r}" for name, block in self._blocks.items())
        return f"{type(self).__name__}({inside})"


AbstractBlock = Block


class LambdaBlock(Block):
    """A function of a list of arrays as a block."""

    def __init__(self, function: Callable[[NDList], NDList], name: str = "anonymous") -> None:
        super().__init__()
        self._function = function

    @staticmethod
    def singleton(function: Callable[[NDArray], NDArray], name: str = "anonymous") -> "LambdaBlock":
        """A function of one array as a block."""
        return LambdaBlock(lambda inputs: NDList(function(inputs.singletonOrThrow())), name)

    def forwardInternal(
        self, parameterStore: ParameterStore, inputs: NDList, training: bool, params: Any = None
    ) -> NDList:
        """The function's result."""
        return self._function(inputs)

    def getOutputShapes(self, inputShapes: list[Shape]) -> list[Shape]:
        """The shapes of the function's result for zeros."""
        with NDManager.newBaseManager() as manager:
            return self._function(NDList([manager.zeros(shape) for shape in inputShapes])).getShapes()


class SequentialBlock(Block):
    """Blocks, and functions of a list of arrays, one after the other."""

    def add(self, block: Any, name: str | None = None) -> "SequentialBlock":
        """Append a block or a function; returns itself."""
        if not isinstance(block, Block):
            if not callable(block):
                raise IllegalArgumentException(f"[add] a Block or a function was required; received {block!r}")
            block = LambdaBlock(block)
        self.addChildBlock(name or type(block).__name__, block)
        return self

    def addSingleton(self, function: Callable[[NDArray], NDArray]) -> "SequentialBlock":
        """Append a function of one array; returns itself."""
        return self.add(LambdaBlock.singleton(function))

    def addAll(self, *blocks: Any) -> "SequentialBlock":
        """Append several; returns itself."""
        for block in blocks:
            self.add(block)
        return self

    def forwardInternal(
        self, parameterStore: ParameterStore, inputs: NDList, training: bool, params: Any = None
    ) -> NDList:
        """The result of the last block."""
        for block in self._blocks.values():
            inputs = block.forward(parameterStore, inputs, training)
        return inputs

    def getOutputShapes(self, inputShapes: list[Shape]) -> list[Shape]:
        """The shapes of the last block's results."""
        for block in self._blocks.values():
            inputShapes = block.getOutputShapes(inputShapes)
        return inputShapes

    def initializeChildBlocks(self, manager: NDManager, dataType: DataType, *inputShapes: Shape) -> None:
        """Initialise the blocks, each for what the one before gives."""
        shapes = list(inputShapes)
        for block in self._blocks.values():
            block.initialize(manager, dataType, *shapes)
            shapes = block.getOutputShapes(shapes)
