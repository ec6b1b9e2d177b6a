"""What the steps of a pipeline compute: plain functions on float32 arrays (height, width, channels)."""
