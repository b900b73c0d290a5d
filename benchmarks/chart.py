"""The picture for the README: each peer's share of PyTorch's time or memory, on a log scale."""

from pathlib import Path

from .workload import Row

BASE = "torch"
# Okabe and Ito's colours, which all kinds of colour vision tell apart.
SERIES = (
    ("wengert", "wengert", "#0072B2"),
    ("autograd", "HIPS autograd", "#E69F00"),
    ("mygrad", "MyGrad", "#CC79A7"),
)
INK = "#333333"
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def draw(results: dict[str, list[Row]], path: Path) -> None:
    """Write the chart as PNG, and as SVG beside it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [row for rows in results.values() for row in rows if row.chart and row.value(BASE)]
    bars = [[(s, row.ratio(s[0], BASE)) for s in SERIES if row.ratio(s[0], BASE)] for row in rows]
    style = {"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9, "font.family": "sans-serif"}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(8.6, 0.9 + sum(0.155 * len(b) + 0.12 for b in bars)), layout="constrained")
        draw_bars(axes, rows, bars)
        dress(axes)
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
            text = f"{share:.2f}" if share < 10 else f"{share:.0f}"
            weight = "bold" if key == "wengert" else "normal"
            axes.annotate(text, (share, y), (-3 if left else 3, 0), textcoords="offset points", va="center",
                          ha="right" if left else "left", color=INK, size=7, weight=weight)  # fmt: skip
            y += 1
        ticks.append((top + y - 1) / 2)
        y += 0.8
    axes.set_yticks(ticks, [row.chart for row in rows])
    axes.set_ylim(y - 0.6, -1)


def dress(axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.5, high * 1.5)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xticks([t for t in TICKS if low / 1.5 < t < high * 1.5])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}×" if x != 1 else "PyTorch")
    axes.minorticks_off()
    axes.set_xlabel("time or memory, divided by PyTorch's (eager): left of the line is faster or smaller")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=len(SERIES), frameon=False)
