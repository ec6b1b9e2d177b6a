"""One way from file to file: read, run an operation, write, timed."""
