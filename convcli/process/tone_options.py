"""What is done to pixels before the kernels and to their response after them, and what becomes of opacity."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convcli.errors import FilterError, UsageError, check_word
from convcli.image.model import COLOURS
from convcli.kernel.model import AnyKernel, Kernel, parts_of
from convcli.process.choices import ALPHA, SIGNED


@dataclass(frozen=True)
class ToneOptions:
    """Treatment of pixels before the kernels, and of their response after them.

    Parameters
    ----------
    signed : str
        One of `SIGNED`: how a response becomes a picture.
    scale, bias : float
        What the response is multiplied by, and what is added then, in the image's own units.
    gray : bool
        Whether one channel is filtered, the BT.601 luma.
    linear : bool
        Whether the sRGB curve is undone first, and redone after.
    alpha : str
        One of `ALPHA`: what becomes of opacity.

    Raises
    ------
    UsageError
        For an unknown word, or a number that is not finite.
    """

    signed: str = "auto"
    scale: float = 1.0
    bias: float = 0.0
    gray: bool = False
    linear: bool = False
    alpha: str = "auto"

    def __post_init__(self) -> None:
        check_word("signed mapping", self.signed, SIGNED)
        check_word("alpha treatment", self.alpha, ALPHA)
        for what, value in (("scale", self.scale), ("bias", self.bias)):
            if not math.isfinite(value):
                raise UsageError(f"{what} must be finite, not {value}")


def resolve_alpha(alpha: str, kernels: Sequence[AnyKernel]) -> str:
    """Decide what becomes of opacity: `keep`, `filter`, `premultiply` or `drop`.

    `auto` premultiplies where no weight of any kernel is negative, so that blurs have no fringes, and keeps it
    otherwise, as it does where each kernel has one weight: it then goes where the colours go, which stay what they are.

    Raises
    ------
    UsageError
        where `premultiply` is asked of kernels that cannot weigh opacity: their sum is not positive, or they are
        several in one, as `sobel` is.
    """
    if alpha not in ("auto", "premultiply"):
        return alpha
    averaging = [isinstance(kernel, Kernel) and kernel.figures[0] > 0 for kernel in kernels]
    if alpha == "premultiply":
        for kernel, possible in zip(kernels, averaging, strict=True):
            if not possible:
                raise UsageError(
                    f"--alpha premultiply needs weights of a positive sum, unlike {kernel.name}: use --alpha keep"
                )
        return alpha
    if _moves(kernels):
        return "keep"
    return "premultiply" if all(averaging) and all(part.figures[2] >= 0 for part in parts_of(kernels)) else "keep"


def _moves(kernels: Sequence[AnyKernel]) -> bool:
    """Whether each kernel has one weight: the image is moved and scaled, and no sample is mixed with others."""
    return all(
        isinstance(kernel, Kernel) and kernel.products is None and np.count_nonzero(kernel.weights) == 1
        for kernel in kernels
    )


def gray_roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the roles of what luma makes of channels with `roles`.

    >>> gray_roles(("red", "green", "blue", "alpha"))
    ('gray', 'alpha')

    Raises
    ------
    FilterError
        For bands that are no colours.
    """
    alpha = ("alpha",) * roles.count("alpha")
    if roles in (("gray", *alpha), (*COLOURS, *alpha)):
        return ("gray", *alpha)
    raise FilterError(
        f"--gray makes luma of red, green and blue, and these bands are {', '.join(roles)}: choose bands with --bands"
    )
