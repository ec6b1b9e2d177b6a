"""Comparing ways of computing: measured, summed up, checked against a reference, and written as reports.

`measure` times whatever it is given, `statistics` and `noise` judge the times, `memory` asks a child process for its
peak. `candidates` are what `convcli compare` has run on a `workload`: backends and `library_calls`. `comparison` puts
it all together into one `report.Report`, which `report_text` words and `report_blocks` writes.
"""
