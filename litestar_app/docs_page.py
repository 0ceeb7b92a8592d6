"""The OpenAPI document as one HTML page that needs nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

Document = dict[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent);
        --soft: color-mix(in srgb, currentColor 6%, transparent) }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem }
h1 { margin-bottom: .25rem } h2 { margin-top: 3rem; text-transform: capitalize }
code, pre { font: .875em/1.5 ui-monospace, monospace }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; overflow-x: auto }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .6rem 0; padding: 0 1rem }
summary { cursor: pointer; padding: .7rem 0 } details[open] > summary { border-bottom: 1px solid var(--line) }
.method { display: inline-block; min-width: 3.2rem; font-weight: 600 }
.hint { opacity: .75 } .tables { overflow-x: auto }
table { border-collapse: collapse; width: 100%; margin: .75rem 0 1.25rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line) }
"""

_EXAMPLE: Final = """\
curl -s http://127.0.0.1:8000/v1/chat/completions \\
  -H "Authorization: Bearer $ONEVAULT_TOKEN" -H "Content-Type: application/json" \\
  -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'"""


def render_page(document: Document) -> bytes:
    """The page, as UTF-8."""
    info = document["info"]
    schemas: Document = document.get("components", {}).get("schemas", {})
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])}</h1>",
        f'<p class="hint">Version {escape(info["version"])} · <a href="openapi.json">openapi.json</a></p>',
        f"<p>{_text(info.get('description', ''))}</p><pre>{escape(_EXAMPLE)}</pre>",
    ]
    for tag, operations in _by_tag(document).items():
        parts.append(f"<h2>{escape(tag)}</h2>")
        for method, path, operation in operations:
            parts += _operation(method, path, operation, schemas)
    parts.append("<h2>Shapes</h2>")
    for name, schema in sorted(schemas.items()):
        parts.append(f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>')
        parts += _schema(schema, schemas)
        parts.append("</details>")
    parts.append("</body></html>")
    return "".join(parts).encode()


def _by_tag(document: Document) -> dict[str, list[tuple[str, str, Document]]]:
    found: dict[str, list[tuple[str, str, Document]]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = (operation.get("tags") or ["other"])[0]
            found.setdefault(tag, []).append((method.upper(), path, operation))
    return found


def _operation(method: str, path: str, operation: Document, schemas: Document) -> Iterator[str]:
    yield (
        f'<details><summary><span class="method">{method}</span> <code>{escape(path)}</code> '
        f'<span class="hint">{_text(operation.get("summary", ""))}</span></summary>'
    )
    if operation.get("description"):
        yield f"<p>{_text(operation['description'])}</p>"
    rows = [
        (parameter["name"], parameter["in"], _text(parameter.get("description", "")))
        for parameter in operation.get("parameters", [])
    ]
    if rows:
        yield "<h4>Parameters</h4>"
        yield from _table(("name", "in", ""), [(f"<code>{escape(n)}</code>", escape(i), d) for n, i, d in rows])
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "<h4>Body</h4>"
        yield from _schema(media["schema"], schemas)
    answers = [
        (f"<code>{escape(status)}</code>", _content(answer), _text(answer.get("description", "")))
        for status, answer in operation.get("responses", {}).items()
    ]
    yield "<h4>Answers</h4>"
    yield from _table(("status", "shape", ""), answers)
    yield "</details>"


def _content(answer: Document) -> str:
    return ", ".join(_kind(media.get("schema", {})) for media in answer.get("content", {}).values())


def _schema(schema: Document, schemas: Document) -> Iterator[str]:
    """An object's fields as a table, anything else as its kind."""
    name = _reference(schema)
    target = schemas.get(name, schema) if name else schema
    if target.get("description"):
        yield f"<p>{_text(target['description'])}</p>"
    if "properties" not in target:
        yield f"<p>{_kind(target)}</p>"
        return
    required = set(target.get("required", []))
    rows = [
        (f"<code>{escape(field)}</code>", _kind(inner), "required" if field in required else "")
        for field, inner in sorted(target["properties"].items(), key=lambda entry: entry[0] not in required)
    ]
    yield from _table(("field", "type", ""), rows)


def _kind(schema: Document) -> str:
    """One schema in a few words of HTML."""
    if name := _reference(schema):
        return f'<a href="#{escape(name)}">{escape(name.rsplit("_", 1)[-1])}</a>'
    for join in ("oneOf", "anyOf"):
        if join in schema:
            return " or ".join(_kind(inner) for inner in schema[join] if inner.get("type") != "null")
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"] if value is not None)
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    kind = schema.get("type", "any")
    text = escape(" or ".join(k for k in kind if k != "null") if isinstance(kind, list) else kind)
    bounds = [(sign, schema[name]) for name, sign in _BOUNDS.items() if abs(schema.get(name, _NO_BOUND)) < _NO_BOUND]
    return ", ".join([text, *(f"{sign} {bound:,g}" for sign, bound in bounds)])


_BOUNDS: Final = {"minimum": "≥", "maximum": "≤"}
_NO_BOUND: Final = 1_000_000
"""Larger ones only say what fits in a number."""


def _reference(schema: Document) -> str | None:
    reference = schema.get("$ref")
    return reference.rsplit("/", 1)[-1] if reference else None


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield '<div class="tables"><table><tr>' + "".join(f"<th>{escape(h)}</th>" for h in headings) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</table></div>"


def _text(text: str) -> str:
    """Prose as HTML: escaped, with `code` between back-ticks."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
