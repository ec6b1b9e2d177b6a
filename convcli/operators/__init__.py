"""The computations of pipeline steps as plain functions on float32 arrays (height, width, channels)."""
