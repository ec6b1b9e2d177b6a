"""The options that say which samples of an image are read, which of them are missing, and which are filtered."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.options.groups import file_option, geometry_option
from convcli.cli.options.parsing import OptionGroup, listed, number, parse_bands, parse_count, parse_region
from convcli.convolution.missing import HOLES, MISSING
from convcli.errors import UsageError

if TYPE_CHECKING:
    from convcli.image.reading import ReadOptions
    from convcli.process.missing_inputs import MissingInputs
    from convcli.process.region import Region

_missing_option = partial(typer.Option, rich_help_panel="Missing samples")


class ReadingGroup(OptionGroup):
    """Which bands of an image are read, and how large it may be."""

    bands: Annotated[
        str | None,
        file_option("--bands", metavar="N[,N-M]", help="Bands to read, from 1, in the order given. Default: all."),
    ] = None
    alpha_band: Annotated[
        str,
        file_option(
            "--alpha-band",
            metavar="N|last|none|auto",
            help="The band that is opacity, by its number in the file. auto: the one that the file says is.",
        ),
    ] = "auto"
    max_pixels: Annotated[
        str | None,
        file_option(
            "--max-pixels",
            metavar="N[M|G]",
            help="Refuse larger pictures before they are decoded. Default: those that do not fit into memory.",
        ),
    ] = None
    page: Annotated[
        str | None,
        file_option(
            "--page",
            metavar="1|preview",
            help="Read the first page, the default, or the preview in a camera's raw file.",
        ),
    ] = None

    def read_options(self) -> "ReadOptions":
        """Return how images are read. Raises UsageError."""
        from convcli.image.reading import ReadOptions

        return ReadOptions(
            bands=None if self.bands is None else parse_bands("--bands", self.bands),
            alpha_band=int(self.alpha_band) if self.alpha_band.isdecimal() else self.alpha_band,
            max_pixels=None if self.max_pixels is None else parse_count("--max-pixels", self.max_pixels),
            page=self.page,
        )


class MissingGroup(OptionGroup):
    """Which samples are missing, and what becomes of them."""

    nodata: Annotated[
        str,
        _missing_option(
            "--nodata",
            metavar="auto|none|V",
            help="The value of samples that are missing, in the file's own units, or nan. auto: as the file says.",
        ),
    ] = "auto"
    mask: Annotated[
        str | None,
        _missing_option(
            "--mask",
            metavar="FILE",
            help="A gray image of the same size: 0 is missing, white is known, in between counts in part. In batch "
            "also a folder of masks that are called as the images.",
        ),
    ] = None
    missing: Annotated[
        str,
        _missing_option(
            "--missing",
            metavar="RULE",
            help=f"{listed(MISSING)}. ignore: the weights on known samples are renormalised; spread: all that a "
            "weight on a missing sample adds to is missing; auto: ignore where there is a nodata value or mask.",
        ),
    ] = "auto"
    min_coverage: Annotated[
        float,
        _missing_option(
            "--min-coverage",
            metavar="F",
            parser=number,
            help="With ignore: the part of the weights, 0 to 1, that has to lie on known samples.",
        ),
    ] = 0.0
    holes: Annotated[
        str,
        _missing_option(
            "--holes",
            metavar="|".join(HOLES),
            help="What was missing stays so, or takes what its neighbours give.",
        ),
    ] = "keep"

    def missing_inputs(self) -> "MissingInputs | None":
        """Return which samples are missing, and what becomes of them; None where nothing is said. Raises UsageError."""
        if not used_options(self):
            return None
        from convcli.convolution.missing import MissingOptions
        from convcli.process.missing_inputs import MissingInputs

        nodata: str | float = self.nodata
        if nodata not in ("auto", "none"):
            try:
                nodata = float(nodata)
            except ValueError:
                raise UsageError(
                    "is neither a number nor auto or none", where=f"--nodata {nodata}", advice="such as --nodata -9999"
                ) from None
        treatment = MissingOptions(self.missing, self.min_coverage, self.holes)
        return MissingInputs(nodata, self.mask, treatment)


class RegionGroup(OptionGroup):
    """The part of an image that is filtered."""

    roi: Annotated[
        str | None,
        geometry_option(
            "--roi",
            metavar="X,Y,W,H",
            help="Filter this part: first column and row, width and height. The rest is copied.",
        ),
    ] = None
    crop: Annotated[bool, geometry_option("--crop", help="Leave out what lies outside of --roi.")] = False

    def region(self) -> "Region | None":
        """Return the part of each image that is filtered, None for all. Raises UsageError."""
        if self.roi is None:
            if self.crop:
                raise UsageError("--crop is for --roi", advice="say which part with --roi X,Y,W,H")
            return None
        from convcli.process.region import Region

        return Region(*parse_region("--roi", self.roi), crop=self.crop)


def used_options(group: OptionGroup) -> list[str]:
    """Return the options of a group that differ from their defaults, by name."""
    return [f"--{name.replace('_', '-')}" for name, value in vars(group).items() if value != getattr(type(group), name)]


def refuse_for_pipelines(*groups: OptionGroup) -> None:
    """Check that no option of these groups was used, which steps of a pipeline know nothing of. Raises UsageError."""
    asked = [name for group in groups for name in used_options(group)]
    if asked:
        raise UsageError(
            "a pipeline takes the whole image, and none of it as missing", where=", ".join(asked), advice="use -k"
        )
