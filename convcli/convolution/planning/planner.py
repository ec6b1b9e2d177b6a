"""Which backend `auto` takes, and in which form each backend goes about a kernel: whatever is predicted to be fastest.

The prediction is that of planning.costs, by the coefficients of this machine's profile. It goes by the
kernel, the sizes and the options alone: not by the number of threads, nor by what happened before, so that a result
does not depend on these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from convcli.convolution.options import BACKENDS
from convcli.convolution.planning.costs import SHIPPED_CORES, Form, Load, Run, refusal, ways
from convcli.convolution.planning.profile import Profile, current_profile
from convcli.errors import UsageError

# What `auto` chooses from. torch takes seconds to load, and what it computes on depends on the machine.
CANDIDATES = tuple(name for name in BACKENDS if name not in ("auto", "torch"))


@dataclass(frozen=True)
class Choice:
    """A backend, the form in which it goes about each bank, and the seconds predicted on all cores."""

    backend: str
    forms: tuple[Form, ...]
    seconds: float
    reason: str


def choose(loads: Sequence[Load], run: Run, backend: str = "auto") -> tuple[Choice, Choice | None]:
    """Choose for banks of one size whose responses are joined: (the fastest, the next of another backend).

    Of a backend that is named, only the form is chosen.

    >>> from convcli.convolution.planning.costs import load_of
    >>> from convcli.convolution.bank import Bank
    >>> import numpy as np
    >>> best, after = choose([load_of(Bank.depthwise(np.ones((31, 31)), 1))], Run((2048, 2048)))
    >>> best.backend, best.forms[0].name, best.reason
    ('opencv', 'box', 'all weights alike, running sums')
    >>> best.seconds < after.seconds
    True

    Raises
    ------
    UsageError
        where the backend that is named cannot do this.
    """
    names = CANDIDATES if backend == "auto" else (backend,)
    ranked = _ranked(tuple(loads), run, names, ProfileKey())
    if not ranked:
        reasons = (refusal(backend, load.size, run.stride, run.dilation) for load in loads)
        raise UsageError(next(reason for reason in reasons if reason is not None))
    return ranked[0], ranked[1] if len(ranked) > 1 else None


class ProfileKey:
    """The profile in use, as a key of what goes by it: another one is not equal to it."""

    def __init__(self) -> None:
        self.profile = current_profile()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProfileKey) and other.profile is self.profile

    def __hash__(self) -> int:
        return id(self.profile)


@lru_cache(maxsize=256)
def _ranked(loads: tuple[Load, ...], run: Run, names: tuple[str, ...], key: ProfileKey) -> tuple[Choice, ...]:
    choices = [choice for name in names if (choice := _cheapest(name, loads, run, key.profile)) is not None]
    return tuple(sorted(choices, key=lambda choice: choice.seconds))


def _cheapest(backend: str, loads: tuple[Load, ...], run: Run, profile: Profile) -> Choice | None:
    """Choose the forms in which a backend does this soonest; None where it cannot."""
    total, forms = 0.0, []
    for load in loads:
        options = ways(backend, load, run)
        if not options:
            return None
        seconds = [way.seconds(profile.coefficients, SHIPPED_CORES) for way in options]
        best = min(range(len(options)), key=seconds.__getitem__)
        total += seconds[best]
        forms.append(options[best].form)
    return Choice(backend, tuple(forms), total, _reason(loads[0], forms[0], run))


def _reason(load: Load, form: Form, run: Run) -> str:
    """Say in a phrase what it is that is computed.

    >>> _reason(Load((3, 5), 15, 3, 5, 4, 2, True, False, True), Form("passes"), Run((9, 9)))
    '2 separable kernels, 3 + 5 weights each'
    """
    height, width = load.size
    if form.name == "box":
        return "all weights alike, running sums"
    if form.name == "passes":
        lengths = f"{height} + {width} weights"
        return f"separable, {lengths}" if load.products == 1 else f"{load.products} separable kernels, {lengths} each"
    if not load.shared:
        return f"{load.inputs * load.groups} channels to {load.outputs * load.groups}, {height} x {width} each"
    weights = "1 weight" if load.weights == 1 else f"{load.weights} weights"
    spread = run.span(load.size)
    return weights if load.weights * 2 > spread[0] * spread[1] else f"{weights} over {spread[0]} x {spread[1]}"
