"""Records written as JSON, CSV, Markdown and HTML, once for every command."""
