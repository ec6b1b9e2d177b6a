"""The options of `convcli compare` that no other command has, in groups."""

from functools import partial
from typing import Annotated

import typer

from convcli.cli.options.groups import ComputingGroup, GeometryGroup, geometry_option, message_option
from convcli.cli.options.parsing import OptionGroup, listed, whole_number
from convcli.convolution.options import BACKENDS, ConvolveOptions
from convcli.reporting.formats import REPORT_SUFFIXES

COMPARED_DEPTHS = ("f32", "same")

_comparing_option = partial(typer.Option, rich_help_panel="What is compared")


class ComparingGroup(OptionGroup):
    """What is compared on which image, and how often."""

    synthetic: Annotated[
        str | None,
        _comparing_option(
            "--synthetic",
            metavar="HxWxC",
            help="A made picture in place of IMAGE: rows x columns x channels of u8; 2048x2048x1:f32 is one of floats.",
        ),
    ] = None
    backends: Annotated[
        str | None,
        _comparing_option(
            "--backends",
            metavar="A,B,C",
            help=f"Which of {listed(BACKENDS, last='and')}. Default: all that can do it.",
        ),
    ] = None
    baseline: Annotated[
        bool,
        _comparing_option(
            "--baseline", help="Also the plain calls one would write instead, of cv2 and, where installed, scipy."
        ),
    ] = False
    kernel_sizes: Annotated[
        str | None,
        _comparing_option(
            "--kernel-sizes",
            metavar="N,N,N",
            help="Compare at each of these sizes, such as 3,7,15,31,63, and say where backends overtake each other.",
        ),
    ] = None
    runs: Annotated[
        int | None,
        _comparing_option(
            "--runs",
            metavar="N",
            parser=whole_number,
            help="Rounds, in each of which every backend runs once. Default: about 10, fewer for slow ones.",
        ),
    ] = None
    memory: Annotated[
        bool, _comparing_option("--memory/--no-memory", help="Measure the peak of each in a process of its own.")
    ] = True
    depth: Annotated[
        str,
        _comparing_option(
            "--depth",
            metavar="|".join(COMPARED_DEPTHS),
            help="What each computes: samples of the image's own type, as filter does, or the float response.",
        ),
    ] = "same"


GrayOption = Annotated[bool, geometry_option("--gray", help="Filter one channel, the BT.601 luma.")]
ReportsOption = Annotated[
    list[str] | None,
    message_option(
        "--report",
        metavar="FILE",
        help=f"Write a report as {listed(REPORT_SUFFIXES)}; may be given several times.",
    ),
]
JsonOption = Annotated[bool, message_option("--json", help="Print one JSON object on standard output.")]


def compared_options(geometry: GeometryGroup, computing: ComputingGroup) -> ConvolveOptions:
    """Return the options of a convolution that all backends take part in, of which one can choose a device."""
    return geometry.convolve_options(precision=computing.precision, threads=computing.threads, device=computing.device)
