"""Errors of pipelines: of one step, and of a whole document."""

from convcli.errors import UsageError


class StepError(UsageError):
    """Options, input sizes or weights that a step cannot work with: the reason alone, without its place."""


class DocumentError(UsageError):
    """A document that is not a valid pipeline, or does not fit the images: the file, the path in it, the reason."""
