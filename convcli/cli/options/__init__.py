"""Groups of options shared by commands."""
