"""Records and documents written as JSON, CSV, Markdown and HTML: one writer each, for every command.

A command hands over a `document.ReportHead`, a plain dict for each result, and a `document.ReportTail`; `writer` looks
up what writes the format that a file's suffix names. `numbers` holds how numbers read, wherever people see them.
"""
