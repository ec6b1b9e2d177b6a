"""Pipelines explained, against published figures."""

import pytest
from explain_cases import conv, explained
from repository import ROOT

from convcli.explain.pipeline import explain
from convcli.pipeline.document.loading import load_document

PIPELINES = ROOT / "pipelines"


def by_name(found):
    return {step.name: step for step in found.steps}


def test_lenet5_has_the_parameters_of_its_paper():
    found = explain(load_document(PIPELINES / "lenet5.yaml"), (32, 32, 1))
    steps = by_name(found)
    assert {name: steps[name].parameters for name in ("c1", "c3", "c5", "f6", "digits")} == {
        "c1": 156,
        "c3": 2_416,
        "c5": 48_120,
        "f6": 10_164,
        "digits": 850,
    }
    assert found.totals.parameters == 61_706
    assert steps["c1"].formula == "32 - 5 + 1 = 28"
    assert steps["s4"].output == (5, 5, 16)
    assert steps["c1"].macs == 117_600
    assert found.totals.output == (1, 1, 10)


def test_vgg16_has_its_published_figures():
    found = explain(load_document(PIPELINES / "vgg16.yaml"), (224, 224, 3))
    steps = by_name(found)
    assert found.totals.parameters == 138_357_544
    assert found.totals.macs == pytest.approx(15.5e9, rel=0.005)
    fields = {f"pool{n}": steps[f"pool{n}"].receptive_field for n in range(1, 6)}
    assert fields == {"pool1": (6, 6), "pool2": (16, 16), "pool3": (44, 44), "pool4": (100, 100), "pool5": (212, 212)}
    assert steps["pool5"].output == (7, 7, 512)
    assert steps["pool5"].jump == (32, 32)


def test_resnet18_has_its_published_figures():
    found = explain(load_document(PIPELINES / "resnet18.yaml"), (224, 224, 3))
    steps = by_name(found)
    assert found.totals.parameters == 11_689_512
    assert found.totals.macs == pytest.approx(1.8e9, rel=0.02)
    # Araujo, Norris and Sim (2019), table 1: 435 for ResNet-v1-18's last block.
    assert steps["layer4.1"].receptive_field == (435, 435)
    assert steps["layer4.1"].jump == (32, 32)
    assert steps["conv1"].formula == "floor((224 + 2*3 - 7) / 2) + 1 = 112"
    assert [warning.split(":")[0] for warning in found.warnings] == [f"layer{n}.0.downsample.0" for n in (2, 3, 4)]


def test_a_dense_layer_in_place_of_a_convolution_takes_a_weight_for_each_pair_of_samples():
    found = explained([conv(6, 5), "relu"], (32, 32, 1))
    assert found.totals.dense_parameters == 32 * 32 * 28 * 28 * 6
