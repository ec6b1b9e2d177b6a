"""Pipelines: a YAML document of steps, checked as a whole, run on images, and explained."""
