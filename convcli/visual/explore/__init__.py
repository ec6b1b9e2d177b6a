"""One page, whole in itself, on which a kernel is designed: formulas, weights and geometry, with the picture at once."""
