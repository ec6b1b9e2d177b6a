"""Strategies for kernels."""

from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

_finite = st.floats(allow_nan=False, allow_infinity=False)

# Arrays of up to 4 x 4 finite numbers, subnormal ones and both zeros included, whose sum is finite.
any_weights = arrays(
    float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=_finite.filter(lambda value: abs(value) < 1e307)
)
