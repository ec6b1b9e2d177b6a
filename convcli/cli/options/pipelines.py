"""The options of `convcli run` that no other command has, in groups."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from convcli.cli.options.groups import response_option
from convcli.cli.options.parsing import OptionGroup, listed
from convcli.errors import UsageError
from convcli.process.choices import PIPELINE_ALPHA, SIGNED

_map_option = partial(typer.Option, rich_help_panel="Feature maps")
_document_option = partial(typer.Option, rich_help_panel="Documents")


def complete_pipeline(incomplete: str) -> Iterable[str]:
    """Return the names of shipped pipelines and of the user's own that begin so, for a shell that completes one."""
    from convcli.pipeline.catalogue import pipeline_names, user_pipelines

    return sorted(name for name in {*pipeline_names(), *user_pipelines()} if name.startswith(incomplete))


PIPELINE_HELP = "A name (canny), a YAML file, or steps in one line ('gray | sobel | threshold:at=40')."
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a constant of the pipeline, such as low=20; repeatable."),
]


def set_constants(pairs: Sequence[str] | None) -> dict[str, str]:
    """Return the constants that `--set` gives, as text by name.

    >>> set_constants(["low=20", "other=a=b.png"])
    {'low': '20', 'other': 'a=b.png'}

    Raises
    ------
    UsageError
        For what is not written NAME=VALUE, and a name that is given twice.
    """
    found: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            raise UsageError(f"--set takes NAME=VALUE, such as --set low=20, not {pair!r}")
        if name in found:
            raise UsageError(f"--set {name} is given twice")
        found[name] = value
    return found


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
