"""Receptive fields, against what outputs depend on when the pipeline is run."""

from fractions import Fraction

import numpy as np
import pytest
from explain_cases import conv, explained, run_document

from convcli.explain.receptive_fields import receptive_fields
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document

# Steps that are linear, so that what an output depends on shows where a single sample is not zero.
LINEAR = {
    "conv 3": conv(1, 3),
    "conv 3x2, stride 2, padding 1": conv(1, [3, 2], stride=2, padding=1),
    "conv 2, dilation 3": conv(1, 2, dilation=3),
    "conv same, even": conv(1, 4, padding="same"),
    "average pool 2": {"average_pool": 2},
    "average pool 3, stride 2, padding 1": {"average_pool": {"size": 3, "stride": 2, "padding": 1}},
    "transposed 2, stride 2": {"transposed_conv": {"out": 1, "kernel": 2, "stride": 2}},
    "transposed 4, stride 2, padding 1": {"transposed_conv": {"out": 1, "kernel": 4, "stride": 2, "padding": 1}},
    "transposed 3, stride 2, out 1": {
        "transposed_conv": {"out": 1, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1}
    },
    "transposed 3, stride 1, dilation 2": {"transposed_conv": {"out": 1, "kernel": 3, "padding": 1, "dilation": 2}},
    "upsample": {"upsample": 2},
    "bilinear": {"upsample": {"scale": 2, "mode": "bilinear"}},
    "crop": {"crop": {"top": 2, "left": 1}},
    "filter": {"filter": {"kernel": "1 2 3; 4 5 6", "padding": "zeros", "anchor": [0, 2]}},
}


def dependence(document, size):
    """For each output of the last step, which samples of the image it depends on: (outputs..., samples...)."""
    node = document.nodes[-1].id
    rows = []
    for place in np.ndindex(*size[:2]):
        pixels = np.zeros(size, np.float32)
        pixels[place] = 1
        rows.append(run_document(document, pixels)[node][..., 0] != 0)
    return np.moveaxis(np.array(rows), 0, -1).reshape(*rows[0].shape, *size[:2])


@pytest.mark.parametrize(
    "names",
    [
        *[(name,) for name in LINEAR],
        ("conv 3", "average pool 2", "conv 3"),
        ("conv 3x2, stride 2, padding 1", "conv 2, dilation 3"),
        ("average pool 3, stride 2, padding 1", "upsample", "conv 3"),
        ("conv 3x2, stride 2, padding 1", "transposed 4, stride 2, padding 1"),
        ("average pool 2", "transposed 2, stride 2", "filter"),
        ("crop", "conv same, even", "average pool 2"),
    ],
    ids=", then ".join,
)
def test_the_receptive_field_is_what_outputs_depend_on(names):
    import json

    size = (28, 26, 1)
    # Positive weights: nothing cancels.
    steps = [LINEAR[name] for name in names]
    document = parse_document(json.dumps({"steps": steps, "weights": {"init": "he", "seed": 3}}))
    seen = receptive_fields(document, document_properties(document, size), size)[document.nodes[-1].id]
    depends = dependence(document, size)
    for axis in (0, 1):
        sight = seen[axis]
        others = tuple(each for each in range(4) if each not in (axis, axis + 2))
        touched = depends.any(axis=others)  # (outputs, samples) along the axis
        spans, middles, places = [], [], []
        for output, samples in enumerate(touched):
            reached = np.flatnonzero(samples)
            # Only fields that lie within the image show themselves whole.
            if reached.size and reached[0] >= 4 and reached[-1] < size[axis] - 4:
                spans.append(reached[-1] - reached[0] + 1)
                middles.append((reached[0] + reached[-1]) / 2)
                places.append(output)
        assert max(spans) == sight.field
        expected = float(sight.offset) + np.array(places) * float(sight.jump)
        if any(name.startswith(("transposed", "upsample", "bilinear")) for name in names):
            # Outputs between samples lean to one of them by turns.
            assert np.abs(np.array(middles) - expected).max() <= 1
            assert np.mean(middles) == pytest.approx(np.mean(expected), abs=0.1)
        else:
            np.testing.assert_allclose(middles, expected)


def test_branches_see_all_that_any_of_them_sees():
    steps = [
        {"average_pool": {"size": 3, "stride": 1, "padding": 1}, "name": "narrow"},
        {**conv(1, [1, 9], padding=[0, 4]), "name": "wide", "from": "input"},
        {"add": {}, "from": ["narrow", "wide"]},
    ]
    found = explained(steps, (20, 20, 1))
    assert found.totals.receptive_field == (3, 9)


def test_what_sees_everything_says_so():
    found = explained([conv(4, 3, stride=2), "global_average_pool", {"linear": 2}], (21, 31, 1))
    pooled = found.steps[1]
    assert (pooled.whole, pooled.reads_all, pooled.receptive_field, pooled.jump) == (True, True, (21, 31), (21, 31))
    assert (found.steps[2].whole, found.steps[2].reads_all) == (True, False)
    assert not found.steps[0].whole


def test_an_enlarging_step_divides_the_jump():
    found = explained([{"upsample": 2}], (8, 8, 1))
    assert found.totals.jump == (Fraction(1, 2), Fraction(1, 2))
    assert found.totals.offset == (Fraction(-1, 4), Fraction(-1, 4))
    assert found.record()["totals"]["jump"] == [0.5, 0.5]
