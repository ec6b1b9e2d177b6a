"""Steps that take each sample by itself."""

from typing import ClassVar

import numpy as np

from convcli.pipeline.step import Maps, Step


class Relu(Step, frozen=True):
    """Negative samples become 0, the others stay: `max(x, 0)`.

        - relu

    NaN stays NaN, as in torch.nn.functional.relu. Nair and Hinton (2010).
    """

    name: ClassVar[str] = "relu"

    def run(self, *inputs: Maps) -> Maps:
        return np.maximum(inputs[0], np.float32(0))
