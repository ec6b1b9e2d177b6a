"""`convcli kernels`: list, show, check, export, compose and fit kernels."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options.shared import complete_kernel, parse_pair, parse_point
from convcli.errors import UsageError

if TYPE_CHECKING:
    from convcli.kernel.model import AnyKernel

app = typer.Typer(
    name="kernels",
    help="List, show, check, export, compose and fit kernels.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


_SPEC_HELP = (
    "A name (sobel_x), with parameters (gaussian:sigma=2), a YAML file, or weights ('0 -1 0; -1 5 -1; 0 -1 0')."
)
Spec = Annotated[str, typer.Argument(metavar="SPEC", help=_SPEC_HELP, autocompletion=complete_kernel)]
Specs = Annotated[list[str], typer.Argument(metavar="SPEC...", help=_SPEC_HELP, autocompletion=complete_kernel)]
Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Kernel files to check.")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write it.", show_default="standard output"),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace the file where it exists.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


@app.command("list")
def list_kernels(as_json: AsJson = False) -> None:
    """List all kernels, the shipped and your own, with size, sum, rank and what they do.

    Your own are YAML files in the folders of $CONVCLI_KERNELS and in ~/.config/convcli/kernels; they carry a star.

    [bold]Example[/]

      convcli kernels list
    """
    from convcli.cli.views.kernels import ListedKernel, print_list
    from convcli.errors import KernelError
    from convcli.kernel.catalogue import catalogue_names, hiding_notes, user_files
    from convcli.kernel.spec import load_kernel, load_kernel_file

    shipped = catalogue_names()
    entries = [ListedKernel(name, load_kernel(name), own=False) for name in shipped]
    for name, path in user_files().items():
        if name in shipped:
            _note(hiding_notes(name))
            continue
        try:
            entries.append(ListedKernel(name, load_kernel_file(path), own=True))
        except KernelError as error:  # one bad file of the user's own hides none of the others
            _note([f"left out: {error}"])
    if as_json:
        from convcli.kernel.describe import describe

        _print_json([describe(entry.kernel) | {"name": entry.name, "own": entry.own} for entry in entries])
    else:
        print_list(entries)


@app.command()
def show(spec: Spec, as_json: AsJson = False) -> None:
    """Show one kernel: its weights in colour, a small picture, sum, rank, formula and parameters.

    [bold]Example[/]

      convcli kernels show gabor:theta=45
    """
    kernel = _load(spec)
    if as_json:
        from convcli.kernel.describe import describe

        _print_json(describe(kernel))
    else:
        from convcli.cli.views.kernels import print_kernel

        print_kernel(kernel)


@app.command()
def check(files: Files) -> None:
    """Check kernel files of your own, one line each; the exit status is 2 if any is bad.

    [bold]Example[/]

      convcli kernels check my_edges.yaml
    """
    from convcli.errors import KernelError
    from convcli.kernel.describe import summarize
    from convcli.kernel.spec import load_kernel_file

    bad = False
    for file in files:
        try:
            print(f"ok   {file}: {summarize(load_kernel_file(file))}")
        except KernelError as error:
            bad = True
            print(f"bad  {' '.join(str(error).splitlines())}")
    if bad:
        raise typer.Exit(2)


@app.command()
def export(spec: Spec, output: Output = None, force: Force = False) -> None:
    """Print a kernel as a YAML file in full precision, to edit and use as your own.

    [bold]Example[/]

      convcli kernels export gaussian:sigma=1.5 -o soft.yaml
    """
    target = _destination(output, force)
    _write(_load(spec), spec, target)


@app.command()
def compose(specs: Specs, output: Output = None, force: Force = False) -> None:
    """Print the one kernel that equals several applied in turn, as YAML.

    Near the image's edges a chain differs from it, since each step pads anew.

    [bold]Example[/]

      convcli kernels compose gaussian:sigma=1 sobel_x -o smooth_sobel.yaml
    """
    from convcli.kernel.compose import compose as compose_kernels

    target = _destination(output, force)
    _write(compose_kernels([_load(spec) for spec in specs]), " then ".join(specs), target)


@app.command()
def fit(
    images: Annotated[
        list[str], typer.Argument(metavar="BEFORE AFTER...", help="An image and its response, or several such pairs.")
    ],
    *,
    size: Annotated[str, typer.Option("--size", metavar="N|HxW", help="Of the kernel, such as 7 or 1x9.")],
    bias: Annotated[bool, typer.Option("--bias", help="Fit a constant that is added to the response, too.")] = False,
    ridge: Annotated[
        float,
        typer.Option(
            "--ridge",
            metavar="L",
            help="Dislike large weights, by this part of the image's energy, such as 1e-6.",
            show_default="0",
        ),
    ] = 0.0,
    symmetric: Annotated[
        str,
        typer.Option(
            "--symmetric",
            metavar="KIND",
            help="left-right, up-down, both, point (half turns), quarter (turns), full (turns and mirrors) or radial.",
            show_default="none",
        ),
    ] = "none",
    total: Annotated[
        float | None, typer.Option("--sum", metavar="V", help="What the weights are to sum to.", show_default="any")
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            "--anchor", metavar="Y,X", help="The element over the output pixel, rows first.", show_default="the middle"
        ),
    ] = None,
    gray: Annotated[bool, typer.Option("--gray", help="Fit to the BT.601 luma of both.")] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it as a kernel file; - is standard output."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Find the kernel that best turns one image into another, by least squares.

    All channels have one kernel. Pixels are left out where the window reaches
    beyond the image, and where AFTER is saturated.

    [bold]Example[/]

      convcli kernels fit sharp.png blurred.png --size 7 -o blur.yaml
    """
    from convcli.convolution.backends.blas import blas_threads
    from convcli.convolution.options import available_threads
    from convcli.kernel.fitting import FitOptions, fit_kernel
    from convcli.process.kernel_fitting import kernel_of, read_pair, record

    if len(images) % 2:
        raise UsageError(f"{images[-1]}: has no other image beside it: give pairs, BEFORE AFTER BEFORE AFTER")
    if as_json and output == "-":
        raise UsageError("--json and -o - both take standard output: leave one out")
    options = FitOptions(
        size=parse_pair("--size", size.replace("x", ","), least=1),
        anchor=None if anchor is None else parse_point("--anchor", anchor),
        bias=bias,
        ridge=ridge,
        symmetry=symmetric,
        total=total,
    )
    target = _destination(output, force, images)
    pairs = [read_pair(*images[start : start + 2], gray=gray) for start in range(0, len(images), 2)]
    with blas_threads(1):
        found = fit_kernel(pairs, options, available_threads())
    kernel = kernel_of(found, options, images)
    if as_json:
        _print_json(record(found, options, images))
    elif output != "-":
        from convcli.cli.views.kernels import print_fit

        print_fit(kernel, found, options)
    for warning in found.warnings:
        say(f"convcli: warning: {warning}")
    if output is not None:
        _write(kernel, "", target)


def _load(spec: str) -> "AnyKernel":
    from convcli.kernel.catalogue import hiding_notes
    from convcli.kernel.spec import load_kernel

    kernel = load_kernel(spec)
    _note(hiding_notes(spec))
    return kernel


def _destination(output: str | None, force: bool, inputs: Sequence[str] = ()) -> str | None:
    """The file to write, checked, or None for standard output."""
    if output in {None, "-"}:
        return None
    from convcli.system.output_path import check_destination

    check_destination(str(output), "overwrite" if force else "error", inputs)
    return output


def _write(kernel: "AnyKernel", origin: str, target: str | None) -> None:
    from convcli.kernel.files.yaml_notation import write
    from convcli.kernel.model import named_after

    if target is None:
        sys.stdout.buffer.write(write(kernel, origin).encode())
        return
    from convcli.image.writing import write_bytes

    write_bytes(target, write(named_after(kernel, target), origin).encode())
    say(f"wrote {target}")


def _note(lines: list[str]) -> None:
    for line in lines:
        say(f"convcli: note: {line}")


def _print_json(data: Any) -> None:
    import json

    print(json.dumps(data, ensure_ascii=False))
