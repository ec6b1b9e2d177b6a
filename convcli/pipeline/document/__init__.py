"""Pipeline documents: reading, checking, ordering, and the schema and help made from the steps."""
