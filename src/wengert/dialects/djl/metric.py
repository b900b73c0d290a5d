"""Figures of a training, as they follow one another."""

from dataclasses import dataclass

__all__ = ["Metric", "Metrics"]


@dataclass(frozen=True)
class Metric:
    """One figure."""

    metricName: str
    value: float
    unit: str = "count"

    def getMetricName(self) -> str:
        """What the figure is of."""
        return self.metricName

    def getValue(self) -> float:
        """The figure."""
        return self.value

    def getUnit(self) -> str:
        """Its unit."""
        return self.unit

    def __str__(self) -> str:
        return f"{self.metricName}.{self.unit}:{self.value}"


class Metrics:
    """Figures by name, each name with all values so far; a trainer is given them with ``setMetrics``."""

    def __init__(self) -> None:
        self._metrics: dict[str, list[Metric]] = {}

    def addMetric(self, name: str, value: float, unit: str = "count") -> None:
        """Add a value."""
        self._metrics.setdefault(name, []).append(Metric(name, value, unit))

    def hasMetric(self, name: str) -> bool:
        """Whether there is a value under a name."""
        return name in self._metrics

    def getMetricNames(self) -> set[str]:
        """The names."""
        return set(self._metrics)

    def getMetric(self, name: str) -> list[Metric]:
        """All values under a name."""
        return list(self._metrics.get(name, []))

    def latestMetric(self, name: str) -> Metric:
        """The last value under a name."""
        return self._metrics[name][-1]
