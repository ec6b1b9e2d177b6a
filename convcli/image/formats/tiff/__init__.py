"""TIFF: reading and writing by tifffile."""
