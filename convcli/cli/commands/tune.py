"""`convcli tune`: what each way of computing costs on this machine, measured once and kept."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options.shared import QuietOption, VerboseOption
from convcli.errors import UsageError

if TYPE_CHECKING:
    from convcli.convolution.planning.tuning import Tuned

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)

Show = Annotated[bool, typer.Option("--show", help="Show the profile in use beside the shipped one; measure nothing.")]
Reset = Annotated[bool, typer.Option("--reset", help="Delete this machine's profile: the shipped one serves again.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on standard output.")]


@app.command("tune")
def tune_machine(
    *,
    show: Show = False,
    reset: Reset = False,
    json: AsJson = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Measure this machine, so that --backend auto goes by what things cost here.

    Takes less than a minute; let the machine do nothing else meanwhile. The
    profile goes to $XDG_CACHE_HOME/convcli/profiles (~/.cache by default),
    with what FFTW has learnt. Later runs use it on this processor, with as
    many threads and the same versions of numpy, OpenCV and pyFFTW; with
    CONVCLI_PROFILE=off in the environment they use the shipped one.

    [bold]Examples[/]

      convcli tune
      convcli tune --show
      CONVCLI_PROFILE=off convcli filter photo.png -k log --dry-run
    """
    if quiet and verbose:
        raise UsageError("--quiet and --verbose exclude each other: choose one")
    if show and reset:
        raise UsageError("--show and --reset exclude each other: choose one")
    if show:
        _show(json)
    elif reset:
        _reset(json, quiet)
    else:
        _tune(json, quiet, verbose)


def _tune(json: bool, quiet: bool, verbose: bool) -> None:
    from convcli.convolution.planning.cost_model import COEFFICIENTS
    from convcli.convolution.planning.profile import check_writable, save_profile
    from convcli.convolution.planning.tuning import tune

    check_writable()
    with _progress(quiet, verbose) as report:
        tuned = tune(report=report)
    path = save_profile(tuned.coefficients, tuned.wisdom)
    if not quiet:
        for line in _summary(tuned):
            say(line)
        if verbose:
            for line in _coefficients({**COEFFICIENTS, **tuned.coefficients}):
                say(line)
        say(f"wrote {path}, measured in {tuned.seconds:.1f} s")
    if json:
        backends = [
            {
                "backend": row.backend,
                "cases": row.cases,
                "median_error_shipped": row.shipped_error,
                "median_error_measured": row.measured_error,
            }
            for row in tuned.rows
        ]
        measured = {**COEFFICIENTS, **tuned.coefficients}
        _print_json({"path": str(path), "seconds": tuned.seconds, "backends": backends, "coefficients": measured})


def _summary(tuned: "Tuned") -> Iterator[str]:
    """Tell how far off predictions were with the shipped coefficients, and are with the measured ones."""
    from convcli.cli.views.text_table import columns

    head = ["backend", "cases", "off by, shipped", "off by, measured", ""]
    rows = [
        [row.backend, str(row.cases), f"{row.shipped_error:.0%}", f"{row.measured_error:.0%}", ""] for row in tuned.rows
    ]
    yield from columns([head, *rows])


def _coefficients(measured: Mapping[str, float]) -> Iterator[str]:
    """Lay out what a unit of each cost term takes, beside what was shipped."""
    from convcli.cli.views.text_table import columns
    from convcli.convolution.planning.cost_model import COEFFICIENTS

    rows = [["a unit of", "takes ns", "shipped ns", "ratio", ""]]
    for term, shipped in COEFFICIENTS.items():
        ratio = f"{measured[term] / shipped:.2f}" if shipped else "-"
        rows.append([term, f"{1e9 * measured[term]:.4g}", f"{1e9 * shipped:.4g}", ratio, ""])
    yield from columns(rows)


def _show(json: bool) -> None:
    from convcli.convolution.planning.cost_model import COEFFICIENTS
    from convcli.convolution.planning.profile import (
        SWITCH,
        WISDOM_SUFFIX,
        current_profile,
        profile_key,
        profiles_folder,
    )

    profile, key = current_profile(), profile_key()
    wisdom = None if profile.path is None else profile.path.with_suffix(WISDOM_SUFFIX)
    stored = wisdom.stat().st_size if wisdom is not None and wisdom.is_file() else None
    if json:
        _print_json(
            {
                "source": profile.source,
                "path": None if profile.path is None else str(profile.path),
                "written": profile.written,
                "problem": profile.problem,
                "key": key,
                "wisdom_bytes": stored,
                "coefficients": dict(profile.coefficients),
                "shipped_coefficients": COEFFICIENTS,
            }
        )
        return
    if profile.source == "measured":
        print(f"profile: {profile.path}, measured {profile.written}")
    elif profile.problem is not None:
        print(f"profile: the shipped one; {profile.problem}")
    elif profiles_folder() is None:
        print(f"profile: the shipped one; there is no home folder to keep another in, or {SWITCH} is off")
    else:
        print("profile: the shipped one; `convcli tune` measures this machine")
    print(f"machine: {', '.join(f'{name} {value}' for name, value in key.items())}")
    print(f"FFTW's wisdom: {'none' if stored is None else f'{stored} bytes'}")
    for line in _coefficients(profile.coefficients):
        print(line)


def _reset(json: bool, quiet: bool) -> None:
    from convcli.convolution.planning.profile import reset

    deleted = reset()
    if not quiet:
        for path in deleted:
            say(f"deleted {path}")
        if not deleted:
            say("convcli: note: there is no profile of this machine to delete")
    if json:
        _print_json({"deleted": [str(path) for path in deleted]})


@contextmanager
def _progress(quiet: bool, verbose: bool) -> Iterator[Callable[[float, str], None]]:
    """Show on a terminal how far measuring has come, and elsewhere that it has begun; tell each part if `verbose`."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        if not quiet:
            say("measuring this machine, which takes less than a minute")
        yield _teller(say) if verbose else lambda done, what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    parts = BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    # Drawn when there is news, not by a thread of its own, whose work would be measured too.
    with Progress(*parts, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=1.0)
        tell = _teller(lambda line: bar.console.print(line, markup=False, highlight=False))

        def report(done: float, what: str) -> None:
            if verbose:
                tell(done, what)
            bar.update(task, completed=done, description=what, refresh=True)

        yield report


def _teller(write: Callable[[str], None]) -> Callable[[float, str], None]:
    """Make a report that writes a line for each part as it begins."""
    last = ""

    def tell(done: float, what: str) -> None:
        nonlocal last
        if what != last:
            write(f"{done:4.0%} {what}")
        last = what

    return tell


def _print_json(value: Any) -> None:
    import json

    print(json.dumps(value, indent=2, allow_nan=False))
