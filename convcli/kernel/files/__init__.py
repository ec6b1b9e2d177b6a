"""Readers and writers of kernel files, one module a notation."""
