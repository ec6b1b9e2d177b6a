"""Which backend `auto` takes, and in which form each backend goes about a kernel: whatever is predicted to be fastest.

The prediction is that of the cost model, by the coefficients of this machine's profile. It goes by the kernel, the
sizes and the options alone: not by the number of threads, nor by what happened before, so that a result does not depend
on these.

To ask a backend imports its module. The least that each could take is therefore estimated from its entry in the
registry first, and those that could not win are not asked.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from convcli.convolution.backends.base import get_backend
from convcli.convolution.backends.registry import BackendEntry, automatic_backends, entry_of
from convcli.convolution.planning.cost_model import (
    SHIPPED_CORES,
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    tile_terms,
)
from convcli.convolution.planning.profile import Profile, current_profile
from convcli.errors import UsageError


class PlannedBackend(NamedTuple):
    """A backend, the form in which it goes about each bank, and the seconds predicted on all cores."""

    backend: str
    forms: tuple[ComputingForm, ...]
    seconds: float
    reason: str


class ProfileKey:
    """The profile in use, as a key of what goes by it: another one is not equal to it."""

    def __init__(self) -> None:
        self.profile = current_profile()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProfileKey) and other.profile is self.profile

    def __hash__(self) -> int:
        return id(self.profile)


class RunnerUp(Sequence[Any]):
    """The next best backend as the pair (name, predicted seconds).

    It is found when it is first read, since most runs do not show it, and finding it asks every backend. It travels
    between processes as a plain pair.
    """

    def __init__(self, summaries: tuple[BankSummary, ...], request: CorrelationRequest, best: str) -> None:
        self._asked = summaries, request, best
        self._key = ProfileKey()

    def _pair(self) -> tuple[str, float]:
        summaries, request, best = self._asked
        ranked = _ranked(summaries, request, self._key)
        return next((each.backend, each.seconds) for each in ranked if each.backend != best)

    def __getitem__(self, index: Any) -> Any:
        return self._pair()[index]

    def __len__(self) -> int:
        return 2

    def __reduce__(self) -> Any:
        return tuple, (self._pair(),)


def choose(
    summaries: Sequence[BankSummary], request: CorrelationRequest, backend: str = "auto"
) -> tuple[PlannedBackend, RunnerUp | None]:
    """Choose for banks of one size whose responses are joined: (the fastest, the next of another backend).

    Of a backend that is named, only the form is chosen, and there is no next one.

    >>> from convcli.convolution.planning.cost_model import summarize
    >>> from convcli.convolution.bank import Bank
    >>> import numpy as np
    >>> summary = summarize(Bank.depthwise(np.ones((31, 31)), 1))
    >>> best, (backend, seconds) = choose([summary], CorrelationRequest((2048, 2048)))
    >>> best.backend, best.forms[0].name, best.reason
    ('opencv', 'box', 'all weights alike, running sums')
    >>> best.seconds < seconds
    True

    Raises
    ------
    UsageError
        where the backend that is named cannot do this.
    """
    asked = tuple(summaries)
    if backend == "auto":
        fastest = _fastest(asked, request, ProfileKey())
        return fastest, RunnerUp(asked, request, fastest.backend)
    named = _cheapest(backend, asked, request, current_profile())
    if named is None:
        reasons = (get_backend(backend).refusal(each.size, request.stride, request.dilation) for each in asked)
        raise UsageError(next(reason for reason in reasons if reason is not None))
    return named, None


@lru_cache(maxsize=256)
def _fastest(summaries: tuple[BankSummary, ...], request: CorrelationRequest, key: ProfileKey) -> PlannedBackend:
    """Ask the backends in the order of the least that they could take, until no other could win."""
    least = {
        name: sum(least_seconds(entry_of(name), each, request, key.profile) for each in summaries)
        for name in automatic_backends()
    }
    best: PlannedBackend | None = None
    for name in sorted(least, key=least.__getitem__):
        if best is not None and best.seconds <= least[name]:
            break
        planned = _cheapest(name, summaries, request, key.profile)
        if planned is not None and (best is None or planned.seconds < best.seconds):
            best = planned
    assert best is not None  # most backends refuse nothing
    return best


@lru_cache(maxsize=256)
def _ranked(
    summaries: tuple[BankSummary, ...], request: CorrelationRequest, key: ProfileKey
) -> tuple[PlannedBackend, ...]:
    """Ask all backends, and rank them from the fastest on."""
    planned = (_cheapest(name, summaries, request, key.profile) for name in automatic_backends())
    return tuple(sorted((each for each in planned if each is not None), key=lambda each: each.seconds))


def least_seconds(entry: BackendEntry, summary: BankSummary, request: CorrelationRequest, profile: Profile) -> float:
    """Return seconds that no form of a backend is predicted to fall below, from its entry in the registry alone."""
    coefficients, name = profile.coefficients, entry.name
    once = coefficients[f"{name}.run"]
    if request.cold:
        once += coefficients.get(f"{name}.load", 0.0)
    if entry.whole_images and request.whole is not None:
        return once
    terms = tile_terms(summary, request, strides=False)
    if summary.shared and summary.weights:
        terms.update(dict.fromkeys((f"{name}.{term}" for term in entry.each_sample), request.units * summary.channels))
    shared = sum(coefficients[term] * count for term, count in terms.items())
    # Cores share tiles at best evenly, and each tile takes a call.
    call = coefficients[f"{name}.call"] if summary.weights else 0.0
    return once + shared / SHIPPED_CORES + call


def _cheapest(
    backend: str, summaries: tuple[BankSummary, ...], request: CorrelationRequest, profile: Profile
) -> PlannedBackend | None:
    """Choose the forms in which a backend does this soonest; None where it cannot."""
    total, forms = 0.0, []
    for summary in summaries:
        options = get_backend(backend).costed_forms(summary, request)
        if not options:
            return None
        seconds = [each.seconds(profile.coefficients, SHIPPED_CORES) for each in options]
        best = min(range(len(options)), key=seconds.__getitem__)
        total += seconds[best]
        forms.append(options[best].form)
    return PlannedBackend(backend, tuple(forms), total, _reason(summaries[0], forms[0], request))


def _reason(summary: BankSummary, form: ComputingForm, request: CorrelationRequest) -> str:
    """Describe in a phrase what it is that is computed.

    >>> summary = BankSummary((3, 5), 15, 3, 5, 4, 2, mirrored=True, box=False, shared=True)
    >>> _reason(summary, ComputingForm("passes"), CorrelationRequest((9, 9)))
    '2 separable kernels, 3 + 5 weights each'
    """
    height, width = summary.size
    if form.name == "box":
        return "all weights alike, running sums"
    if form.name == "passes":
        lengths = f"{height} + {width} weights"
        return (
            f"separable, {lengths}"
            if summary.products == 1
            else f"{summary.products} separable kernels, {lengths} each"
        )
    if not summary.shared:
        return f"{summary.channels} channels to {summary.outputs * summary.groups}, {height} x {width} each"
    weights = "1 weight" if summary.weights == 1 else f"{summary.weights} weights"
    spread = request.span(summary.size)
    return weights if summary.weights * 2 > spread[0] * spread[1] else f"{weights} over {spread[0]} x {spread[1]}"
