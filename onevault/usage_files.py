"""Reads providers' reports of usage from files: pages of JSON as their APIs give them, or CSV as it is exported.

A file is taken whole or refused whole. A page of JSON is read at once (up to `MAX_PAGES_BYTES` a file); of CSV a line
is held at a time, however long the file is.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from json import decoder, scanner
from pathlib import Path
from typing import Any, Final, TextIO

from onevault.usage_rows import Fields, Gathered, Problem, UsageFileError, day_of
from onevault.usage_shapes import CSV_SHAPES, SHAPES, Shape

MAX_PAGES_BYTES: Final = 32 * 2**20
_MAX_LINE: Final = 2**20
FORMATS: Final = ("auto", *SHAPES, "csv")


def read_usage(paths: Sequence[Path], form: str = "auto") -> Gathered:
    """What some files say together. Raises UsageFileError with the file, the line and the reason.

    All are of one format: pages of one answer, usually.
    """
    gathered = Gathered()
    for path in paths:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                first = file.read(4096).lstrip()[:1]
                file.seek(0)
                if form == "csv" or (form == "auto" and first not in ("{", "[")):
                    _read_csv(file, gathered)
                else:
                    _read_pages(file, form, gathered)
        except UsageFileError as error:
            raise UsageFileError(f"{path.name}: {error}") from None
        except UnicodeDecodeError:
            raise UsageFileError(f"{path.name}: it is not text in UTF-8") from None
        except OSError as error:
            raise UsageFileError(f"{path.name}: {error.strerror or error}") from None
    return gathered


def _settle(gathered: Gathered, shape: Shape) -> None:
    if gathered.format not in ("", shape.name):
        raise UsageFileError(f"it is {shape.name}, and the files before it are {gathered.format}: import one at a time")
    gathered.format = shape.name
    gathered.provider = shape.provider
    gathered.nothing = shape.nothing


# CSV


def _read_csv(file: TextIO, gathered: Gathered) -> None:
    reader = csv.reader(_lines(file), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        shape = _find_csv_shape(header)
        _settle(gathered, shape)
        for cells in reader:
            if cells:
                _read_line(cells, header, shape, gathered)
    except csv.Error as error:
        raise UsageFileError(f"line {reader.line_num}: it is no CSV: {error}") from None
    except Problem as problem:
        raise UsageFileError(f"line {reader.line_num}: {problem}") from None


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise Problem("it is longer than a line of usage")
        yield line


def _find_csv_shape(header: list[str]) -> Shape:
    if len(set(header)) < len(header):
        raise Problem("a column is there twice")
    for columns, shape in CSV_SHAPES.items():
        if columns <= set(header):
            return shape
    raise Problem("no columns of OpenAI's or Anthropic's exports of usage or costs; see docs/reconcile.md")


def _read_line(cells: list[str], header: list[str], shape: Shape, gathered: Gathered) -> None:
    if len(cells) != len(header):
        raise Problem(f"it has {len(cells)} fields, the heading has {len(header)}")
    record = dict(zip(header, cells, strict=True))
    fields = Fields(record)
    if not shape.end:
        gathered.add(fields.day(shape.start), shape.read(fields))
        return
    day = day_of(fields.moment(shape.start), fields.moment(shape.end))
    if any(text for name, text in record.items() if not name.startswith(("start_time", "end_time"))):
        gathered.add(day, shape.read(fields))
    else:
        gathered.add_nothing(day, shape.nothing)


# JSON


def _read_pages(file: TextIO, form: str, gathered: Gathered) -> None:
    text = file.read(MAX_PAGES_BYTES + 1)
    if len(text) > MAX_PAGES_BYTES:
        raise UsageFileError(f"it is longer than {MAX_PAGES_BYTES} bytes: import fewer days at a time")
    place: list[int] = []
    try:
        pages = list(_pages_of(_decode(text, json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant))))
        shape = _find_shape(pages, place) if form == "auto" else SHAPES[form]
        _settle(gathered, shape)
        for number, page in enumerate(pages):
            place[:] = [number]
            _read_page(page, shape, gathered, place)
    except json.JSONDecodeError as error:
        raise UsageFileError(f"line {error.lineno}: it is no JSON: {error.msg}") from None
    except RecursionError:
        raise UsageFileError("it is nested deeper than any report of usage") from None
    except Problem as problem:
        raise UsageFileError(f"line {_line_of(text, place)}: {problem}") from None
    except ValueError:
        raise UsageFileError("it has a number that is none") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _decode(text: str, reader: json.JSONDecoder) -> Iterator[Any]:
    """Documents one after the other, each on a line or over many."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        document, position = reader.raw_decode(text, position)
        yield document


def _pages_of(documents: Iterable[Any]) -> Iterator[Any]:
    """The pages of an answer: a document each, or a list of them."""
    for document in documents:
        if isinstance(document, list):
            yield from document
        else:
            yield document


def _list(record: Any, name: str) -> list[Any]:
    value = record.get(name) if isinstance(record, dict) else None
    if not isinstance(value, list):
        raise Problem(f'it has no list "{name}"')
    return value


def _find_shape(pages: list[Any], place: list[int]) -> Shape:
    """By the first result; answers in which nothing was used look alike."""
    for number, page in enumerate(pages):
        place[:] = [number]
        for position, bucket in enumerate(_list(page, "data")):
            place[1:] = [position]
            for result in _list(bucket, "results"):
                name = Fields(result).text("object")
                if name == "organization.costs.result":
                    return SHAPES["openai-costs"]
                if name.startswith("organization.usage."):
                    return SHAPES["openai-usage"]
                if "starting_at" in bucket and "amount" in result:
                    return SHAPES["anthropic-costs"]
                if "starting_at" in bucket and "output_tokens" in result:
                    return SHAPES["anthropic-usage"]
                place[2:] = [0]
                raise Problem("it is no report of usage or costs that is known; see docs/reconcile.md")
    raise Problem(
        f"nothing says what it is of: use --format with one of {', '.join(SHAPES)}; openai-usage is then completions"
    )


def _read_page(page: Any, shape: Shape, gathered: Gathered, place: list[int]) -> None:
    kind = ""
    buckets: list[tuple[Any, Fields]] = []
    for number, bucket in enumerate(_list(page, "data")):
        place[1:] = [number]
        fields = Fields(bucket)
        day = day_of(fields.moment(shape.start), fields.moment(shape.end))
        for position, result in enumerate(_list(bucket, "results")):
            place[2:] = [position]
            usage = shape.read(Fields(result))
            kind = usage.kind
            gathered.add(day, usage)
        place[2:] = []
        buckets.append((day, fields))
    # A page is of one kind; days in which nothing was used are of that, too, and a page without any usage is of the
    # kind of the others.
    for number, (day, fields) in enumerate(buckets):
        place[1:] = [number]
        gathered.cover(kind, fields.moment(shape.start), fields.moment(shape.end))
        gathered.add_nothing(day, kind)


class _Placed(json.JSONDecoder):
    """Remembers where each object begins: slow, and only asked where something is to be refused."""

    def __init__(self) -> None:
        super().__init__(parse_float=Decimal)
        self.begins: dict[int, int] = {}
        self.parse_object = self._note
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _note(self, state: tuple[str, int], *rest: Any) -> tuple[Any, int]:
        value, end = decoder.JSONObject(state, *rest)  # type: ignore[attr-defined]
        self.begins[id(value)] = state[1]
        return value, end


def _line_of(text: str, place: list[int]) -> int:
    """The line on which a page, a bucket of it, or a result of that begins."""
    placed = _Placed()
    found: Any = list(_pages_of(_decode(text, placed)))
    begin = 0
    for index, name in zip(place, ("", "data", "results"), strict=False):
        found = (found[name] if name else found)[index]
        begin = placed.begins.get(id(found), begin)
    return text.count("\n", 0, begin) + 1
