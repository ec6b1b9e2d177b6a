"""Running a checked document on images."""
