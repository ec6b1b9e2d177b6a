"""From a response to a picture: scale and bias, sign, bit depth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Finish:
    """What is done to each sample of a response on its way into the output; tiles are finished while still in cache.

    The order is `response * scale + bias`, times `unit` (the step from the input's units to the output's), then the
    mapping: `clip` as it is, `abs` its absolute value, `offset` mid-grey added. Integer outputs are rounded half to even
    and saturated; NaN becomes the lowest value.
    """

    dtype: np.dtype[Any]
    scale: float = 1.0
    bias: float = 0.0
    unit: float = 1.0
    mapping: str = "clip"

    @property
    def only_converts(self) -> bool:
        """Whether nothing but rounding and saturation happens, so that a backend may do it natively."""
        return self.scale == 1.0 and self.bias == 0.0 and self.unit == 1.0 and self.mapping == "clip"

    def __call__(self, response: NDArray[Any], out: NDArray[Any]) -> None:
        """Finish a float `response` into `out` (same shape). `response` is scratch afterwards."""
        gain = self.scale * self.unit
        shift = self.bias * self.unit
        if gain != 1.0:
            response *= response.dtype.type(gain)
        if shift != 0.0:
            response += response.dtype.type(shift)
        if self.mapping == "abs":
            np.abs(response, out=response)
        if self.dtype.kind == "f":
            out[...] = response
            return
        limits = np.iinfo(self.dtype)
        if self.mapping == "offset":
            response += response.dtype.type((limits.max - limits.min + 1) // 2 + limits.min)
        np.rint(response, out=response)
        # fmax and fmin, unlike clip, let a NaN fall to the limit: the cast below would be undefined for it.
        np.fmax(response, limits.min, out=response)
        np.fmin(response, limits.max, out=response)
        np.copyto(out, response, casting="unsafe")
