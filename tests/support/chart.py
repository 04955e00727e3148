"""Renders the chart's templates: the few actions of Go's templates that they use, and nothing else.

`helm template` does more and is not on the machines of the tests. An action that is not understood here fails.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ACTION = re.compile(r"\{\{(-?) *(.*?) *\}\}")
_RANGE = re.compile(r"range (\$\w+)(?:, (\$\w+))? := (\S+)")
_LOADER = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)"


def load_yaml(text: str) -> list[Any]:
    """The documents of a YAML text."""
    loaded = subprocess.run([sys.executable, "-c", _LOADER], input=text, capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(loaded.stdout)
    return found


def render(chart: Path, release: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of all templates, with `values` in place of those of values.yaml at the top level."""
    (defaults,) = load_yaml((chart / "values.yaml").read_text("utf-8"))
    scope = {"": {"Values": defaults | dict(values), "Release": {"Name": release}}}
    scope["$"] = scope[""]
    objects: list[dict[str, Any]] = []
    for template in sorted((chart / "templates").glob("*.yaml")):
        pieces = _split(template.read_text("utf-8"))
        text, rest = _block(pieces, 0, scope)
        assert rest == len(pieces), f"{template.name}: an end too many"
        objects += load_yaml(text)
    return objects


def _split(text: str) -> list[str]:
    """Text and actions in turn; `{{-` takes the white space before it away."""
    pieces, position = [], 0
    for found in _ACTION.finditer(text):
        before = text[position : found.start()]
        pieces += [before.rstrip() if found[1] else before, found[2]]
        position = found.end()
    return [*pieces, text[position:]]


def _block(pieces: list[str], start: int, scope: dict[str, Any]) -> tuple[str, int]:
    """The text up to the `end` of this block, and where the pieces go on."""
    said, index = pieces[start], start + 1
    while index < len(pieces):
        action = pieces[index]
        ranged = _RANGE.fullmatch(action)
        if action == "end":
            return said, index
        if ranged is not None:
            key, second, of = ranged.groups()
            many = _value(of, scope)
            items = list(many.items()) if isinstance(many, dict) else list(enumerate(many))
            end = _block(pieces, index + 1, scope | {key: "", second or key: ""})[1]
            for name, value in items:
                inner = scope | ({key: name, second: value} if second else {key: value})
                said += _block(pieces, index + 1, inner)[0]
            index = end
        elif action.startswith("if "):
            body, end = _block(pieces, index + 1, scope)
            said += body if _value(action[3:], scope) else ""
            index = end
        else:
            said += str(_value(action, scope))
        said, index = said + pieces[index + 1], index + 2
    return said, len(pieces)


def _value(path: str, scope: dict[str, Any]) -> Any:
    first, *names = path.split(".")
    found = scope[first]
    for name in names:
        found = found[name]
    return found
