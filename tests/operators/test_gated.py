"""Gated convolution: features times gates."""

import numpy as np
import pytest
from operator_cases import close, random

from convcli.errors import UsageError
from convcli.operators.conv import conv
from convcli.operators.gated import gated_conv

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_a_gated_convolution_multiplies_features_by_gates():
    x, weights, gates, bias = random(9, 8, 3), random(4, 3, 3, 3, seed=1), random(4, 3, 3, 3, seed=2), random(4)
    features = conv(x, weights, bias, padding=1).astype(float)
    opened = 1 / (1 + np.exp(-conv(x, gates, 0.5, padding=1).astype(float)))
    close(gated_conv(x, weights, gates, bias, 0.5, padding=1), features * opened)
    close(
        gated_conv(x, weights, gates, bias, 0.5, padding=1, activation="leaky_relu"),
        np.where(features > 0, features, 0.01 * features) * opened,
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gated_conv(X, W, W[:2]), UsageError, "of one shape, not 6 x 4 x 3 x 3 and 2 x 4 x 3 x 3"),
        (lambda: gated_conv(X, W, W, activation="rlu"), UsageError, "unknown activation 'rlu'.*did you mean 'relu'"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
