"""`convcli kernels list`: all kernels, the shipped and the user's own."""

from convcli.cli.commands.kernels.shared import JsonOption, print_json, print_notes
from convcli.cli.options.parsing import command


@command
def list_kernels(*, as_json: JsonOption = False) -> None:
    """List all kernels, the shipped and your own, with size, sum, rank and what they do.

    Your own are YAML files in the folders of $CONVCLI_KERNELS and in ~/.config/convcli/kernels; they carry a star.

    [bold]Example[/]

      convcli kernels list
    """
    from convcli.cli.views.kernels import ListedKernel, print_list
    from convcli.errors import KernelError
    from convcli.kernel.catalogue import catalogue_names, hiding_notes, user_files
    from convcli.kernel.describe import describe
    from convcli.kernel.spec import load_kernel, load_kernel_file

    shipped = catalogue_names()
    entries = [ListedKernel(name, load_kernel(name), own=False) for name in shipped]
    for name, path in user_files().items():
        if name in shipped:
            print_notes(hiding_notes(name))
            continue
        try:
            entries.append(ListedKernel(name, load_kernel_file(path), own=True))
        except KernelError as error:  # one bad file of the user's own hides none of the others
            print_notes([f"left out: {error}"])
    if as_json:
        print_json([describe(entry.kernel) | {"name": entry.name, "own": entry.own} for entry in entries])
    else:
        print_list(entries)
