"""Comparing ways of computing: measured, summed up, checked against a reference, and written as reports.

`measure` times whatever it is given, `statistics` and `noise` judge the times, `memory` asks a child process for its
peak. `calls` and `plain` are what `convcli compare` has run; `comparison` puts it all together into the one
`report.Report` that `exports` writes.
"""
