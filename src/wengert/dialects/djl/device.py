"""Devices. There is one: the processor."""

from dataclasses import dataclass

from wengert.dialects.djl.errors import IllegalArgumentException

__all__ = ["Device"]


@dataclass(frozen=True)
class Device:
    """A device, printed as ``cpu()`` or ``gpu(0)``. Any may be named; only the processor can hold arrays."""

    deviceType: str = "cpu"
    deviceId: int = -1

    @staticmethod
    def cpu() -> "Device":
        """The processor."""
        return Device()

    @staticmethod
    def gpu(deviceId: int = 0) -> "Device":
        """A GPU, by number: it can be named, not used."""
        return Device("gpu", deviceId)

    @staticmethod
    def of(deviceType: str, deviceId: int = -1) -> "Device":
        """A device by type and number."""
        return Device(deviceType.lower(), -1 if deviceType.lower() == "cpu" else deviceId)

    @staticmethod
    def fromName(name: str | None, engine: object = None) -> "Device":
        """A device by a name such as ``cpu``, ``gpu1``, or ``-1`` for the processor."""
        if name is None or name in ("", "-1", "cpu"):
            return Device.cpu()
        return Device.gpu(int(name.removeprefix("gpu") or 0))

    @staticmethod
    def defaultDevice(engine: object = None) -> "Device":
        """Where arrays are made unless said otherwise."""
        return Device.cpu()

    @staticmethod
    def getDevices(maxDevices: int = 1) -> list["Device"]:
        """The devices to use: the processor."""
        return [Device.cpu()]

    def getDeviceType(self) -> str:
        """``cpu`` or ``gpu``."""
        return self.deviceType

    def getDeviceId(self) -> int:
        """The number of a GPU; -1 for the processor."""
        return self.deviceId

    def isGpu(self) -> bool:
        """Whether it is a GPU."""
        return self.deviceType == "gpu"

    def __str__(self) -> str:
        return f"gpu({self.deviceId})" if self.isGpu() else f"{self.deviceType}()"

    __repr__ = toString = __str__


def require_cpu(operation: str, device: Device | None) -> None:
    """Refuse every device but the processor."""
    if device is not None and device != Device.cpu():
        raise IllegalArgumentException(
            f"[{operation}] the device cpu() was required, the only one there is; received {device}; use Device.cpu() "
            f"or Device.defaultDevice()"
        )
