"""Gated convolution: one convolution computes features, another the share of them that passes.

Yu et al., Free-form image inpainting with gated convolution (2019).
"""

from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import UsageError, check_word
from convcli.operators.activations import ACTIVATIONS, sigmoid
from convcli.operators.arrays import ImageArray, shape_text
from convcli.operators.conv import ConvOptions, conv


def gated_conv(
    x: ArrayLike,
    weights: ArrayLike,
    gate_weights: ArrayLike,
    bias: ArrayLike | None = None,
    gate_bias: ArrayLike | None = None,
    *,
    activation: str = "none",
    **options: Unpack[ConvOptions],
) -> ImageArray:
    """Convolve twice and multiply: `activation(conv(x, weights)) * sigmoid(conv(x, gate_weights))`.

    Parameters
    ----------
    x : array_like, (height, width, inputs)
    weights, gate_weights : array_like, (outputs, inputs / groups, rows, columns)
        Of one shape.
    bias, gate_bias : array_like, optional
        A number for each output, or one for all.
    activation : {"none", "relu", "leaky_relu", "sigmoid", "tanh"}
    **options
        Those of `conv`, for both convolutions.

    Returns
    -------
    float32 array, (h, w, outputs)

    Raises
    ------
    UsageError, FilterError
        If the two banks are not of one shape; and as `conv`.

    Examples
    --------
    >>> gated_conv([[[2.0]]], np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 1))).tolist()
    [[[1.0]]]
    """
    check_word("activation", activation, ("none", *ACTIVATIONS))
    if np.shape(weights) != np.shape(gate_weights):
        shapes = f"{shape_text(np.shape(weights))} and {shape_text(np.shape(gate_weights))}"
        raise UsageError(f"weights and gate weights must be of one shape, not {shapes}")
    features, gates = (conv(x, each, added, **options) for each, added in ((weights, bias), (gate_weights, gate_bias)))
    threads = options.get("threads")
    if activation != "none":
        ACTIVATIONS[activation](features, out=features, threads=threads)
    sigmoid(gates, out=gates, threads=threads)
    features *= gates
    return features
