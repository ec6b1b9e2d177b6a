"""A whole comparison: workloads made ready, candidates timed, results checked, and the report put together."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.benchmark.candidates import (
    Candidate,
    LeftOut,
    backend_candidates,
    default_backends,
    library_candidates,
    memory_task,
)
from convcli.benchmark.environment import describe_machine, describe_versions
from convcli.benchmark.measure import BUDGET, Race, Timing, race
from convcli.benchmark.memory import peak_extra_bytes
from convcli.benchmark.noise import noise_warnings
from convcli.benchmark.pictures import LARGEST_SIDE, PictureMaker
from convcli.benchmark.reference import Reference, compute_reference
from convcli.benchmark.report import Comparison, Measurement, Picture, Report, ranked, sweep_of
from convcli.benchmark.statistics import summarize
from convcli.benchmark.sweep import check_sizable, sized_spec
from convcli.benchmark.workload import Workload
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, UsageError
from convcli.image.model import depth_name
from convcli.kernel.model import CompositeKernel
from convcli.kernel.spec import load_kernel

# Seconds for all races of a run together, as far as none falls below a few.
_TOTAL_BUDGET = 60.0
_LEAST_BUDGET = 4.0
# A reference that is further off than this share of the bound can hardly judge others.
_TRUSTED = 0.25
_SMALL_SIDE = 132  # of pictures where there are many

_METHOD = (
    "Each candidate ran once to warm up, and then once a round, side by side with the others, in orders in which each "
    "comes after each other about equally often; runs below 50 ms follow one of their own that is not timed.",
    "Relative times are medians of the ratios of runs in the same round; the interval between two of the ratios holds "
    "the true median with the confidence stated (order statistics, 95% or more from 6 rounds on).",
    "Timed is the filtering of an image in memory, padding included; measuring FFT plans is timed apart.",
    "Extra memory is what one run adds to the peak of a fresh process that has the image and its libraries loaded, the "
    "output included.",
    "MP/s are 10^6 output pixels a second, GMAC/s 10^9 multiply-adds of the dense definition a second.",
)


@dataclass(frozen=True)
class CompareOptions:
    """What `convcli compare` was asked for, but for the image and the kernels.

    Parameters
    ----------
    convolve : ConvolveOptions
        Padding, extent, stride and the rest.
    backends : tuple of str or None
        Those that were named; None for all that can do it.
    runs : int or None
        Rounds; None for what time allows.
    sizes : tuple of int
        The kernel sizes of a sweep.
    plain : bool
        Whether calls of other libraries take part.
    rounded : bool
        Whether the image's own sample type is computed, and not the float response.
    memory : bool
        Whether peaks of memory are measured.
    pictures : bool
        Whether small pictures of the outputs are kept.

    Raises
    ------
    UsageError
        for fewer than one run.
    """

    convolve: ConvolveOptions = field(default_factory=ConvolveOptions)
    backends: tuple[str, ...] | None = None
    runs: int | None = None
    sizes: tuple[int, ...] = ()
    plain: bool = False
    rounded: bool = False
    memory: bool = True
    pictures: bool = False

    def __post_init__(self) -> None:
        if self.runs is not None and self.runs < 1:
            raise UsageError(f"--runs must be at least 1, not {self.runs}")


@dataclass(frozen=True, eq=False)
class _Subject:
    spec: str
    size: int | None
    case: Workload

    @property
    def title(self) -> str:
        return self.spec if self.size is None else f"{self.spec}, size {self.size}"


def compare(
    pixels: NDArray[Any],
    source: str,
    kernels: Sequence[str],
    options: CompareOptions,
    progress: Callable[[str], None] | None = None,
    command: str = "",
) -> Report:
    """Compare backends on an image (height, width, channels), with one kernel after the other.

    Parameters
    ----------
    pixels : ndarray
        The image, (height, width, channels).
    source : str
        What the report calls it.
    kernels : sequence of str
        SPECs.
    options : CompareOptions
        What is compared, and how.
    progress : callable, optional
        Called with a few words on what happens next.
    command : str
        The command that asked for it, which the report shows.

    Returns
    -------
    Report
        Everything that was found.

    Raises
    ------
    UsageError, KernelError, FilterError
        where a kernel is wrong, no backend can do the work, or none is left to compare.
    """
    tell = progress or (lambda _: None)
    subjects = list(_subjects(pixels, kernels, options))
    for subject in subjects:
        subject.case.plan("auto")  # whatever is wrong is said before anything is measured
    budget = min(BUDGET, max(_LEAST_BUDGET, _TOTAL_BUDGET / max(1, len(subjects))))
    side = LARGEST_SIDE if len(subjects) <= 2 else _SMALL_SIDE
    comparisons, races, warnings = [], [], []
    for subject in subjects:

        def tell_more(what: str, title: str = subject.title) -> None:
            tell(f"{title}: {what}")

        comparison, timings, notes = _compare_one(subject, options, budget, side, tell_more)
        comparisons.append(comparison)
        races.append((subject.title if len(subjects) > 1 else "", timings))
        warnings += notes
    return Report(
        machine=describe_machine(options.convolve.threads),
        versions=describe_versions(),
        image={"source": source, "size": list(pixels.shape), "depth": depth_name(pixels.dtype)},
        options=_option_record(options, subjects[0].case),
        method=_METHOD,
        comparisons=tuple(comparisons),
        sweeps=tuple(
            sweep_of(spec, [each for each in comparisons if each.kernel == spec])
            for spec in (dict.fromkeys(kernels) if options.sizes else ())
        ),
        warnings=(*warnings, *noise_warnings(races)),
        written=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
    )


def _subjects(pixels: NDArray[Any], kernels: Sequence[str], options: CompareOptions) -> Iterator[_Subject]:
    if not kernels:
        raise UsageError("no kernel was given: name one with --kernel, such as -k gaussian:sigma=2")
    for spec in dict.fromkeys(kernels):
        if options.sizes:
            check_sizable(spec)
        for size in options.sizes or (None,):
            kernel = load_kernel(spec if size is None else sized_spec(spec, size))
            if isinstance(kernel, CompositeKernel) and kernel.threshold:
                what = "has a threshold, at which responses jump: no bound holds for their errors"
                raise UsageError(what, where=spec, advice="compare it without")
            yield _Subject(spec, size, Workload(pixels, kernel, options.convolve, options.rounded))


def _compare_one(
    subject: _Subject, options: CompareOptions, budget: float, side: int, tell: Callable[[str], None]
) -> tuple[Comparison, list[Timing], list[str]]:
    case = subject.case
    names = options.backends or default_backends()
    candidates, left_out = backend_candidates(case, names, by_name=options.backends is not None)
    if options.plain:
        plain, without = library_candidates(case)
        candidates, left_out = candidates + plain, left_out + without
    tell("reference")
    reference = compute_reference(case.pixels, case.kernel, case.options)
    painter = PictureMaker(case.kernel, case.pixels.dtype, reference.values, side) if options.pictures else None
    errors: dict[str, float] = {}
    pictures: dict[str, Picture | None] = {}

    def inspect(name: str, result: object) -> None:
        response = np.asarray(result)
        errors[name] = reference.error(response)
        pictures[name] = None if painter is None else painter.picture(response, reference)

    outcome = race(
        [candidate.call for candidate in candidates], options.runs, budget=budget, inspect=inspect, progress=tell
    )
    left_out += [LeftOut(name, reason) for name, reason in outcome.failures.items()]
    rows = _rows(subject, candidates, outcome, reference, errors, pictures)
    if not rows:
        reasons = "; ".join(f"{out.name}: {out.reason}" for out in left_out)
        raise FilterError(f"{subject.title}: there is nobody to compare: {reasons}")
    if options.memory:
        by_name = {candidate.name: candidate for candidate in candidates}
        for place, row in enumerate(rows):
            tell(f"memory of {row.backend}")
            rows[place] = replace(row, peak_extra_bytes=peak_extra_bytes(*memory_task(by_name[row.backend], case)))
    order = {name: place for place, name in enumerate(names)}
    rows.sort(key=lambda row: order.get(row.backend, len(order)))
    height, width, channels = reference.values.shape
    comparison = Comparison(
        kernel=subject.spec,
        kernel_size=case.kernel_size,
        rows=ranked(rows),
        left_out=tuple(sorted(left_out, key=lambda out: order.get(out.name, len(order)))),
        output_size=(height, width, channels),
        reference=reference.method,
        bound=reference.bound,
        size=subject.size,
        picture=None if painter is None else painter.output(reference.values),
        gain=1.0 if painter is None else painter.gain,
    )
    return comparison, outcome.timings, list(_warnings(subject, outcome, reference))


def _rows(
    subject: _Subject,
    candidates: Sequence[Candidate],
    outcome: Race,
    reference: Reference,
    errors: dict[str, float],
    pictures: dict[str, Picture | None],
) -> list[Measurement]:
    by_name = {candidate.name: candidate for candidate in candidates}
    planning = {timing.name: timing.plan_seconds for timing in outcome.timings}
    height, width, channels = reference.values.shape
    multiply_adds = subject.case.multiply_adds((height, width, channels))
    rows = []
    for timing in outcome.timings:
        candidate = by_name[timing.name]
        seconds = summarize(timing.runs)
        # What `auto` chose may have been planned for by the time that it came.
        spent = max(timing.plan_seconds, planning.get(candidate.chosen or "", 0.0))
        rows.append(
            Measurement(
                kernel=subject.spec,
                kernel_size=subject.case.kernel_size,
                backend=timing.name,
                timing=timing,
                seconds=seconds,
                megapixels_per_second=_rate(height * width / 1e6, seconds.median),
                gigamacs_per_second=_rate(multiply_adds / 1e9, seconds.median),
                max_abs_error=errors[timing.name],
                allowed_error=reference.allowed(subject.case.dtype),
                plan_seconds=spent,
                plain=candidate.plain,
                chosen=candidate.chosen,
                form=candidate.form,
                reason=candidate.reason,
                predicted_seconds=candidate.predicted_seconds,
                picture=pictures[timing.name],
            )
        )
    return rows


def _rate(amount: float, seconds: float) -> float:
    return amount / seconds if seconds > 0 else math.nan


def _warnings(subject: _Subject, outcome: Race, reference: Reference) -> Iterator[str]:
    most = max((len(timing.rounds) for timing in outcome.timings), default=0)
    slow = [timing for timing in outcome.timings if timing.cut and timing.rounds]
    if slow:
        counts = sorted({len(timing.rounds) for timing in slow})
        told = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        names = ", ".join(timing.name for timing in slow)
        yield f"{subject.title}: {told} of {most} rounds, for they are slow: {names}"
    for timing in outcome.timings:
        if not timing.rounds:
            yield f"{subject.title}: {timing.name} ran only once, {timing.runs[0]:.1f} s: its first run counts"
    if reference.checked_error > _TRUSTED * reference.bound:
        share = reference.checked_error / reference.bound
        yield f"{subject.title}: the reference itself is off by {share:.2f} of the bound: trust no small error here"


def _option_record(options: CompareOptions, case: Workload) -> dict[str, Any]:
    convolve = options.convolve
    value = convolve.padding_value
    return {
        "padding": convolve.padding,
        "padding_value": list(value) if isinstance(value, tuple) else value,
        "extent": convolve.extent,
        "flip": convolve.flip,
        "anchor": None if convolve.anchor is None else list(convolve.anchor),
        "stride": list(convolve.stride),
        "dilation": list(convolve.dilation),
        "precision": convolve.precision,
        "device": convolve.device,
        "depth": case.depth,
        "runs": options.runs,
    }
