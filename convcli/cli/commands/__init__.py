"""One module a command: parse, call one core function, render."""
