"""One page, whole in itself, to design a kernel on: formulas, weights and geometry, with the picture following."""
