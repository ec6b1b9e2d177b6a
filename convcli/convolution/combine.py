"""How the responses of several kernels become one: sobel's magnitude, kirsch's strongest direction."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def combine_responses(responses: Sequence[NDArray[Any]], how: str) -> NDArray[Any]:
    """Combine responses of one shape, sample by sample, in place of the first.

    `magnitude` is the root of the sum of squares, `max` the largest, `maxabs` the largest absolute value.

    >>> combine_responses([np.array([3.0, -1.0]), np.array([4.0, 0.5])], "magnitude").round(3).tolist()
    [5.0, 1.118]
    """
    total = responses[0]
    if how == "magnitude":
        # hypot never overflows, but is 20 times slower than this; filter responses stay far from 1e19.
        np.multiply(total, total, out=total)
        for response in responses[1:]:
            np.multiply(response, response, out=response)
            total += response
        np.sqrt(total, out=total)
        return total
    if how == "maxabs":
        np.abs(total, out=total)
    for response in responses[1:]:
        if how == "sum":
            total += response
        else:
            np.maximum(total, np.abs(response, out=response) if how == "maxabs" else response, out=total)
    return total
