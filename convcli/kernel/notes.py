"""Notes on parameters that fit each other badly: a size that cuts a kernel, or that nothing else follows."""

import math
from collections.abc import Mapping
from typing import Any

# Of a kernel's weight, what a size may cut off without a word.
_NEGLIGIBLE = 0.01


def size_notes(family: str, given: Mapping[str, Any], filled: Mapping[str, Any]) -> tuple[str, ...]:
    """Return notes on a size that was asked for.

    Parameters
    ----------
    family : str
        The formula.
    given : mapping
        The parameters that were given, checked; None for `auto`.
    filled : mapping
        All parameters.

    Returns
    -------
    tuple of str
        Lines that read on from the name of the kernel.

    Examples
    --------
    >>> size_notes("disk", {"size": (15, 15)}, {"size": (15, 15), "radius": 2.0})
    ('the disk is 5 weights wide in a kernel of 15x15: radius makes it larger',)
    """
    size = filled.get("size")
    if given.get("size") is None or size is None:
        return ()
    shown = f"{size[0]}x{size[1]}"
    if family == "disk":
        across = 2 * int(filled["radius"]) + 1
        if across < min(size):
            return (f"the disk is {across} weights wide in a kernel of {shown}: radius makes it larger",)
        return ()
    deviations = _deviations(family, filled)
    if deviations is None:
        return ()
    if family == "gaussian" and not any(given.get(name) for name in ("sigma", "fwhm", "sigma_x", "sigma_y")):
        return (f"sigma is not given, and taken from the size as in OpenCV: {filled['sigma']:g}",)
    kept = math.prod(
        math.erf((length // 2 + 0.5) / (math.sqrt(2.0) * deviation))
        for length, deviation in zip(size, deviations, strict=True)
    )
    if 1.0 - kept > _NEGLIGIBLE:
        enough = "x".join(str(2 * int(4.0 * deviation + 0.5) + 1) for deviation in deviations)
        return (f"a size of {shown} cuts off {1.0 - kept:.0%} of the kernel's weight: {enough} holds it",)
    return ()


def _deviations(family: str, filled: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the standard deviations along y and x of the widest Gaussian in a kernel; None where there is none."""
    if family in ("log", "mexican_hat", "unsharp"):
        return filled["sigma"], filled["sigma"]
    if family == "dog":
        return filled["ratio"] * filled["sigma"], filled["ratio"] * filled["sigma"]
    if family not in ("gaussian", "gabor"):
        return None
    along, across = filled["sigma"], filled["sigma"]
    if family == "gaussian":
        along, across = filled["sigma_x"] or along, filled["sigma_y"] or across
    else:
        across /= filled["gamma"]
    turn = math.radians(filled["theta"])
    cosine, sine = math.cos(turn), math.sin(turn)
    return math.hypot(along * sine, across * cosine), math.hypot(along * cosine, across * sine)
