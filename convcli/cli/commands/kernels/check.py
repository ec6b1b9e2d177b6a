"""`convcli kernels check`: whether kernel files are good ones."""

from typing import Annotated

import typer

from convcli.cli.commands.kernels.shared import print_notes
from convcli.cli.messages import one_line
from convcli.cli.options.parsing import command


@command
def check_files(
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Kernel files to check; - is standard input.")],
) -> None:
    """Check kernel files of your own, one line each; the exit status is 2 if any is bad.

    [bold]Example[/]

      convcli kernels check my_edges.yaml
    """
    from convcli.errors import KernelError
    from convcli.kernel.describe import summarize
    from convcli.kernel.model import kernel_notes
    from convcli.kernel.spec import load_kernel_file

    bad = False
    for file in files:
        try:
            kernel = load_kernel_file(file)
            print(f"ok   {one_line(f'{file}: {summarize(kernel)}')}")
            print_notes(kernel_notes(kernel, file))
        except KernelError as error:
            bad = True
            print(f"bad  {one_line(str(error))}")
    if bad:
        raise typer.Exit(2)
