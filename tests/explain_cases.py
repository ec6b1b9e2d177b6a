"""What tests of explanations share."""

import json

import numpy as np
from hypothesis import strategies as st

from convcli.explain.pipeline import explain
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.steps.base import StepContext

KERNELS = {
    "3x4": Kernel("k", np.arange(1.0, 13).reshape(3, 4)),
    "1x1": Kernel("one", np.array([[2.0]])),
    "anchored": Kernel("k", np.arange(1.0, 7).reshape(2, 3), anchor=(1, 0)),
    "sobel": load_kernel("sobel"),
    "kirsch": load_kernel("kirsch"),
}


OPTIONS = {
    "mode": st.sampled_from(["reflect101", "reflect", "replicate", "constant", "wrap"]),
    "extent": st.sampled_from(["same", "valid", "full"]),
    "flip": st.booleans(),
    "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)),
}


def explained(steps, size, **head):
    return explain(parse_document(json.dumps({"steps": steps, **head})), size)


def conv(out, kernel, **options):
    return {"conv": {"out": out, "kernel": kernel, "bias": False, **options}}


def run_document(document, pixels):
    """Run the nodes one after the other, with nothing of the runner."""
    results = {"input": pixels}
    for node in document.nodes:
        given = [results[source] for source in node.sources]
        prepared = node.step.prepare(*(each.shape for each in given), context=StepContext(document.store, node.id))
        results[node.id] = prepared.run(*given)
    return results
