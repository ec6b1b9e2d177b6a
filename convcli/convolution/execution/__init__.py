"""Running a planned convolution: tiles, non-finite samples, separable passes, combining responses."""
