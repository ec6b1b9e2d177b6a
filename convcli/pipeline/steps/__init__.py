"""The steps. Each module's steps read their options, check sizes, and call functions of the operators."""
