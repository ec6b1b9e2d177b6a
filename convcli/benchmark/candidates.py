"""What `convcli compare` compares: `auto`, each backend, and calls of other libraries one would write instead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from convcli.benchmark.library_calls import LIBRARY_CALLS, library_run
from convcli.benchmark.measure import TimedCall
from convcli.benchmark.workload import Arrays, Workload
from convcli.convolution.backends.registry import REGISTRY
from convcli.convolution.options import BACKENDS
from convcli.errors import ConvcliError, UsageError, nearest

# Seconds of one run that are too long for somebody who did not ask for it by name.
TOO_LONG = 60.0


@dataclass(frozen=True)
class Candidate:
    """A timed call, and what the report says of it.

    Parameters
    ----------
    call : TimedCall
        What is timed.
    plain : bool
        Whether it is a call of another library.
    chosen : str or None
        The backend that does the work; None for another library.
    form : str or None
        How it computes the kernel: `dense`, `passes` or `box`; None for another library.
    reason : str
        Why that backend, or how the call of a library is written.
    predicted_seconds : float or None
        What one run was expected to take; None for another library.
    """

    call: TimedCall
    plain: bool = False
    chosen: str | None = None
    form: str | None = None
    reason: str = ""
    predicted_seconds: float | None = None

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.call.name


@dataclass(frozen=True)
class LeftOut:
    """A backend or library call that does not take part, and why, in one line."""

    name: str
    reason: str


def parse_backends(text: str) -> tuple[str, ...]:
    """Read the names of backends, separated by commas.

    >>> parse_backends("auto, fft,auto")
    ('auto', 'fft')

    Raises
    ------
    UsageError
        for a name that is none, or no name at all.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"--backends is empty: name some of {', '.join(BACKENDS)}")
    for name in names:
        if name not in BACKENDS:
            raise UsageError(
                f"--backends: unknown backend {name!r}: expected {', '.join(BACKENDS)}{nearest(name, BACKENDS)}"
            )
    return names


def default_backends() -> tuple[str, ...]:
    """Return the backends that are compared by default: all whose libraries are installed."""
    return ("auto", *(entry.name for entry in REGISTRY if entry.installed))


def backend_candidates(case: Workload, names: Sequence[str], *, by_name: bool) -> tuple[list[Candidate], list[LeftOut]]:
    """Return the backends that can do a workload, and those left out; `by_name` marks backends that were asked for.

    `auto` comes last: it would otherwise measure transforms on behalf of the backend that it chose.

    Parameters
    ----------
    case : Workload
        The work.
    names : sequence of str
        Names of backends.
    by_name : bool
        Whether they were asked for: else one that would take longer than a minute a run is left out.

    Returns
    -------
    candidates : list of Candidate
        Those that take part.
    left_out : list of LeftOut
        The others, each with the reason.

    Raises
    ------
    UsageError, FilterError
        where no backend can do it, because of the image, the kernel or the options.
    """
    case.plan("auto")
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    for name in sorted(names, key=lambda name: name == "auto"):
        try:
            plan = case.plan(name)
        except ConvcliError as error:
            left_out.append(LeftOut(name, str(error)))
            continue
        if plan.seconds > TOO_LONG and not (by_name or name == "auto"):
            reason = f"{_about(plan.seconds)} a run are predicted: name it in --backends to have it run nonetheless"
            left_out.append(LeftOut(name, reason))
            continue
        call = TimedCall(name, partial(plan.run, case.pixels), plan.measure)
        candidates.append(
            Candidate(
                call,
                chosen=plan.backend,
                form=plan.form,
                reason=plan.reason,
                predicted_seconds=plan.seconds,
            )
        )
    return candidates, left_out


def library_candidates(case: Workload) -> tuple[list[Candidate], list[LeftOut]]:
    """Return the calls of OpenCV and SciPy that can express a workload, and those left out."""
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    for call in LIBRARY_CALLS:
        reason = call.refusal(case)
        seconds = call.seconds_a_multiply_add * case.multiply_adds(
            (case.pixels.shape[0], case.pixels.shape[1], case.pixels.shape[2])
        )
        if reason is None and seconds > TOO_LONG:
            reason = f"would take about {_about(seconds)} a run"
        if reason is None:
            candidates.append(Candidate(TimedCall(call.name, library_run(call, case)), plain=True, reason=call.written))
        else:
            left_out.append(LeftOut(call.name, reason))
    return candidates, left_out


def ready_backend(arrays: Arrays, data: dict[str, Any]) -> Callable[[], object]:
    """Return a function that runs a workload by the backend `data["name"]`, after a first run on a small picture."""
    case = Workload.from_data(arrays, data)
    small = case.small()
    small.plan(data["name"]).run(small.pixels)
    return partial(case.plan(data["name"]).run, case.pixels)


def ready_library_call(arrays: Arrays, data: dict[str, Any]) -> Callable[[], object]:
    """Return a function that runs a workload by the library call `data["name"]`, after a run on a small picture."""
    case = Workload.from_data(arrays, data)
    call = next(call for call in LIBRARY_CALLS if call.name == data["name"])
    library_run(call, case.small())()
    return library_run(call, case)


def memory_task(candidate: Candidate, case: Workload) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Describe one run of an candidate for `memory.peak_extra_bytes`: function, arrays, arguments."""
    arrays, data = case.to_data()
    ready = ready_library_call if candidate.plain else ready_backend
    return f"{__name__}:{ready.__name__}", arrays, data | {"name": candidate.name}


def _about(seconds: float) -> str:
    """Round a time to what one would say.

    >>> _about(75), _about(400)
    ('75 s', '7 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
