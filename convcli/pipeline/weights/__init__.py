"""Weights of steps: written out, from files, or random."""
