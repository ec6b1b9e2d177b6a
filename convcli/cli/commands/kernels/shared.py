"""What several commands on kernels have in common: their options, loading a kernel, and writing it as a file."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import complete_kernel

if TYPE_CHECKING:
    from convcli.kernel.model import AnyKernel

SPEC_HELP = "A name (sobel_x), with parameters (gaussian:sigma=2), a YAML file, or weights ('0 -1 0; -1 5 -1; 0 -1 0')."
SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help=SPEC_HELP, autocompletion=complete_kernel)]
FileOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write it.", show_default="standard output"),
]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace the file where it exists.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


def load_noting(spec: str) -> "AnyKernel":
    """Load a kernel, and print a note on each file of the user's that the name does not reach. Raises KernelError."""
    from convcli.kernel.catalogue import hiding_notes
    from convcli.kernel.spec import load_kernel

    kernel = load_kernel(spec)
    print_notes(hiding_notes(spec))
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


def write_kernel(kernel: "AnyKernel", origin: str, target: str | None) -> None:
    """Write a kernel, which was made from `origin`, as YAML to a file, or to standard output where that is None."""
    from convcli.kernel.files import yaml_notation
    from convcli.kernel.model import named_after

    if target is None:
        from convcli.system.output_file import stream_sink

        stream_sink(sys.stdout.buffer)(yaml_notation.write(kernel, origin).encode())
        return
    from convcli.image.writing import write_bytes

    write_bytes(target, yaml_notation.write(named_after(kernel, target), origin).encode())
    say(f"wrote {target}")
