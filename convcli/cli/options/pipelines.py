"""The options of `convcli run` that no other command has, in groups."""

from functools import partial
from typing import Annotated, Any

import typer

from convcli.cli.options.groups import response_option
from convcli.cli.options.parsing import OptionGroup, listed
from convcli.process.choices import PIPELINE_ALPHA, SIGNED

_map_option = partial(typer.Option, rich_help_panel="Feature maps")
_document_option = partial(typer.Option, rich_help_panel="Documents")

PipelineSignedOption = Annotated[
    str,
    response_option(
        "--signed",
        metavar="MAPPING",
        help=f"{listed(SIGNED, {'offset': 'mid-grey is zero'})}. auto: as the document says, else as the "
        "kernel of a last filter says, else clip.",
    ),
]
PipelineAlphaOption = Annotated[
    str,
    response_option(
        "--alpha",
        metavar="|".join(PIPELINE_ALPHA),
        help="Lay the image's opacity over a result as large as it, or not. A pipeline that reads it has used it.",
    ),
]


class MapsGroup(OptionGroup):
    """How results that are no pictures are shown, and what is kept of steps."""

    contact_sheet: Annotated[
        bool,
        _map_option(
            "--contact-sheet",
            help="Draw the result's channels as labelled tiles, each stretched from its least sample to its greatest.",
        ),
    ] = False
    common_scale: Annotated[bool, _map_option("--common-scale", help="Stretch all tiles of a sheet alike.")] = False
    save_steps: Annotated[
        str | None,
        _map_option(
            "--save-steps",
            metavar="DIR",
            help="Keep what every step gives: its values as .npy, and a sheet of them as .png.",
        ),
    ] = None

    def map_options(self) -> dict[str, Any]:
        """Return the fields of the core's options of a run that have these names."""
        return dict(vars(self))


class DocumentsGroup(OptionGroup):
    """What is asked about documents and their steps, without any image."""

    input_size: Annotated[
        str | None,
        _document_option(
            "--input-size",
            metavar="HxWxC",
            help="Check the whole document, weights too, for images of this size, such as 224x224x3.",
        ),
    ] = None
    steps: Annotated[bool, _document_option("--steps", help="List the steps that there are, and exit.")] = False
    step: Annotated[
        str | None, _document_option("--step", metavar="NAME", help="Describe one step and its options, and exit.")
    ] = None
    schema: Annotated[
        bool, _document_option("--schema", help="Print the JSON Schema of documents, for editors, and exit.")
    ] = False

    @property
    def describes(self) -> bool:
        """Whether something is to be printed about documents, and nothing else done."""
        return self.schema or self.steps or self.step is not None
