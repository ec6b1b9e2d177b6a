"""A registry of formats, and a module or folder for each."""
