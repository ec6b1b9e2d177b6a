"""`convcli explain`: sizes, costs and receptive fields of a pipeline or a kernel, and how one output is computed."""

from typing import Annotated

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import GeometryGroup, complete_kernel
from convcli.cli.options.parsing import command, parse_point, parse_size
from convcli.cli.options.pipelines import SetOption, set_constants
from convcli.errors import UsageError

_ONE_OUTPUT = "One output of a kernel"


@command
def explain_arithmetic(
    *,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="PIPELINE|IMAGE", help="A pipeline, as run takes it; or, with -k, an image.", show_default=False
        ),
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            "--kernel",
            "-k",
            metavar="SPEC",
            autocompletion=complete_kernel,
            help="Explain this kernel, as filter takes it. Given again: applied after the one before.",
        ),
    ] = None,
    constants: SetOption = None,
    input_size: Annotated[
        str | None,
        typer.Option(
            "--input-size",
            metavar="HxWxC",
            help="Of the images: rows x columns x channels, such as 224x224x3. Not needed where the pipeline says it.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="PIPELINE|SPEC", help="Set the figures of another pipeline, or kernel, beside."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="Y,X",
            help="Show the samples, weights and products of this output of IMAGE.",
            rich_help_panel=_ONE_OUTPUT,
        ),
    ] = None,
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix",
            help="Show the matrix that the kernel equals on one channel of a small image, and its transpose.",
            rich_help_panel=_ONE_OUTPUT,
        ),
    ] = False,
    gray: Annotated[
        bool, typer.Option("--gray", help="Of IMAGE, take the BT.601 luma.", rich_help_panel=_ONE_OUTPUT)
    ] = False,
    geometry: GeometryGroup,
    json: Annotated[bool, typer.Option("--json", help="As one JSON object on standard output.")] = False,
    md: Annotated[bool, typer.Option("--md", help="As Markdown on standard output.")] = False,
) -> None:
    """Show the arithmetic of a pipeline or kernel: sizes, weights, multiply-adds, receptive fields.

    Multiply-adds are those of the definition, memory is that of float32.

    [bold]Examples[/]

      convcli explain resnet18 --input-size 224x224x3
      convcli explain two_3x3.yaml --against one_5x5.yaml
      convcli explain -k gaussian:sigma=2 -k sobel_x --input-size 480x640
      convcli explain photo.png -k sobel_x --at 0,17
      convcli explain -k "1 2 1" --matrix --input-size 1x6
    """
    if json and md:
        raise UsageError("--json and --md both take standard output: choose one")
    options = geometry.convolve_options()
    from convcli.cli.views.explain import print_report, width
    from convcli.explain.request import ExplainRequest, explain_request
    from convcli.reporting.json_text import to_json

    request = ExplainRequest(
        target=target,
        kernels=kernel or [],
        constants=set_constants(constants),
        input_size=None if input_size is None else parse_size(input_size),
        against=against,
        at=None if at is None else parse_point("--at", at),
        matrix=matrix,
        gray=gray,
        options=options,
    )
    report = explain_request(request, lambda note: say(f"convcli: note: {note}"))
    if json:
        print(to_json(report.record()))
    elif md:
        print(report.markdown(width()), end="")
    else:
        print_report(report)
    for warning in report.warnings:
        say(f"convcli: warning: {warning}")
