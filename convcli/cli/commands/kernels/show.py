"""`convcli kernels show`: one kernel, with all that is known of it."""

from convcli.cli.commands.kernels.shared import JsonOption, SpecArgument, load_noting, print_json
from convcli.cli.options.parsing import command


@command
def show_kernel(*, spec: SpecArgument, as_json: JsonOption = False) -> None:
    """Show one kernel: its weights in colour, a small picture, sum, rank, formula and parameters.

    [bold]Example[/]

      convcli kernels show gabor:theta=45
    """
    kernel = load_noting(spec)
    if as_json:
        from convcli.kernel.describe import describe

        print_json(describe(kernel))
    else:
        from convcli.cli.views.kernels import print_kernel

        print_kernel(kernel)
