"""JPEG: segments, metadata and quality."""
