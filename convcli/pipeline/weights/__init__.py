"""Weights of steps, written out, read from files or random."""
