"""A page to read the OpenAPI document by: made on the server, one style sheet, nothing loaded from anywhere."""

import base64
import hashlib
from functools import lru_cache
from html import escape
from typing import Any

from litestar import MediaType, Request, Response, get

from mailstead.interfaces.api.access import OPEN

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}
body{color:light-dark(#1d211e,#e9ede9);background:light-dark(#faf9f6,#121613)}
a{color:light-dark(#1c6b4f,#6fcfa5)}
h2{margin:2.5rem 0 .5rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
section{border:1px solid light-dark(#e2dfd6,#2e3631);border-radius:.75rem;padding:1rem 1.25rem;margin:.75rem 0}
section{background:light-dark(#fff,#1a1f1c)}
h3{margin:0;font-size:1rem;overflow-wrap:anywhere}
h3 b{display:inline-block;min-width:4rem;text-transform:uppercase;color:light-dark(#1c6b4f,#6fcfa5)}
code,h3{font-family:ui-monospace,monospace}
p{margin:.35rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin-top:.5rem}
th,td{text-align:start;vertical-align:top;padding:.3rem .75rem .3rem 0;border-top:1px solid light-dark(#e2dfd6,#2e3631)}
.q{color:light-dark(#535a55,#b1bab4)}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
_METHODS = ("get", "post", "put", "delete")


@get("/docs", opt={"access": OPEN}, include_in_schema=False, sync_to_thread=False, media_type=MediaType.HTML)
def reference(request: Request[Any, Any, Any]) -> Response[str]:
    """Every operation with what it takes and what it answers."""
    page = _page(request.app)
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(page, media_type=MediaType.HTML, headers=headers)


@lru_cache(maxsize=2)
def _page(app: Any) -> str:
    document: dict[str, Any] = app.openapi_schema.to_schema()
    tags: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            operation = item.get(method)
            if operation is not None:
                tags.setdefault(operation["tags"][0], []).append(_operation(path, method, operation, document))
    links = "".join(f'<li><a href="#{escape(tag)}">{escape(tag)}</a></li>' for tag in tags)
    parts = "".join(f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(found)}' for tag, found in tags.items())
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        "<p class=q>Log in with HTTP Basic: a token and a blank password, or an address and its password. "
        'The document for programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"<nav><ul>{links}</ul></nav>{parts}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    rows = [
        (one["name"], one["in"], _type(one.get("schema", {})), one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {})
    for media in body.values():
        rows += _fields(media.get("schema", {}), document)
    table = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td class=q>{escape(where)}</td><td>{escape(kind)}</td>"
        f"<td>{escape(text)}</td></tr>"
        for name, where, kind, text in rows
    )
    answers = [
        _type(media.get("schema", {}))
        for status, answer in operation.get("responses", {}).items()
        if status != "default"
        for media in answer.get("content", {}).values()
    ]
    return (
        f"<section><h3><b>{method}</b> {escape(path)}</h3><p>{escape(operation.get('summary', ''))}</p>"
        f"<p class=q>{escape(operation.get('description', ''))}</p>"
        + (f"<table>{table}</table>" if table else "")
        + (f"<p class=q>Answers {escape(', '.join(answers))}</p>" if answers else "")
        + "</section>"
    )


def _fields(schema: dict[str, Any], document: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """The fields of a body."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found = document.get("components", {}).get("schemas", {}).get(name, schema)
    wanted = found.get("required", [])
    return [
        (field, "body, needed" if field in wanted else "body", _type(one), one.get("description", ""))
        for field, one in found.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "oneOf" in schema:
        return " or ".join(_type(one) for one in schema["oneOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")
