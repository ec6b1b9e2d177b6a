"""`convcli kernels show`: one kernel or several, with all that is known of them, or as a plot."""

from typing import Annotated

import typer

from convcli.cli.commands.kernels.shared import SPEC_HELP, ForceOption, JsonOption, load_noting, print_json
from convcli.cli.options.groups import complete_kernel
from convcli.cli.options.parsing import command
from convcli.errors import UsageError


@command
def show_kernel(
    *,
    specs: Annotated[list[str], typer.Argument(metavar="SPEC...", help=SPEC_HELP, autocompletion=complete_kernel)],
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw them side by side into FILE.png, .svg or .html: weights, profiles, frequency response, "
            "impulse and step, a test card.",
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the plot when it is written.")] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show kernels: weights in colour, a small picture, sum, rank, formula and parameters; or as a plot.

    [bold]Examples[/]

      convcli kernels show gabor:theta=45
      convcli kernels show sobel_x scharr_x --plot derivatives.svg
    """
    if plot is None and (open_it or force):
        raise UsageError(f"{'--open' if open_it else '--force'} is for a plot", advice="add --plot FILE")
    if plot is not None and as_json:
        raise UsageError("--plot and --json are two ways to show a kernel: choose one")
    _check_specs(specs)
    kernels = [load_noting(spec) for spec in specs]
    if plot is not None:
        from convcli.cli.messages import say
        from convcli.cli.opening import open_file
        from convcli.kernel.catalogue import is_file
        from convcli.kernel.spec import split_spec
        from convcli.system.output_file import check_destination
        from convcli.visual.kernel_plot import plot_suffix, write_plot

        plot_suffix(plot)
        files = [path for path, _ in map(split_spec, specs) if is_file(path)]
        check_destination(plot, "overwrite" if force else "error", files)
        write_plot(plot, dict(zip(specs, kernels, strict=True)))
        say(f"wrote {plot}")
        if open_it:
            open_file(plot)
        return
    for place, kernel in enumerate(kernels):
        if as_json:
            from convcli.kernel.describe import describe

            print_json(describe(kernel))
        else:
            from convcli.cli.views.kernels import print_kernel

            if place:
                print()
            print_kernel(kernel)


def _check_specs(specs: list[str]) -> None:
    """Refuse parameters that stand apart from their kernel, as in `gaussian sigma=2`. Raises UsageError."""
    apart = [spec for spec in specs[1:] if "=" in spec and ":" not in spec]
    if apart:
        from convcli.cli.advice.kernels import with_parameter

        spec = with_parameter(specs[0], ",".join(apart))
        raise UsageError(f"{apart[0]} is no kernel; a kernel's parameters belong to it: {spec}")
