"""`convcli kernels check`, through the whole command line."""


def test_check_reports_every_file_and_ends_with_2_if_one_is_bad(kernels, tmp_path):
    (tmp_path / "good.yaml").write_text("weights: [[1, 2, 1]]\nnormalize: sum\n")
    (tmp_path / "both.yaml").write_text("kernels: [good, '1 0 -1']\ncombine: max\n")
    (tmp_path / "bad.yaml").write_text("weights: [[1, 2], [3]]\n")
    assert kernels("check", "good.yaml", "both.yaml") == (
        0,
        "ok   good.yaml: good, 1x3, sum 1, rank 1\nok   both.yaml: both, max of 2 kernels\n",
        "",
    )
    status, out, err = kernels("check", "bad.yaml", "good.yaml", "none.yaml")
    assert (status, err) == (2, "")
    assert out == (
        "bad  bad.yaml: weights[1]: is of length 1 where the first row is of 2\n"
        "ok   good.yaml: good, 1x3, sum 1, rank 1\n"
        "bad  none.yaml: no such kernel file\n"
    )
