"""`convcli explore`: one page, without a network, on which a kernel is designed on a picture."""

from pathlib import Path
from typing import Annotated

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import kernel_option
from convcli.cli.options.parsing import command


@command
def explore_kernels(
    *,
    image: Annotated[
        str | None,
        typer.Argument(metavar="[INPUT]", help="An image; without one, a test card.", show_default=False),
    ] = None,
    kernel: Annotated[str, kernel_option("The kernel to begin with; the page holds all of the catalogue.")] = "sobel_x",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Where to write the page.",
            show_default="beside the image, as img_explore.html of img.png",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the page where it exists.")] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a page to design kernels on: sliders, weights and geometry, with your picture following at once.

    The page is one file that needs no network: it computes what filter computes, and shows the command to copy.

    [bold]Examples[/]

      convcli explore photo.png --open
      convcli explore photo.png -k gabor:sigma=4,theta=45 -o gabor.html
    """
    from convcli.image.writing import write_bytes
    from convcli.process.shell import read_source
    from convcli.system.output_file import check_destination
    from convcli.visual.explore.page import explore_page, picture_for_page

    if output is None:
        output = "explore.html" if image in {None, "-"} else str(Path(str(image)).with_suffix("")) + "_explore.html"
    check_destination(output, "overwrite" if force else "error", [] if image in {None, "-"} else [str(image)])
    picture, notes = picture_for_page(None if image is None else read_source(image))
    page = explore_page("photo.png" if image in {None, "-"} else str(image), picture, notes, kernel)
    write_bytes(output, page.encode())
    for note in notes:
        say(f"convcli: note: {image}: {note}")
    say(f"wrote {output}: {len(page) / 1e6:.1f} MB, which any browser opens")
    if open_it:
        from convcli.cli.opening import open_file

        open_file(output)
