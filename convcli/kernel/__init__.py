"""Kernels: what they are, how they are made, and where their names are found."""
