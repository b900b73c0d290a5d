"""The pictures for the README: each peer's share of one peer's time or memory, on a log scale."""

from dataclasses import dataclass
from pathlib import Path

from .workload import Row

# Okabe and Ito's colours, which all kinds of colour vision tell apart.
BLUE, ORANGE, PURPLE, GREY = "#0072B2", "#E69F00", "#CC79A7", "#999999"
INK = "#333333"
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
FEWER_TICKS = (0.001, 0.01, 0.1, 1, 10, 100, 1000)
MANY_DECADES = 1000
"""Where the largest share is so many times the smallest, there are fewer ticks."""


@dataclass(frozen=True)
class Chart:
    """Who is drawn, in which colour, and whose value is 1."""

    base: str
    base_label: str
    series: tuple[tuple[str, str, str], ...]
    quantity: str
    """What the axis says."""


EAGER = Chart(
    "torch",
    "PyTorch",
    (("wengert", "wengert", BLUE), ("autograd", "HIPS autograd", ORANGE), ("mygrad", "MyGrad", PURPLE)),
    "time or memory, divided by PyTorch's (eager): left of the line is faster or smaller",
)
COMPILED = Chart(
    "jax",
    "jax.jit",
    (
        ("wengert", "wg.compile", BLUE),
        ("torch", "PyTorch", ORANGE),
        ("torch.compile", "torch.compile", PURPLE),
        ("floor", "C by hand", GREY),
    ),
    "time of a call, divided by jax.jit's: left of the line is faster",
)


def draw(rows: list[Row], path: Path, chart: Chart = EAGER) -> None:
    """Write the chart as PNG, and as SVG beside it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [row for row in rows if row.chart and row.value(chart.base)]
    bars = [[(s, row.ratio(s[0], chart.base)) for s in chart.series if row.ratio(s[0], chart.base)] for row in rows]
    style = {"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9, "font.family": "sans-serif"}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(8.6, 0.9 + sum(0.155 * len(b) + 0.12 for b in bars)), layout="constrained")
        draw_bars(axes, rows, bars)
        dress(axes, chart)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=160)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        plt.close(figure)


def draw_bars(axes, rows, bars) -> None:
    """Draw a group of bars for each row, from the line at 1: to the left is better."""
    y, ticks, seen = 0.0, [], set()
    for group in bars:
        top = y
        for (key, label, colour), share in group:
            axes.barh(y, share - 1, left=1, height=0.86, color=colour, label=None if key in seen else label)
            seen.add(key)
            left = share < 1
            text = f"{share:.3f}" if share < 0.095 else f"{share:.2f}" if share < 10 else f"{share:.0f}"
            weight = "bold" if key == "wengert" else "normal"
            axes.annotate(text, (share, y), (-3 if left else 3, 0), textcoords="offset points", va="center",
                          ha="right" if left else "left", color=INK, size=7, weight=weight)  # fmt: skip
            y += 1
        ticks.append((top + y - 1) / 2)
        y += 0.8
    axes.set_yticks(ticks, [row.chart for row in rows])
    axes.set_ylim(y - 0.6, -1)


def dress(axes, chart: Chart) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.5, high * 1.5)
    axes.axvline(1, color=INK, linewidth=1)
    ticks = FEWER_TICKS if high / low > MANY_DECADES else TICKS
    axes.set_xticks([t for t in ticks if low / 1.5 < t < high * 1.5])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}×" if x != 1 else chart.base_label)
    axes.minorticks_off()
    axes.set_xlabel(chart.quantity)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=len(chart.series), frameon=False)
