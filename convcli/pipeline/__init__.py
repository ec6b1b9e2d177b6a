"""Pipelines: YAML documents of steps, checked as a whole and run on images."""
