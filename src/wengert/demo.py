"""``wengert demo``: a small network learns to read real handwritten digits, and every claim about it is checked."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wengert import nn, optim
from wengert.errors import ArgumentError
from wengert.tape import no_grad
from wengert.tensor import Tensor

__all__ = ["EPOCHS", "run"]

EPOCHS = 60
BATCH = 64
LEARNING_RATE = 0.01
TOLERANCE = 1e-6
"""Largest error of a gradient, relative to the largest entry of its array, that passes the check."""

EXTRAS = {
    "sklearn": "scikit-learn",
    "matplotlib": "matplotlib",
    "safetensors": "safetensors",
    "threadpoolctl": "threadpoolctl",
}
RIGHT = np.eye(8, k=1)
"""``image @ RIGHT`` moves an image one pixel to the right, ``image @ RIGHT.T`` to the left."""


def run(epochs: int, seed: int, out: Path) -> bool:
    """Train, check the gradient, draw, save and reload; return whether the checks passed."""
    _require_extras()
    _require_folder(out)
    from threadpoolctl import threadpool_limits

    # Matrices this small gain nothing from BLAS's threads, which stall each other when another program has a core.
    with threadpool_limits(1):
        return _train_and_check(epochs, seed, out)


def _train_and_check(epochs: int, seed: int, out: Path) -> bool:
    console = Console(highlight=False, soft_wrap=True)
    rng = np.random.default_rng(seed)
    digits = load_digits(rng)
    console.print(f"{len(digits.images):,} scans of handwritten digits to learn from, {len(digits.unseen):,} held out")

    model = network(rng)
    started = time.perf_counter()
    losses = train(model, digits, epochs, rng, console)
    console.print(f"Trained in {time.perf_counter() - started:.1f} s, {len(losses):,} steps")

    correct = int(np.sum(read(model, digits.unseen) == digits.unseen_labels))
    console.print(f"Held-out accuracy {correct / len(digits.unseen):.1%} ({correct} of {len(digits.unseen)})")

    worst, entries = check_gradient(model, digits, rng)
    console.print(
        f"Gradient of the trained loss against central differences: "
        f"worst relative error {worst:.1e} over {entries} weights {_verdict(worst < TOLERANCE)}"
    )
    weights, picture = out / "digits.safetensors", out / "digits.png"
    identical = save_and_reload(model, digits, weights)
    console.print(f"Weights saved to {escape(str(weights))}; reloaded, predictions identical {_verdict(identical)}")

    draw(model, digits, losses, picture)
    console.print(f"Loss curve and misread digits drawn to {escape(str(picture))}")
    return bool(worst < TOLERANCE and identical)


# ---------------------------------------------------------------------------------------------------------------
# Data
# ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Digits:
    """Images of shape (n, 8, 8) with ink from 0 to 1, and the digits they show; some are kept unseen."""

    images: np.ndarray
    labels: np.ndarray
    unseen: np.ndarray
    unseen_labels: np.ndarray


def load_digits(rng: np.random.Generator) -> Digits:
    """Read the 1,797 scans that scikit-learn brings along, and hold out a fifth at random."""
    from sklearn import datasets

    scans = datasets.load_digits()
    images, labels = scans.images / 16, scans.target
    held_out, kept = np.split(rng.permutation(len(images)), [len(images) // 5])
    return Digits(images[kept], labels[kept], images[held_out], labels[held_out])


def distort(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move each image by up to half a pixel in both directions and add noise, so that none is seen twice."""
    for _ in range(2):
        by = rng.uniform(-0.5, 0.5, (len(images), 1, 1))
        right, left = np.maximum(by, 0), np.maximum(-by, 0)
        images = (1 - right - left) * images + right * (images @ RIGHT) + left * (images @ RIGHT.T)
        images = images.swapaxes(1, 2)
    return images + rng.normal(scale=0.2, size=images.shape)


# ---------------------------------------------------------------------------------------------------------------
# Network
# ---------------------------------------------------------------------------------------------------------------


def network(rng: np.random.Generator) -> nn.Module:
    """Build a perceptron (n, 64) -> (n, 10) with two hidden layers; its smooth units suit a gradient check."""
    return nn.Sequential(
        nn.Linear(64, 128, rng=rng),
        nn.gelu,
        nn.Linear(128, 128, rng=rng),
        nn.gelu,
        nn.Linear(128, 10, rng=rng),
    )


def train(model: nn.Module, digits: Digits, epochs: int, rng: np.random.Generator, console: Console) -> list[float]:
    """Minimise the cross-entropy by Adam; return the loss of every step."""
    losses: list[float] = []
    batches = -(-len(digits.images) // BATCH)
    optimizer = optim.Adam(model.parameters(), lr=optim.schedules.cosine(LEARNING_RATE, epochs * batches))
    with _progress(console) as progress:
        bar = progress.add_task("", total=epochs, loss=np.nan, accuracy=0.0)
        for _ in range(epochs):
            for batch in np.array_split(rng.permutation(len(digits.images)), batches):
                loss = loss_of(model, distort(digits.images[batch], rng), digits.labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            accuracy = np.mean(read(model, digits.unseen) == digits.unseen_labels)
            progress.update(bar, advance=1, loss=np.mean(losses[-batches:]), accuracy=accuracy)
    return losses


def loss_of(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> Tensor:
    """Mean cross-entropy of the network's answers."""
    return nn.cross_entropy(model(images.reshape(-1, 64)), labels)


def read(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the digit that the network sees in each image."""
    with no_grad():
        return np.argmax(model(images.reshape(-1, 64)), axis=1)


# ---------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------


def check_gradient(model: nn.Module, digits: Digits, rng: np.random.Generator, entries: int = 10) -> tuple[float, int]:
    """Compare `entries` derivatives of every array of weights with central differences.

    Returns
    -------
    worst, count : float, int
        The largest error, relative to the largest derivative in the same array, and how many were compared.
    """
    images, labels = digits.images[:256], digits.labels[:256]
    model.zero_grad()
    loss_of(model, images, labels).backward()
    errors = []
    for weight in model.parameters():
        gradient = np.asarray(weight.grad)
        for flat in rng.choice(gradient.size, min(entries, gradient.size), replace=False):
            index = np.unravel_index(flat, gradient.shape)
            difference = _central_difference(weight, index, lambda: loss_of(model, images, labels).item())
            errors.append(abs(gradient[index] - difference) / np.max(np.abs(gradient)))
    return float(np.max(errors)), len(errors)


def _central_difference(weight: Tensor, index: tuple, loss: Callable[[], float], step: float = 1e-5) -> float:
    value = weight.data[index]
    with no_grad():
        weight[index] = value + step
        above = loss()
        weight[index] = value - step
        below = loss()
        weight[index] = value
    return (above - below) / (2 * step)


def save_and_reload(model: nn.Module, digits: Digits, path: Path) -> bool:
    """Save the weights, load them into another network, and compare what the two answer to the last bit."""
    from safetensors.numpy import load_file, save_file

    save_file(model.state_dict(), path)
    other = network(np.random.default_rng())
    other.load_state_dict(load_file(path))
    images = digits.unseen.reshape(-1, 64)
    with no_grad():
        return np.array_equal(model(images).data, other(images).data)


# ---------------------------------------------------------------------------------------------------------------
# What is shown
# ---------------------------------------------------------------------------------------------------------------


def draw(model: nn.Module, digits: Digits, losses: list[float], path: Path) -> None:
    """Draw the loss over the steps, and up to twelve of the unseen digits that were misread."""
    from matplotlib.figure import Figure

    answers = read(model, digits.unseen)
    misread = np.flatnonzero(answers != digits.unseen_labels)
    figure = Figure(figsize=(10, 4), layout="constrained")
    columns = figure.add_gridspec(1, 2)
    left, right = figure.add_subfigure(columns[0]), figure.add_subfigure(columns[1])

    curve = left.add_subplot()
    curve.semilogy(losses, linewidth=0.5, alpha=0.4, color="tab:blue")
    window = min(25, len(losses))
    smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
    curve.semilogy(np.arange(window - 1, len(losses)), smooth, color="tab:blue")
    curve.set(title="Training loss", xlabel="step", ylabel="cross-entropy")

    right.suptitle(f"{len(misread)} of {len(answers)} unseen digits misread")
    for frame, i in zip(right.subplots(3, 4).flat, [*misread[:12], *[None] * 12], strict=False):
        frame.axis("off")
        if i is not None:
            frame.imshow(digits.unseen[i], cmap="gray_r", vmin=0, vmax=1)
            frame.set_title(f"{digits.unseen_labels[i]} read as {answers[i]}", fontsize=9)
    figure.savefig(path, dpi=120)


def _progress(console: Console) -> Progress:
    return Progress(
        BarColumn(bar_width=30),
        TextColumn("epoch"),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  held-out accuracy {task.fields[accuracy]:.1%}"),
        TimeElapsedColumn(),
        console=console,
    )


def _verdict(passed: bool) -> str:
    return "[green]passed[/green]" if passed else "[red]FAILED[/red]"


# ---------------------------------------------------------------------------------------------------------------
# What is needed
# ---------------------------------------------------------------------------------------------------------------


def _require_extras() -> None:
    missing = [package for module, package in EXTRAS.items() if find_spec(module) is None]
    if missing:
        raise ArgumentError(
            f"[demo] {', '.join(EXTRAS.values())} are required; not installed: {', '.join(missing)}; "
            f"run: pip install 'wengert[demo]'"
        )


def _require_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"[demo] --out must be a folder; {out} cannot be made: {error.strerror}") from None
    if not os.access(out, os.W_OK):
        raise ArgumentError(f"[demo] --out must be a folder that can be written to; {out} is not")
