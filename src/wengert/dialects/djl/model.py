"""Models: a block with its manager."""

from pathlib import Path
from typing import Any

import numpy as np

from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.errors import IllegalStateException
from wengert.dialects.djl.ndarray import NDManager
from wengert.dialects.djl.nn import Block
from wengert.dialects.djl.training import DefaultTrainingConfig, Trainer

__all__ = ["Model"]


class Model(AutoCloseable):
    """A block, and the manager of its parameters: ``Model.newInstance("name")``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._manager = NDManager.newBaseManager()
        self._block: Block | None = None
        self._properties: dict[str, str] = {}

    @staticmethod
    def newInstance(name: str, *where: Any) -> "Model":
        """A model without a block yet."""
        return Model(name)

    def getName(self) -> str:
        """The name."""
        return self._name

    def getBlock(self) -> Block:
        """The block."""
        if self._block is None:
            raise IllegalStateException("[getBlock] a model with a block was required; call setBlock")
        return self._block

    def setBlock(self, block: Block) -> None:
        """Say the block."""
        self._block = block

    def getNDManager(self) -> NDManager:
        """The manager of the parameters."""
        return self._manager

    def newTrainer(self, trainingConfig: DefaultTrainingConfig) -> Trainer:
        """A trainer of the block."""
        return Trainer(self, trainingConfig)

    def getProperty(self, key: str, default: str | None = None) -> str | None:
        """A note that was made of the model."""
        return self._properties.get(key, default)

    def setProperty(self, key: str, value: str) -> None:
        """Make a note of the model."""
        self._properties[key] = value

    def save(self, modelPath: Any, newModelName: str | None = None) -> None:
        """Write the parameters to a file ``name.params`` of NumPy's format in a directory."""
        with self._file(modelPath, newModelName).open("wb") as file:
            np.savez(file, **{name: p.getArray()._read("save") for name, p in self.getBlock().getParameters()})

    def load(self, modelPath: Any, prefix: str | None = None) -> None:
        """Read the parameters that `save` wrote."""
        with np.load(self._file(modelPath, prefix)) as values:
            for name, parameter in self.getBlock().getParameters():
                array = self._manager.create(values[name])
                parameter.setArray(array)
                array.setRequiresGradient(parameter.requiresGradient())

    def _file(self, directory: Any, name: str | None) -> Path:
        return Path(directory) / f"{name or self._name}.params"

    def close(self) -> None:
        """Close the parameters."""
        self._manager.close()

    def __repr__(self) -> str:
        return f"Model (\n\tName: {self._name}\n\tBlock: {self._block!r}\n)"
