"""What a step says of itself without being run: sizes, costs, and what it sees of its input."""

from dataclasses import dataclass

# Rows, columns, channels, in this order everywhere.
Shape = tuple[int, int, int]
# Rows, columns.
Pair = tuple[int, int]


@dataclass(frozen=True)
class Facts:
    """The arithmetic of one step on inputs of known sizes. Pairs are rows, columns.

    Attributes
    ----------
    output : (int, int, int)
        Rows, columns and channels of the result.
    parameters : int
        Weights and biases, of batch_norm two a channel.
    macs : int
        Multiply-adds of the definition, whatever a backend saves of them.
    window, stride, dilation, padding
        What one output reads of the input: so many samples, `dilation` apart, the next output `stride` further;
        `padding` is ((top, bottom), (left, right)).
    upsampling : (int, int)
        How many outputs lie on one input sample; the jump is divided by it.
    whole : bool
        Whether each output sees all positions of the input.
    linear : bool
        Whether the step is linear (with biases: affine) in its input.
    formula : str
        The output size worked out, `floor((224 + 2*1 - 3) / 2) + 1 = 112`; rows and columns where they differ.
    lost : (int, int)
        Samples at the bottom and the right that border and stride leave out.
    """

    output: Shape
    parameters: int = 0
    macs: int = 0
    window: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    upsampling: Pair = (1, 1)
    whole: bool = False
    linear: bool = False
    formula: str = ""
    lost: Pair = (0, 0)
