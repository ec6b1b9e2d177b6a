"""`convcli kernels export`: one kernel as a file."""

from convcli.cli.commands.kernels.shared import (
    FileOption,
    ForceOption,
    NotationOption,
    SpecArgument,
    checked_target,
    load_noting,
    write_kernel,
)
from convcli.cli.options.parsing import command
from convcli.kernel.files.notations import written_notation


@command
def export_kernel(
    *, spec: SpecArgument, output: FileOption = None, to: NotationOption = None, force: ForceOption = False
) -> None:
    """Print a kernel as a file in full precision: YAML to edit and use as your own, or another notation.

    [bold]Examples[/]

      convcli kernels export gaussian:sigma=1.5 -o soft.yaml
      convcli kernels export sharpen --to imagemagick
      convcli kernels export gabor -o gabor.png
    """
    target = checked_target(output, force=force)
    notation = written_notation(target, to)
    write_kernel(load_noting(spec), spec, target, notation)
