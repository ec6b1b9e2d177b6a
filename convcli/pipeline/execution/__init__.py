"""Running a checked document on an image."""
