"""`python -m bench.history`: a vault with a year of requests, and how long its books take to read.

It fills the empty directory --home; with --measure it measures what --home holds, with --load it loads a gateway on it
and one on an empty vault. Nothing is deleted.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from bench.errors import BenchError
from bench.history.books import Books, fill
from bench.history.load import load
from bench.history.measure import as_text as measured_as_text
from bench.history.measure import measure
from onevault.database import open_database
from onevault.envelope import load_keyring
from onevault.master_key import create_master_key
from onevault.migrate import migrate
from onevault.settings import load_settings

_KEPT = "history.json"


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    options = _parser().parse_args()
    settings = load_settings({"ONEVAULT_HOME": str(options.home)}, None)
    database = open_database(settings)
    try:
        if settings.master_key_file is not None:
            create_master_key(settings.master_key_file)
        load_keyring(settings)
        migrate(database.dsn("owner"))
        if options.load:
            database.close()
            print(load(options.home, turns=options.runs, seconds=options.seconds))
            return 0
        if options.measure:
            measured = measure(database.dsn("owner"), runs=options.runs, only=options.only)
            print(measured_as_text(measured))
            return 0
        books = fill(
            database.dsn("owner"),
            requests=options.requests,
            customers=options.customers,
            tenants=options.tenants,
            jobs=options.jobs,
        )
        (settings.home / _KEPT).write_bytes(msgspec.json.encode(books))
        print(as_text(books))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def as_text(books: Books) -> str:
    """Time and size of what was made, for people."""
    seconds = sum(books.seconds.values())
    lines = [f"{books.requests} requests from {books.since:%Y-%m-%d} to {books.until:%Y-%m-%d %H:%M} UTC"]
    lines += [f"{name:<32} {taken:>9.1f} s" for name, taken in books.seconds.items()]
    rate, made = books.requests / seconds, books.requests / books.seconds["requests"]
    lines += [f"{'in all':<32} {seconds:>9.1f} s: {rate:.0f} requests/s, {made:.0f}/s while they were made", ""]
    lines += [f"{'bytes a request':<28} {'data':>9} {'indexes':>9}"]
    for size in books.sizes:
        data, indexes = size.data_bytes / books.requests, size.index_bytes / books.requests
        lines.append(f"{size.name:<28} {data:>9.1f} {indexes:>9.1f}")
    data = sum(size.data_bytes for size in books.sizes) / books.requests
    indexes = sum(size.index_bytes for size in books.sizes) / books.requests
    lines.append(f"{'together':<28} {data:>9.1f} {indexes:>9.1f}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    add = parser.add_argument
    add("--home", type=Path, required=True, metavar="DIR", help="data directory of a gateway of its own")
    add("--requests", type=int, default=10_000_000, help="how many over twelve months (%(default)s)")
    add("--customers", type=int, default=1000, help="whose they are (%(default)s)")
    add("--tenants", type=int, default=20, help="whom those belong to (%(default)s)")
    add("--jobs", type=int, default=1, help="connections that make requests at once (%(default)s)")
    add("--measure", action="store_true", help="measure what was made")
    add("--load", action="store_true", help="load a gateway on what was made and one on an empty vault, in turns")
    add("--seconds", type=int, default=3, help="length of a turn of the load (%(default)s)")
    add("--runs", type=int, default=5, help="how often each statement or turn runs (%(default)s)")
    add("--only", metavar="VIEW", help="measure one view and nothing else")
    return parser


if __name__ == "__main__":
    sys.exit(main())
