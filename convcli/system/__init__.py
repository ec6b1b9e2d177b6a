"""What the operating system gives, used by every layer above: threads, memory, files written whole, text of people."""
