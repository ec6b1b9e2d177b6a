"""The options of `convcli batch` that no other command has, in groups."""

from dataclasses import field
from typing import Annotated, Any

import typer

from convcli.cli.options.groups import ComputingGroup, computing_option, file_option
from convcli.cli.options.parsing import OptionGroup, whole_number
from convcli.cli.options.pipelines import SetOption, complete_pipeline, set_constants


class BatchPipelineGroup(OptionGroup):
    """The pipeline that stands in place of kernels."""

    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            metavar="PIPELINE",
            autocompletion=complete_pipeline,
            help="Run each image through a pipeline, as `convcli run` does, in place of kernels.",
        ),
    ] = None
    constants: SetOption = None
    contact_sheet: Annotated[
        bool, typer.Option("--contact-sheet", help="With --pipeline: draw the result's channels as labelled tiles.")
    ] = False
    common_scale: Annotated[
        bool, typer.Option("--common-scale", help="With --contact-sheet: stretch all tiles alike.")
    ] = False

    def map_options(self) -> dict[str, Any]:
        """Return the fields of the core's options of a run that have these names."""
        return {
            "contact_sheet": self.contact_sheet,
            "common_scale": self.common_scale,
            "constants": set_constants(self.constants),
        }


class BatchFilesGroup(OptionGroup):
    """Which images are read, and what their outputs are called."""

    output: Annotated[
        str,
        file_option(
            "--output",
            "-o",
            metavar="OUTDIR",
            help="The folder for the outputs; made where there is none. The tree of an input folder is kept below it.",
        ),
    ]
    recursive: Annotated[bool, file_option("--recursive", "-r", help="Take folders within folders too.")] = False
    include: Annotated[
        list[str] | None,
        file_option(
            "--include",
            metavar="PATTERN",
            help="Of folders, take only files of such names, as '*.jpg' or 'raw/*'. May be given again.",
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        file_option("--exclude", metavar="PATTERN", help="Of folders, leave files of such names. May be given again."),
    ] = None
    newer: Annotated[
        str | None,
        file_option(
            "--newer",
            metavar="FILE|DATE",
            help="Of folders, take only files changed after that file was, or after a date such as 2024-05-31.",
        ),
    ] = None
    files_from: Annotated[
        str | None,
        file_option(
            "--files-from",
            metavar="FILE",
            help="Take a list of inputs from a file, - for standard input: one a line, or NUL-separated.",
        ),
    ] = None
    name: Annotated[
        str,
        file_option(
            "--name",
            metavar="PATTERN",
            help="What each output is called, such as '{stem}_{kernel}{suffix}'; of {stem}, {suffix}, {kernel}, "
            "{parent}, the input's folder, and {ext}, the input's own suffix without its dot.",
        ),
    ] = "{stem}{suffix}"

    follow: Annotated[
        bool,
        file_option("--follow", help="Write also where a link leads out of the folder for the outputs."),
    ] = False

    def batch_options(self) -> dict[str, Any]:
        """Return the fields of the core's options of a batch that have these names."""
        from convcli.batch.inputs import Choice, newer_than

        choice = Choice(
            tuple(self.include or ()), tuple(self.exclude or ()), None if self.newer is None else newer_than(self.newer)
        )
        return {
            "output": self.output,
            "recursive": self.recursive,
            "name": self.name,
            "follow": self.follow,
            "choice": choice,
        }


class BatchComputingGroup(ComputingGroup):
    """How convolutions are computed, and how many images at a time."""

    threads: Annotated[
        int | None,
        computing_option(
            "--threads",
            metavar="N",
            parser=whole_number,
            help="How many cores each image may use. Default: one; all of them with --jobs 1.",
        ),
    ] = None
    jobs: Annotated[
        int | None,
        computing_option(
            "--jobs",
            "-j",
            metavar="N",
            parser=whole_number,
            help="How many images to work on at a time. Default: as many as there are cores.",
        ),
    ] = field(default=None, metadata={"before": "threads"})
    fail_fast: Annotated[bool, computing_option("--fail-fast", help="Give up after the first image that fails.")] = (
        False
    )

    def batch_options(self) -> dict[str, Any]:
        """Return the fields of the core's options of a batch that have these names."""
        return {"jobs": self.jobs, "fail_fast": self.fail_fast}
