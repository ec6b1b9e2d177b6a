"""Metadata: EXIF, TIFF directories, and what survives a change of format or size."""
