"""What several commands on kernels have in common: their options, loading a kernel, and writing it as a file."""

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import complete_kernel
from convcli.errors import UsageError
from convcli.kernel.files.notations import NOTATIONS

if TYPE_CHECKING:
    from convcli.kernel.files.notations import Notation
    from convcli.kernel.model import AnyKernel

# convcli.image, imported by this package, has added pictures to these.
_WRITTEN = ", ".join(each.name for each in NOTATIONS.values() if each.writes)

SPEC_HELP = (
    "A name (sobel_x), with parameters (gaussian:sigma=2), a kernel file, - for one on standard input, "
    "or weights ('0 -1 0; -1 5 -1; 0 -1 0')."
)
SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help=SPEC_HELP, autocompletion=complete_kernel)]
FileOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write it.", show_default="standard output"),
]
NotationOption = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="NOTATION", help=f"As {_WRITTEN}.", show_default="what the suffix of FILE says, else yaml"
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace the file where it exists.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


def load_noting(spec: str) -> "AnyKernel":
    """Load a kernel, and print its notes, and one on each file of the user's that the name does not reach."""
    from convcli.kernel.catalogue import hiding_notes
    from convcli.kernel.model import kernel_notes
    from convcli.kernel.spec import load_kernel

    kernel = load_kernel(spec)
    print_notes((*hiding_notes(spec), *kernel_notes(kernel, spec)))
    return kernel


def print_notes(lines: Iterable[str]) -> None:
    """Print notes on standard error."""
    for line in lines:
        say(f"convcli: note: {line}")


def print_json(data: Any) -> None:
    """Print data as one line of JSON, in which letters stay as they are."""
    import json

    print(json.dumps(data, ensure_ascii=False))


def checked_target(output: str | None, *, force: bool, inputs: Sequence[str] = ()) -> str | None:
    """Return the file to write, checked as `check_destination` does, or None for standard output."""
    if output in {None, "-"}:
        return None
    from convcli.system.output_file import check_destination

    check_destination(str(output), "overwrite" if force else "error", inputs)
    return output


def write_kernel(kernel: "AnyKernel", origin: str, target: str | None, notation: "Notation") -> None:
    """Write a kernel, which was made from `origin`, to a file, or to standard output where that is None."""
    from convcli.kernel.model import Kernel, named_after
    from convcli.system.output_file import stream_sink, write_bytes

    named = kernel if target is None else named_after(kernel, target)
    data: bytes = import_module(notation.module).write(named, origin)
    if target is None:
        if not notation.text and sys.stdout.isatty():
            raise UsageError(f"{notation.name} is no text for a terminal", advice="name a file with -o")
        stream_sink(sys.stdout.buffer)(data)
    else:
        write_bytes(target, data)
        say(f"wrote {target}")
    if isinstance(kernel, Kernel):
        if kernel.anchor is not None and not notation.anchored:
            row, column = kernel.anchor
            print_notes([f"{notation.name} does not hold the anchor, row {row}, column {column}"])
        if not notation.signed and kernel.figures[2] < 0:
            print_notes(["mid-grey is zero: the picture shows the kernel, and does not read back as it"])
