"""Write clients/python/mailstead_client/operations.py and types.py from the OpenAPI document of this code."""

import builtins
import keyword
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from mailstead.foundation.config.settings import Settings
from mailstead.interfaces.api.application import api_application

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "clients/python/mailstead_client"
METHODS = ("get", "post", "put", "delete")
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_OPTIONAL = " | None = None"
_MADE = "Made by `script/docs` from the OpenAPI document; changes here are lost."


def document() -> dict[str, Any]:
    """The OpenAPI document; it needs no stores."""
    services = Mock(settings=Settings())
    found: dict[str, Any] = api_application(services).openapi_schema.to_schema()
    return found


def annotation(schema: dict[str, Any]) -> str:
    """A schema as a Python type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return f"Literal[{', '.join(repr(value) for value in values)}]"
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " | ".join(dict.fromkeys(annotation(one) for one in schema[choice]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(dict.fromkeys(_SIMPLE.get(one, "Any") for one in kind))
    if kind == "array":
        if "prefixItems" in schema:
            return f"list[{' | '.join(dict.fromkeys(annotation(one) for one in schema['prefixItems']))}]"
        return f"list[{annotation(schema.get('items', {}))}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {annotation(values) if isinstance(values, dict) else 'Any'}]"
    return _SIMPLE.get(str(kind), "Any")


def type_lines(name: str, schema: dict[str, Any]) -> list[str]:
    """A TypedDict; the form with a call where a key is no name of Python."""
    properties: dict[str, Any] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    fields = {
        key: annotation(value) if key in required else f"NotRequired[{annotation(value)}]"
        for key, value in sorted(properties.items())
    }
    text = " ".join(str(schema.get("description", name)).split())
    if any(keyword.iskeyword(key) or not key.isidentifier() for key in fields):
        inner = ", ".join(f'"{key}": "{value}"' for key, value in fields.items())
        return [f'{name} = TypedDict("{name}", {{{inner}}})', f'"""{text}"""', "", ""]
    lines = [f"class {name}(TypedDict):", f'    """{text}"""', ""]
    return [*lines, *(f'    {key}: "{value}"' for key, value in fields.items()), "", ""]


def types_text(found: dict[str, Any]) -> str:
    """types.py"""
    lines = [
        f'"""What the API takes and gives. {_MADE}"""',
        "",
        "from typing import Any, Literal, NotRequired, TypedDict",
        "",
    ]
    for name, schema in sorted(found["components"]["schemas"].items()):
        lines += ["", *type_lines(name, schema)]
    return "\n".join(lines) + "\n"


def _answer(operation: dict[str, Any]) -> tuple[str, str]:
    """The type of the good answer, and how it is made of the response."""
    status, response = next((code, one) for code, one in operation["responses"].items() if code.startswith("2"))
    content: dict[str, Any] = response.get("content", {})
    if status == "204" or not content:
        return "None", ""
    if "application/json" not in content:
        return "bytes", "answer.content"
    kind = annotation(content["application/json"]["schema"])
    if kind.startswith("list["):
        return f"Page[{kind[5:-1]}]", "self._page(answer)"
    return kind, f"cast({kind}, self._json(answer))"


def _name(method: str, path: str, is_list: bool) -> str:
    verb = {"get": "list" if is_list else "get", "post": "post", "put": "put", "delete": "delete"}[method]
    nouns = [part for part in path.split("/")[2:] if not part.startswith("{")]
    return "_".join((verb, *nouns)).replace("-", "_")


def _argument(name: str) -> str:
    plain = re.sub(r"\W", "_", name)
    return f"{plain}_" if keyword.iskeyword(plain) or hasattr(builtins, plain) else plain


def operation_lines(method: str, path: str, operation: dict[str, Any], name: str) -> list[str]:
    """One method of the client."""
    kind, made = _answer(operation)
    in_path = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
    in_query = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    arguments = [f"{_argument(one)}: str" for one in in_path]
    body = operation.get("requestBody")
    if body is not None:
        wanted = body["content"].get("application/json")
        arguments.append(f"body: {annotation(wanted['schema']) if wanted else 'bytes'}")
    optional = [
        f"{_argument(one['name'])}: {annotation(one['schema']).removesuffix(' | None')}{'' if one.get('required') else _OPTIONAL}"
        for one in sorted(in_query, key=lambda one: not one.get("required"))
    ]
    signature = ", ".join(("self", *arguments, "*", *optional, "fields: Mapping[str, str] | None = None"))
    names = "{" + ", ".join(f'"{one}": {_argument(one)}' for one in in_path) + "}"
    query = "{" + ", ".join(f'"{one["name"]}": {_argument(one["name"])}' for one in in_query) + "}"
    call = f'self.request("{method.upper()}", "{path}", {names}, {query}, {"body" if body is not None else "None"}, fields)'
    return [
        f"def {name}({signature}) -> {kind}:",
        f'    """{operation["summary"]}: {method.upper()} {path}."""',
        f"    answer = {call}" if made else f"    {call}",
        *([f"    return {made}"] if made else []),
        "",
    ]


def operations_text(found: dict[str, Any]) -> str:
    """operations.py"""
    lines: list[str] = []
    taken: set[str] = set()
    for path, item in sorted(found["paths"].items(), key=lambda pair: (pair[0].rstrip("}") != pair[0], pair[0])):
        for method in METHODS:
            operation = item.get(method)
            if operation is None:
                continue
            kind, _ = _answer(operation)
            name = _name(method, path, kind.startswith("Page["))
            if name in taken:
                name = f"{name}_one"
            assert name not in taken, name
            taken.add(name)
            lines += operation_lines(method, path, operation, name)
    head = [
        f'"""The operations of the API. {_MADE}"""',
        "",
        "from collections.abc import Mapping",
        "from typing import Any, Literal, cast",
        "",
        "from mailstead_client.transport import Page, Transport",
        "from mailstead_client.types import *",
        "",
        "",
        "class Client(Transport):",
        '    """Every operation; `fields` are of the header (Idempotency-Key, If-Match, X-Alias)."""',
        "",
    ]
    names = sorted(name for name in found["components"]["schemas"] if re.search(rf"\b{name}\b", "\n".join(lines)))
    head[6] = f"from mailstead_client.types import {', '.join(names)}"
    return "\n".join(head) + "\n" + textwrap.indent("\n".join(lines), "    ")


def formatted(text: str) -> str:
    """The text as ruff sorts and formats it."""
    ruff, name = str(Path(sys.executable).with_name("ruff")), str(PACKAGE / "x.py")
    for command in (
        [ruff, "check", "--fix-only", "--select", "I,F401", "--quiet", "--stdin-filename", name, "-"],
        [ruff, "format", "--stdin-filename", name, "-"],
    ):
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def files() -> dict[Path, str]:
    """What the files hold when they are up to date."""
    found = document()
    texts = {PACKAGE / "operations.py": operations_text(found), PACKAGE / "types.py": types_text(found)}
    return {path: formatted(text) for path, text in texts.items()}


def main() -> int:
    """Write the files, or with --check tell which are out of date."""
    found = files()
    if "--check" in sys.argv:
        late = [str(path.relative_to(ROOT)) for path, text in found.items() if path.read_text("utf-8") != text]
        print("out of date, run script/docs: " + ", ".join(late) if late else "up to date")
        return len(late)
    for path, text in found.items():
        path.write_text(text)
        print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
