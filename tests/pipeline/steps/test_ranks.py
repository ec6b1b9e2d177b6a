"""Steps on the order of samples in windows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage
from step_cases import channelwise, document, step

from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("median", "3", lambda x: ndimage.median_filter(x, 3, mode="nearest")),
        ("median", "[1, 7]", lambda x: ndimage.median_filter(x, (1, 7), mode="nearest")),
        ("rank", "{size: 3, percent: 75}", lambda x: ndimage.rank_filter(x, 6, 3, mode="nearest")),
        ("minimum", "5", lambda x: ndimage.minimum_filter(x, 5, mode="nearest")),
        ("maximum", "[3, 1]", lambda x: ndimage.maximum_filter(x, (3, 1), mode="nearest")),
        ("erode", "3", lambda x: ndimage.grey_erosion(x, 3, mode="nearest")),
        (
            "dilate",
            "{size: 3, shape: cross}",
            lambda x: ndimage.grey_dilation(x, footprint=CROSS, mode="nearest"),
        ),
        ("open", "3", lambda x: ndimage.grey_opening(x, 3, mode="nearest")),
        ("close", "3", lambda x: ndimage.grey_closing(x, 3, mode="nearest")),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), channelwise(expected), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "window"), [("median", (5, 3)), ("erode", (5, 3)), ("open", (9, 5)), ("close", (9, 5))]
)
def test_a_window_is_what_one_output_reads(name, window):
    made = document(name, "[5, 3]")
    properties = document_properties(made, (40, 40, 3))[made.output.source]
    assert properties.window == window
    image = np.random.default_rng(2).random((40, 40, 3)).astype(np.float32)
    changed = image.copy()
    changed[20, 20] = np.nan
    differs = np.isnan(step(name, "[5, 3]", changed)).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    assert (len(rows), len(columns)) == window


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{median: 4}", "median: a window has a middle: its rows and columns are odd, not 4x4"),
        ("{rank: {size: 3, percent: 101}}", "rank.percent: must be at most 100, not 101"),
        ("{rank: 3}", "rank: options are written as a mapping, {option: value}"),
        ("{erode: {size: 3, shape: disk}}", "erode.shape: unknown word 'disk': expected rectangle, ellipse, cross"),
    ],
)
def test_what_has_no_meaning_is_refused_where_the_document_is_read(entry, message):
    with pytest.raises(DocumentError) as caught:
        parse_document(f"steps: [{entry}]", "net.yaml")
    assert str(caught.value).startswith(f"net.yaml: steps[0].{message}")
