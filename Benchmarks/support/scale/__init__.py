"""Benchmarks/scale: what grows with layers, entries, bytes, mounts and threads, and how fast.

tars        layers made to measure, as plain tars
curve       points of a curve, the slope of its logarithms, and what the slope must be
points      one point of each series: a fresh filesystem, loads, mounts, lookups
series      the list of all curves
table       curves as a table
"""
