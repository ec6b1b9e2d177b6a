"""`convcli tune`: what each way of computing costs on this machine, measured once and kept."""

from typing import Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import MessagesGroup
from convcli.cli.options.parsing import Only, command
from convcli.errors import UsageError


@command
def tune_machine(
    *,
    show: Annotated[
        bool, typer.Option("--show", help="Show the profile in use beside the shipped one; measure nothing.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Delete this machine's profile: the shipped one serves again.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on standard output.")] = False,
    messages: Annotated[MessagesGroup, Only("quiet", "verbose")],
) -> None:
    """Measure this machine, so that auto chooses by what things cost here.

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
    if show and reset:
        raise UsageError("--show and --reset exclude each other", advice="choose one")
    if show:
        _show(json=json)
    elif reset:
        _reset(json=json, quiet=messages.quiet)
    else:
        _tune(json=json, quiet=messages.quiet, verbose=messages.verbose)


def _tune(*, json: bool, quiet: bool, verbose: bool) -> None:
    from convcli.cli.views.tune import measuring_progress, print_measured
    from convcli.convolution.planning.machine_profile import measure_profile
    from convcli.convolution.planning.profile import check_writable

    check_writable()
    with measuring_progress(quiet=quiet, verbose=verbose) as report:
        measured = measure_profile(report)
    if not quiet:
        print_measured(measured, verbose=verbose)
    if json:
        _print_json(measured.record())


def _show(*, json: bool) -> None:
    from convcli.cli.views.tune import print_profile
    from convcli.convolution.planning.machine_profile import profile_in_use

    used = profile_in_use()
    if json:
        _print_json(used.record())
    else:
        print_profile(used)


def _reset(*, json: bool, quiet: bool) -> None:
    from convcli.convolution.planning.profile import reset

    deleted = reset()
    if not quiet:
        for path in deleted:
            say(f"deleted {path}")
        if not deleted:
            say("convcli: note: there is no profile of this machine to delete")
    if json:
        _print_json({"deleted": [str(path) for path in deleted]})


def _print_json(value: Any) -> None:
    from convcli.reporting.json_text import to_json

    print(to_json(value, indent=2))
