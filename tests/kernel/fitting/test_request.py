"""What is asked of a fit is checked before anything is computed."""

import numpy as np
import pytest

from convcli.errors import FilterError, UsageError
from convcli.kernel.fitting import FitOptions, Pair, fit_kernel


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ((4, 20, 1), (4, 20, 1), r"a: no window of 5x5 lies within an image of 4x20"),
        ((20, 20, 3), (20, 20, 1), r"a: 3 channels before and 1 after"),
        (
            (20, 20, 1),
            (20, 19, 1),
            r"a: 20x20 before and 20x19 after: expected the same size, or 16x16 of",
        ),
    ],
)
def test_sizes_that_do_not_match_are_refused(before, after, message):
    with pytest.raises(FilterError, match=message):
        fit_kernel([Pair(np.zeros(before), np.zeros(after), name="a")], FitOptions((5, 5)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 3)}, "--size 0x3: a kernel has at least one row"),
        ({"size": (100, 100)}, "--size 100x100: at most 4096 weights are fitted"),
        ({"size": (3, 3), "anchor": (3, 0)}, "--anchor 3,0: outside a kernel of 3x3"),
        ({"size": (3, 3), "ridge": -1.0}, "--ridge -1: must be zero or a positive number"),
        ({"size": (3, 3), "ridge": float("nan")}, "--ridge nan: must be"),
        ({"size": (3, 3), "total": float("inf")}, "--sum inf: must be finite"),
        ({"size": (3, 3), "symmetry": "radail"}, "unknown symmetry 'radail'.*did you mean 'radial'"),
        ({"size": (3, 5), "symmetry": "full"}, "--symmetric full: turns rows into columns, which 3x5 cannot"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        FitOptions(**options)
