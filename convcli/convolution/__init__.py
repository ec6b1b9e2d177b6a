"""Convolution: padding, geometry, the choice of a backend, tiling. `convolve.convolve` is the public function."""
