"""Sizes: how large an output is, and how much padding it takes.

With input n, kernel k, dilation d and stride s along an axis, and K = d (k - 1) + 1, an output has
`same` ceil(n / s), `valid` floor((n - K) / s) + 1, `full` floor((n + K - 2) / s) + 1 samples.
"""

from typing import NamedTuple

from convcli.errors import FilterError, UsageError


class AxisGeometry(NamedTuple):
    """One axis of a correlation: `span` is K, `before` and `after` the padding, `output` the number of outputs.

    Output i reads the padded samples from `i * stride` to `i * stride + span - 1`.
    """

    span: int
    stride: int
    before: int
    after: int
    output: int


def axis_geometry(
    length: int, taps: int, *, anchor: int, extent: str = "same", stride: int = 1, dilation: int = 1
) -> AxisGeometry:
    """Work out one axis from its length, the kernel's taps and its anchor (in taps).

    >>> axis_geometry(10, 3, anchor=1)
    AxisGeometry(span=3, stride=1, before=1, after=1, output=10)
    >>> axis_geometry(10, 3, anchor=1, extent="valid", stride=2, dilation=2)
    AxisGeometry(span=5, stride=2, before=0, after=0, output=3)

    Raises
    ------
    UsageError
        where the anchor lies outside the kernel.
    FilterError
        where a `valid` kernel does not fit.
    """
    if not 0 <= anchor < taps:
        raise UsageError(f"anchor {anchor} lies outside a kernel of {taps}: expected 0 to {taps - 1}")
    span = dilation * (taps - 1) + 1
    if extent == "same":
        before = anchor * dilation
        after = span - 1 - before
    elif extent == "full":
        before = after = span - 1
    else:
        before = after = 0
        if span > length:
            raise FilterError(
                f"a kernel that spans {span} pixels does not fit into {length}: "
                "choose extent same or full, or a smaller kernel"
            )
    output = (length + before + after - span) // stride + 1
    return AxisGeometry(span, stride, before, after, output)


def size_formula(length: int, taps: int, output: int, *, extent: str, stride: int = 1, dilation: int = 1) -> str:
    """Write out how long an axis of the output is.

    >>> size_formula(10, 3, 5, extent="same", stride=2), size_formula(10, 3, 6, extent="valid", dilation=2)
    ('ceil(10 / 2) = 5', '10 - 2*(3 - 1) = 6')
    >>> size_formula(10, 3, 6, extent="full", stride=2)
    'floor((10 + 3 - 2) / 2) + 1 = 6'
    """
    if extent == "same":
        return f"{length} = {output}" if stride == 1 else f"ceil({length} / {stride}) = {output}"
    # K - 1 samples are lost or won, K being what the kernel spans.
    reach = f"{dilation}*({taps} - 1)" if dilation > 1 else f"{taps}"
    sign, rest = ("-", "+ 1") if extent == "valid" else ("+", "- 1")
    if stride == 1:
        return f"{length} {sign} {reach}{'' if dilation > 1 else f' {rest}'} = {output}"
    if extent == "valid":
        inner = f"{length} - {reach}{' - 1' if dilation > 1 else ''}"
    else:
        inner = f"{length} + {reach}{' - 1' if dilation > 1 else ' - 2'}"
    return f"floor(({inner}) / {stride}) + 1 = {output}"
