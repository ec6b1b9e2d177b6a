"""Explanations of pipelines and kernels: sizes, costs, receptive fields, and how one output is computed."""
