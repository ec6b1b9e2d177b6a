"""`convcli kernels fit`: the kernel that turns one image into another."""

from typing import Annotated

import typer

from convcli.cli.commands.kernels.shared import (
    ForceOption,
    JsonOption,
    checked_target,
    print_json,
    write_kernel,
)
from convcli.cli.messages import say
from convcli.cli.options.parsing import OptionGroup, command, number, parse_pair, parse_point
from convcli.errors import UsageError
from convcli.kernel.files.notations import written_notation


class FittingGroup(OptionGroup):
    """What kernel is looked for, and in what of the images."""

    size: Annotated[str, typer.Option("--size", metavar="N|HxW", help="Of the kernel, such as 7 or 1x9.")]
    bias: Annotated[bool, typer.Option("--bias", help="Fit a constant that is added to the response, too.")] = False
    ridge: Annotated[
        float,
        typer.Option(
            "--ridge",
            metavar="L",
            parser=number,
            help="Dislike large weights, by this part of the image's energy, such as 1e-6.",
            show_default="0",
        ),
    ] = 0.0
    symmetric: Annotated[
        str,
        typer.Option(
            "--symmetric",
            metavar="KIND",
            help="left-right, up-down, both, point (half turns), quarter (turns), full (turns and mirrors) or radial.",
            show_default="none",
        ),
    ] = "none"
    total: Annotated[
        float | None,
        typer.Option("--sum", metavar="V", parser=number, help="What the weights are to sum to.", show_default="any"),
    ] = None
    anchor: Annotated[
        str | None,
        typer.Option(
            "--anchor", metavar="Y,X", help="The element over the output pixel, rows first.", show_default="the middle"
        ),
    ] = None
    gray: Annotated[bool, typer.Option("--gray", help="Fit to the BT.601 luma of both.")] = False


@command
def fit_to_images(
    *,
    images: Annotated[
        list[str], typer.Argument(metavar="BEFORE AFTER...", help="An image and its response, or several such pairs.")
    ],
    fitting: FittingGroup,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it as a kernel file; - is standard output."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find the kernel that best turns one image into another, by least squares.

    All channels have one kernel. Pixels are left out where the window reaches
    beyond the image, and where AFTER is saturated.

    [bold]Example[/]

      convcli kernels fit sharp.png blurred.png --size 7 -o blur.yaml
    """
    from convcli.kernel.fitting import FitOptions
    from convcli.process.kernel_fitting import fit_files, kernel_of, record

    if as_json and output == "-":
        raise UsageError("--json and -o - both take standard output: leave one out")
    options = FitOptions(
        size=parse_pair("--size", fitting.size.replace("x", ","), least=1),
        anchor=None if fitting.anchor is None else parse_point("--anchor", fitting.anchor),
        bias=fitting.bias,
        ridge=fitting.ridge,
        symmetry=fitting.symmetric,
        total=fitting.total,
    )
    target = checked_target(output, force=force, inputs=images)
    notation = written_notation(target)
    found = fit_files(images, options, gray=fitting.gray)
    kernel = kernel_of(found, options, images)
    if as_json:
        print_json(record(found, options, images))
    elif output != "-":
        from convcli.cli.views.kernels import print_fit

        print_fit(kernel, found, options)
    for warning in found.warnings:
        say(f"convcli: warning: {warning}")
    if output is not None:
        write_kernel(kernel, "", target, notation)
