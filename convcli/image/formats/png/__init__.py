"""PNG: chunks, inflating, decoding and encoding in strips."""
