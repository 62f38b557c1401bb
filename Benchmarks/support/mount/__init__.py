"""Benchmarks/mount: the same tree through Lamina, its peers and the kernel alone.

layer       what the benchmark needs in the image and no distribution has
fill        one fresh filesystem with the image in every contender's form
sandboxes   the contenders: a private writable tree each, mounted and unmounted
client      running mount-client and other programs with a clock
names, files, changes, workloads, costs, engine    what is measured, by kind
experiments the list of all that
targets     the rows of the table and what Lamina must reach
report      medians, ratios, verdicts
"""
