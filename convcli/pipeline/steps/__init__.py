"""The steps, a module for each kind. Each reads its options, checks sizes and calls one function of the operators."""
