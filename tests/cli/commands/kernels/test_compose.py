"""`convcli kernels compose`, through the whole command line."""

import numpy as np

from convcli.kernel.spec import load_kernel_file


def test_compose_prints_the_one_kernel_of_a_chain(kernels, tmp_path):
    status, out, err = kernels("compose", "1 1", "1 1", "1; 1")
    assert (status, err) == (0, "")
    (tmp_path / "chain.yaml").write_text(out)
    kernel = load_kernel_file(tmp_path / "chain.yaml")
    assert kernel.name == "custom_custom_custom"
    np.testing.assert_array_equal(kernel.weights, [[1, 2, 1], [1, 2, 1]])
    assert kernel.anchor == (1, 2)
    assert kernels("compose", "gaussian", "sobel_x", "-o", "smooth.yaml")[0] == 0
    assert load_kernel_file(tmp_path / "smooth.yaml").size == (11, 11)
