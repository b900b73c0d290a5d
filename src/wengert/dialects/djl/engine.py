"""The engine, of which there is one: it opens gradient collectors and seeds random numbers."""

from typing import ClassVar

from wengert.dialects.djl import random
from wengert.dialects.djl.device import Device
from wengert.dialects.djl.errors import EngineException
from wengert.dialects.djl.ndarray.manager import NDManager
from wengert.dialects.djl.training.collector import GradientCollector

__all__ = ["Engine", "EngineException"]


class Engine:
    """wengert's engine, in the place of DJL's: ``Engine.getInstance()``."""

    _instance: ClassVar["Engine | None"] = None

    @staticmethod
    def getInstance() -> "Engine":
        """The engine."""
        if Engine._instance is None:
            Engine._instance = Engine()
        return Engine._instance

    @staticmethod
    def getEngine(engineName: str | None = None) -> "Engine":
        """The engine, whatever name it is asked for by."""
        return Engine.getInstance()

    @staticmethod
    def hasEngine(engineName: str) -> bool:
        """Whether there is an engine of this name."""
        return engineName in Engine.getAllEngines()

    @staticmethod
    def getAllEngines() -> set[str]:
        """The names of all engines."""
        return {"wengert"}

    @staticmethod
    def getDefaultEngineName() -> str:
        """The name of the engine."""
        return "wengert"

    def getEngineName(self) -> str:
        """The name of the engine."""
        return "wengert"

    def newGradientCollector(self) -> GradientCollector:
        """Open a gradient collector; in a ``with`` statement it is closed at the end."""
        return GradientCollector()

    def newBaseManager(self, device: Device | None = None) -> NDManager:
        """A manager of its own."""
        return NDManager.newBaseManager(device)

    def setRandomSeed(self, seed: int) -> None:
        """Start random numbers anew from a seed."""
        random.start(seed)

    def getSeed(self) -> int | None:
        """The seed that random numbers were started from last."""
        return random.seed

    def getGpuCount(self) -> int:
        """How many GPUs there are: none."""
        return 0

    def defaultDevice(self) -> Device:
        """Where arrays are made unless said otherwise."""
        return Device.cpu()

    def getDevices(self, maxGpus: int = 1) -> list[Device]:
        """The devices to use: the processor."""
        return [Device.cpu()]

    def __repr__(self) -> str:
        return "wengert"


NDManager._engine = staticmethod(Engine.getInstance)
