"""Gated convolution: one convolution says what is there, another how much of it to let through.

Yu et al., Free-form image inpainting with gated convolution (2019).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import UsageError, check_word
from convcli.operators.activations import ACTIVATIONS, sigmoid
from convcli.operators.conv import conv
from convcli.operators.strips import ImageArray, shape_words


def gated_conv(
    x: ArrayLike,
    weights: ArrayLike,
    gate_weights: ArrayLike,
    bias: ArrayLike | None = None,
    gate_bias: ArrayLike | None = None,
    *,
    activation: str = "none",
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> ImageArray:
    """Convolve twice and multiply: `activation(conv(x, weights)) * sigmoid(conv(x, gate_weights))`.

    `activation` is none, relu, leaky_relu, sigmoid or tanh; the other options are those of `conv`, for both. Returns
    float32 (h, w, outputs).

    >>> gated_conv([[[2.0]]], np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 1))).tolist()
    [[[1.0]]]

    Raises
    ------
    UsageError
        where the two banks are not of one shape, and as `conv` does.
    """
    check_word("activation", activation, ("none", *ACTIVATIONS))
    if np.shape(weights) != np.shape(gate_weights):
        shapes = f"{shape_words(np.shape(weights))} and {shape_words(np.shape(gate_weights))}"
        raise UsageError(f"weights and gate weights must be of one shape, not {shapes}")
    features, gates = (
        conv(
            x,
            each,
            added,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            padding_mode=padding_mode,
            backend=backend,
            threads=threads,
            device=device,
        )
        for each, added in ((weights, bias), (gate_weights, gate_bias))
    )
    if activation != "none":
        ACTIVATIONS[activation](features, out=features, threads=threads)
    sigmoid(gates, out=gates, threads=threads)
    features *= gates
    return features
