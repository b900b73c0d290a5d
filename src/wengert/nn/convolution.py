"""Convolution of signals, images and volumes, and its transpose. Channels come first."""

from collections.abc import Callable

import numpy as np

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, as_array, describe
from wengert.nn._windows import Numbers, per_axis, reach, require_windows
from wengert.rules import windows as rules

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Array:
    """Convolution along one axis; see `conv2d`.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, length)
    weight : array or tensor of shape (features, channels / groups, window)
    bias : array or tensor of shape (features,), optional
    stride, padding, dilation, groups
        As for `conv2d`.

    Returns
    -------
    array or tensor of shape (batch, features, windows)

    Examples
    --------
    >>> conv1d(np.array([[[1.0, 2.0, 4.0, 8.0]]]), np.array([[[-1.0, 1.0]]]))
    array([[[1., 2., 4.]]])
    """
    return _convolve("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Array:
    """Products of a window that slides over images with weights, summed over the window and over the channels.

    The window is not mirrored: what signal processing calls a cross-correlation.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, height, width)
        Or one image, (channels, height, width).
    weight : array or tensor of shape (features, channels / groups, window height, window width)
    bias : array or tensor of shape (features,), optional
    stride : int, or one per axis
        From one window to the next.
    padding : int, or one per axis, or 'same' or 'valid'
        Zeros in front of `x` and behind it. 'same' gives as many windows as elements and needs a stride of 1; 'valid'
        is 0.
    dilation : int, or one per axis
        From one element of a window to the next.
    groups : int
        Channels and features are cut into so many groups, and features see the channels of their own group only.

    Returns
    -------
    array or tensor of shape (batch, features, rows of windows, columns of windows)
        Along an axis there are ``(size + 2 * padding - dilation * (window - 1) - 1) // stride + 1`` windows.

    Raises
    ------
    ShapeError
        The shapes do not fit, or the window is larger than `x` with its padding.
    ArgumentError
        An option has a value that makes no sense.

    Examples
    --------
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, np.ones((1, 1, 2, 2)), stride=2)
    array([[[[10., 18.],
             [42., 50.]]]])
    >>> conv2d(x, np.ones((8, 1, 3, 3)), padding="same").shape
    (1, 8, 4, 4)
    """
    return _convolve("conv2d", 2, x, weight, bias, stride, padding, dilation, groups)


def conv3d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Array:
    """Convolution along three axes; see `conv2d`.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, depth, height, width)
    weight : array or tensor of shape (features, channels / groups, *window)
    bias : array or tensor of shape (features,), optional
    stride, padding, dilation, groups
        As for `conv2d`.

    Returns
    -------
    array or tensor of shape (batch, features, *windows)

    Examples
    --------
    >>> conv3d(np.ones((2, 3, 4, 4, 4)), np.ones((8, 3, 2, 2, 2))).shape
    (2, 8, 3, 3, 3)
    """
    return _convolve("conv3d", 3, x, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Array:
    """Transpose of `conv1d`; see `conv_transpose2d`.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, length)
    weight : array or tensor of shape (channels, features / groups, window)
    bias : array or tensor of shape (features,), optional
    stride, padding, output_padding, groups, dilation
        As for `conv_transpose2d`.

    Returns
    -------
    array or tensor of shape (batch, features, length of the result)

    Examples
    --------
    >>> conv_transpose1d(np.array([[[1.0, 2.0]]]), np.array([[[1.0, 1.0, 1.0]]]), stride=2)
    array([[[1., 1., 3., 2., 2.]]])
    """
    return _transpose("conv_transpose1d", 1, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Array:
    """Each element of `x` puts a window of weights, times itself, into the result: the adjoint of `conv2d` in its `x`.

    With the same options it takes shapes back to where `conv2d` took them from.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, height, width)
        Or one image, (channels, height, width).
    weight : array or tensor of shape (channels, features / groups, window height, window width)
    bias : array or tensor of shape (features,), optional
    stride : int, or one per axis
        From one window to the next, in the result.
    padding : int, or one per axis
        So much is cut off the result, in front and behind.
    output_padding : int, or one per axis
        So much less is cut off behind. Smaller than stride or dilation.
    groups : int
        As for `conv2d`.
    dilation : int, or one per axis
        From one element of a window to the next.

    Returns
    -------
    array or tensor of shape (batch, features, height, width of the result)
        Along an axis, ``(size - 1) * stride - 2 * padding + dilation * (window - 1) + output_padding + 1``.

    Raises
    ------
    ShapeError
        The shapes do not fit, or nothing is left of the result.
    ArgumentError
        An option has a value that makes no sense.

    Examples
    --------
    >>> conv_transpose2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)))
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    return _transpose("conv_transpose2d", 2, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Array:
    """Transpose of `conv3d`; see `conv_transpose2d`.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, depth, height, width)
    weight : array or tensor of shape (channels, features / groups, *window)
    bias : array or tensor of shape (features,), optional
    stride, padding, output_padding, groups, dilation
        As for `conv_transpose2d`.

    Returns
    -------
    array or tensor of shape (batch, features, *size of the result)

    Examples
    --------
    >>> conv_transpose3d(np.ones((2, 8, 3, 3, 3)), np.ones((8, 3, 2, 2, 2))).shape
    (2, 3, 4, 4, 4)
    """
    return _transpose("conv_transpose3d", 3, x, weight, bias, stride, padding, output_padding, groups, dilation)


def _convolve(operation, ndim, x, weight, bias, stride, padding, dilation, groups):
    x, weight = as_array(x), as_array(weight)
    _require_groups(operation, groups)
    _require_axes(operation, ndim, x, weight)
    channels, features = x.shape[-ndim - 1], weight.shape[0]
    if channels != weight.shape[1] * groups or features % groups:
        raise ShapeError(
            f"[{operation}] x of shape (batch, channels, ...) needs weight of shape (features, channels / groups, "
            f"...), with features a multiple of groups; got x with {describe(x)}, weight with {describe(weight)} and "
            f"groups={groups}; adapt one of them."
        )
    size, window = x.shape[-ndim:], weight.shape[2:]
    stride = per_axis(operation, "stride", stride, ndim, 1)
    dilation = per_axis(operation, "dilation", dilation, ndim, 1)
    reaches = reach(window, dilation)
    before, after = _margins(operation, padding, ndim, stride, reaches)
    count = tuple((n + a + b - r) // s + 1 for n, a, b, r, s in zip(size, before, after, reaches, stride, strict=True))
    require_windows(operation, x, count, reaches, padding)
    at = rules.windows(size, count, window, stride, before, dilation)
    return _for_each_example(
        operation, ndim, x, features, bias, lambda x: rules.convolve(x, weight, windows=at, groups=groups)
    )


def _transpose(operation, ndim, x, weight, bias, stride, padding, output_padding, groups, dilation):
    x, weight = as_array(x), as_array(weight)
    _require_groups(operation, groups)
    _require_axes(operation, ndim, x, weight)
    if x.shape[-ndim - 1] != weight.shape[0] or weight.shape[0] % groups:
        raise ShapeError(
            f"[{operation}] x of shape (batch, channels, ...) needs weight of shape (channels, features / groups, "
            f"...), with channels a multiple of groups; got x with {describe(x)}, weight with {describe(weight)} and "
            f"groups={groups}; adapt one of them."
        )
    count, window = x.shape[-ndim:], weight.shape[2:]
    stride = per_axis(operation, "stride", stride, ndim, 1)
    dilation = per_axis(operation, "dilation", dilation, ndim, 1)
    padding = per_axis(operation, "padding", padding, ndim, 0)
    extra = per_axis(operation, "output_padding", output_padding, ndim, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ArgumentError(
            f"[{operation}] output_padding must be smaller than stride or dilation; got output_padding {extra}, "
            f"stride {stride} and dilation {dilation}; what is farther out would be zero."
        )
    size = tuple(
        (n - 1) * s - 2 * p + r + e
        for n, s, p, r, e in zip(count, stride, padding, reach(window, dilation), extra, strict=True)
    )
    if min(size) < 1:
        raise ShapeError(
            f"[{operation}] a result of at least one element was required; got x with {describe(x)} and padding "
            f"{padding}, which leaves shape {size}; cut less off."
        )
    at = rules.windows(size, count, window, stride, padding, dilation)
    return _for_each_example(
        operation,
        ndim,
        x,
        weight.shape[1] * groups,
        bias,
        lambda x: rules.convolve_back(x, weight, windows=at, groups=groups),
    )


def _for_each_example(
    operation: str, ndim: int, x: Array, features: int, bias: Array | None, function: Callable[[Array], Array]
) -> Array:
    """Apply a function of batches, also to one example without an axis for the batch, and add the bias."""
    bias = None if bias is None else as_array(bias)
    if bias is not None and bias.shape != (features,):
        raise ShapeError(
            f"[{operation}] bias must have shape ({features},), one number per feature; got {describe(bias)}."
        )
    y = function(x) if x.ndim == ndim + 2 else function(x[None])[0]
    return y if bias is None else y + np.reshape(bias, (features, *(1,) * ndim))


def _margins(operation, padding, ndim, stride, reaches):
    """Padding in front and behind."""
    if padding == "same":
        if max(stride) > 1:
            raise ArgumentError(
                f"[{operation}] padding='same' needs a stride of 1; got stride {stride}; give the padding in numbers."
            )
        before = tuple((r - 1) // 2 for r in reaches)
        return before, tuple(r - 1 - b for r, b in zip(reaches, before, strict=True))
    if isinstance(padding, str) and padding != "valid":
        raise ArgumentError(f"[{operation}] padding must be 'same', 'valid' or whole numbers; got {padding!r}.")
    before = per_axis(operation, "padding", 0 if isinstance(padding, str) else padding, ndim, 0)
    return before, before


def _require_groups(operation: str, groups: int) -> None:
    if not hasattr(groups, "__index__") or groups < 1:
        raise ArgumentError(f"[{operation}] groups must be a whole number of at least 1; got {groups!r}.")


def _require_axes(operation: str, ndim: int, x: Array, weight: Array) -> None:
    if x.ndim not in (ndim + 1, ndim + 2) or weight.ndim != ndim + 2 or min(weight.shape[2:]) < 1:
        raise ShapeError(
            f"[{operation}] x with a batch axis, a channel axis and {ndim} more, and weight with {ndim + 2} axes, were "
            f"required; got x with {describe(x)} and weight with {describe(weight)}; reshape them."
        )
