"""Errors of pipelines are errors of usage."""

import pytest

from convcli.errors import UsageError
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError, StepError


def test_a_document_adds_its_place_to_the_error_of_a_step():
    with pytest.raises(DocumentError, match=r"^net\.yaml: steps\[0\]\.conv: needs kernel, its size$") as caught:
        parse_document("steps: [{conv: {out: 3}}]", "net.yaml")
    assert isinstance(caught.value.__cause__, (StepError, UsageError))
