"""`convcli kernels export`: one kernel as a file."""

from convcli.cli.commands.kernels.shared import (
    FileOption,
    ForceOption,
    SpecArgument,
    checked_target,
    load_noting,
    write_kernel,
)
from convcli.cli.options.parsing import command


@command
def export_kernel(*, spec: SpecArgument, output: FileOption = None, force: ForceOption = False) -> None:
    """Print a kernel as a YAML file in full precision, to edit and use as your own.

    [bold]Example[/]

      convcli kernels export gaussian:sigma=1.5 -o soft.yaml
    """
    target = checked_target(output, force=force)
    write_kernel(load_noting(spec), spec, target)
