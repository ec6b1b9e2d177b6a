"""What is made of missing samples: the words and numbers of `--missing`, `--min-coverage` and `--holes`.

Imports no numpy: the command line reads its choices from here before it knows whether there is anything to compute.
"""

import math
from dataclasses import dataclass

from convcli.errors import UsageError, check_word

__all__ = ["HOLES", "MISSING", "MissingOptions"]

MISSING = ("auto", "ignore", "spread")
HOLES = ("keep", "fill")


@dataclass(frozen=True)
class MissingOptions:
    """Treatment of samples that are NaN, equal the nodata value, or have the certainty 0.

    Parameters
    ----------
    missing : {'auto', 'ignore', 'spread'}
        `ignore`: the weights over known samples are renormalised; `spread`: an output is missing where a weight that is
        not zero lies on a missing sample; `auto`: `ignore` where a nodata value or a mask is given, else `spread`.
    min_coverage : float
        Of `ignore`: the least part of the weights, 0 to 1, that must lie on known samples for an output to be known.
    holes : {'keep', 'fill'}
        Of `ignore`: whether what was missing under the anchor stays missing, or takes what its neighbours give.

    Raises
    ------
    UsageError
        For an unknown word, or a coverage outside 0 to 1.

    Examples
    --------
    >>> MissingOptions().rule(marked=True), MissingOptions().rule(marked=False)
    ('ignore', 'spread')
    """

    missing: str = "auto"
    min_coverage: float = 0.0
    holes: str = "keep"

    def __post_init__(self) -> None:
        check_word("treatment of missing samples", self.missing, MISSING)
        check_word("treatment of holes", self.holes, HOLES)
        if not (math.isfinite(self.min_coverage) and 0 <= self.min_coverage <= 1):
            raise UsageError(f"the minimum coverage must be a number from 0 to 1, not {self.min_coverage}")

    def rule(self, *, marked: bool) -> str:
        """Return `ignore` or `spread`; `marked` says whether a nodata value or a mask is given."""
        if self.missing != "auto":
            return self.missing
        return "ignore" if marked else "spread"
