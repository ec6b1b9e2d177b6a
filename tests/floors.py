"""The floors of the house: which module stands on which, for the test of layers and benchmarks/files_entered.py."""

# From the ground up, a floor a line. A module belongs to the floor of the longest name that starts its own.
FLOORS = (
    ("convcli.errors", "convcli.timing"),
    ("convcli.system",),
    ("convcli.reporting",),
    ("convcli.kernel",),
    ("convcli.image",),
    ("convcli.convolution",),
    ("convcli.operators",),
    ("convcli.pipeline",),
    ("convcli.process",),
    ("convcli.explain", "convcli.benchmark", "convcli.visual"),
    ("convcli.batch",),
    ("convcli.cli",),
    ("convcli.__main__",),
)
