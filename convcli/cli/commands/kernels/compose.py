"""`convcli kernels compose`: the one kernel that a chain of kernels equals."""

from typing import Annotated

import typer

from convcli.cli.commands.kernels.shared import (
    SPEC_HELP,
    FileOption,
    ForceOption,
    NotationOption,
    checked_target,
    load_noting,
    write_kernel,
)
from convcli.cli.options.groups import complete_kernel
from convcli.cli.options.parsing import command
from convcli.kernel.files.notations import written_notation


@command
def compose_kernels(
    *,
    specs: Annotated[list[str], typer.Argument(metavar="SPEC...", help=SPEC_HELP, autocompletion=complete_kernel)],
    output: FileOption = None,
    to: NotationOption = None,
    force: ForceOption = False,
) -> None:
    """Print the one kernel that equals several applied in turn, as a file.

    Near the image's edges a chain differs from it, since each step pads anew.

    [bold]Example[/]

      convcli kernels compose gaussian:sigma=1 sobel_x -o smooth_sobel.yaml
    """
    from convcli.kernel.compose import compose

    target = checked_target(output, force=force)
    notation = written_notation(target, to)
    write_kernel(compose([load_noting(spec) for spec in specs]), " then ".join(specs), target, notation)
