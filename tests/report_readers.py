"""Reports read back by readers that are not convcli's: HTML by Python's parser, Markdown tables by their bars."""

from html.parser import HTMLParser

VOID = {"br", "img", "meta", "link", "hr", "input", "wbr"}


class Page(HTMLParser):
    """Reads a page, holds that tags are closed in order, and keeps what it finds."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def markdown_tables(text):
    """The tables of a Markdown text, each a list of rows of cells; a bar after a backslash is text."""
    tables, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            current.append([cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")])
        elif current:
            tables.append(current)
            current = []
    return tables
