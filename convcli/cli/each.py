"""Images done one after another, as `filter` and `run` do them."""

from collections.abc import Callable, Collection, Sequence

import typer

from convcli.cli.views.results import Reporter
from convcli.errors import ConvcliError
from convcli.process import image_job as job


def do_each(
    inputs: Sequence[str],
    outputs: Sequence[str],
    skipped: Collection[str],
    work: Callable[[str, str], job.Result],
    reporter: Reporter,
) -> None:
    """Do `work(input, output)` for all outputs but the `skipped` ones, and tell of each; one that fails stops none.

    Leaves with the exit status of the failure where there was one input, and 1 where there were more.
    """
    errors: list[ConvcliError] = []
    for source, path in zip(inputs, outputs, strict=True):
        if path in skipped:
            reporter.show(job.skipped(source, path))
            continue
        try:
            reporter.show(work(source, path))
        except ConvcliError as error:
            errors.append(error)
            reporter.show(job.failed(source, path, error))
    reporter.finish()
    if errors:
        raise typer.Exit(errors[0].exit_status if len(inputs) == 1 else 1)
