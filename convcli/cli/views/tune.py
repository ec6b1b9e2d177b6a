"""How measuring a machine looks in a terminal: its progress, what was found, and the profile in use."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from convcli.cli.messages import say
from convcli.cli.views.text_table import columns
from convcli.convolution.planning.cost_model import COEFFICIENTS
from convcli.convolution.planning.machine_profile import MeasuredProfile, ProfileInUse
from convcli.convolution.planning.profile import SWITCH, profiles_folder


def print_measured(measured: MeasuredProfile, *, verbose: bool) -> None:
    """Print on standard error what was measured, and where it is kept."""
    for line in _errors_by_backend(measured):
        say(line)
    if verbose:
        for line in _coefficient_table(measured.coefficients):
            say(line)
    say(f"wrote {measured.path}, measured in {measured.tuned.seconds:.1f} s")


def _errors_by_backend(measured: MeasuredProfile) -> Iterator[str]:
    """Lay out how far off predictions were with the shipped coefficients, and are with the measured ones."""
    rows = [["backend", "cases", "off by, shipped", "off by, measured", ""]]
    for row in measured.tuned.rows:
        rows.append([row.backend, str(row.cases), f"{row.shipped_error:.0%}", f"{row.measured_error:.0%}", ""])
    yield from (line.rstrip() for line in columns(rows))


def _coefficient_table(measured: Mapping[str, float]) -> Iterator[str]:
    """Lay out what a unit of each cost term takes, beside what was shipped."""
    rows = [["a unit of", "takes ns", "shipped ns", "ratio", ""]]
    for term, shipped in COEFFICIENTS.items():
        ratio = f"{measured[term] / shipped:.2f}" if shipped else "-"
        rows.append([term, f"{1e9 * measured[term]:.4g}", f"{1e9 * shipped:.4g}", ratio, ""])
    yield from (line.rstrip() for line in columns(rows))


def print_profile(used: ProfileInUse) -> None:
    """Print on standard output which profile is in use, why, and its coefficients."""
    profile = used.profile
    if profile.source == "measured":
        print(f"profile: {profile.path}, measured {profile.written}")
    elif profile.problem is not None:
        print(f"profile: the shipped one; {profile.problem}")
    elif profiles_folder() is None:
        print(f"profile: the shipped one; there is no home folder to keep another in, or {SWITCH} is off")
    else:
        print("profile: the shipped one; `convcli tune` measures this machine")
    print(f"machine: {', '.join(f'{name} {value}' for name, value in used.key.items())}")
    print(f"FFTW's wisdom: {'none' if used.wisdom_bytes is None else f'{used.wisdom_bytes} bytes'}")
    for line in _coefficient_table(profile.coefficients):
        print(line)


@contextmanager
def measuring_progress(*, quiet: bool, verbose: bool) -> Iterator[Callable[[float, str], None]]:
    """Show on a terminal how far measuring has come, and elsewhere that it has begun; with `verbose`, each part."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        if not quiet:
            say("measuring this machine, which takes less than a minute")
        yield _line_a_part(say) if verbose else lambda done, what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    parts = BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    # Drawn when there is news, not by a thread of its own, whose work would be measured too.
    with Progress(*parts, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=1.0)
        print_part = _line_a_part(lambda line: bar.console.print(line, markup=False, highlight=False))

        def report(done: float, what: str) -> None:
            if verbose:
                print_part(done, what)
            bar.update(task, completed=done, description=what, refresh=True)

        yield report


def _line_a_part(write: Callable[[str], None]) -> Callable[[float, str], None]:
    """Return a report that writes a line for each part as it begins."""
    last = ""

    def report(done: float, what: str) -> None:
        nonlocal last
        if what != last:
            write(f"{done:4.0%} {what}")
        last = what

    return report
