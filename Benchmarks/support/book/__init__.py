"""lamina-bench's report: what the benchmarks left in a directory, as one page, and two of them compared.

parts     the directories that a report is made of, each one benchmark's
prose     the benchmarks' own tables (Markdown) as HTML
page      the page: no network, readable on white and on black
figures   every figure of a report, whichever benchmark's, in one form
compare   an old report and a new one
"""
