"""Books of a year: made on this machine, and how long they take to read.

`python -m bench.history --home DIR` fills an empty vault with a year of requests (`books`), `--measure` reads it as
BI tools, bills and the road do (`measure`). The directory is kept.
"""
