"""Pipeline documents: read, checked, ordered."""
