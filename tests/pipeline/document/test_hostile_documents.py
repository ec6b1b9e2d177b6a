"""Any text as a pipeline: a document, or an error of ours."""

import contextlib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ConvcliError
from convcli.pipeline.document.loading import load_document

TEXT = (
    "steps:\n|  - relu\n|  - conv: {out: 1, kernel: 3}\n|  - concat:\n|    from: [a, input]\n|    name: a\n|name: net\n"
    "|input: {size: 8x8x1}\n|output: {mapping: clip}\n|version: 1\n|  - |relu|conv|: |{}|[|]|&a |*a|!!x |1e999|-1|\n"
    "|    |null|é|\t|weights: w.npy\n"
)
WORDS = st.sampled_from(TEXT.split("|"))


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=14).map(lambda words: "".join(words).encode())))
def test_any_bytes_are_a_pipeline_or_an_error_of_ours(tmp_path_factory, data):
    path = Path(tmp_path_factory.getbasetemp()) / "net.yaml"
    path.write_bytes(data)
    with contextlib.suppress(ConvcliError):
        load_document(str(path))
