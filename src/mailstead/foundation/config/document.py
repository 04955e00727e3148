"""docs/configuration.md and .env.example, made from the declared options."""

from collections.abc import Iterable
from itertools import groupby

import msgspec

from mailstead.foundation.config.load import Option, options
from mailstead.foundation.config.settings import Settings

_SUFFIXES = (("T", 1024**4), ("G", 1024**3), ("M", 1024**2), ("K", 1024))
_SPANS = (("d", 86400), ("h", 3600), ("m", 60))


def written(option: Option, value: object) -> str:
    """`value` of `option` as it is written in the environment; parsing it gives the value back."""
    match option.unit:
        case "size":
            assert isinstance(value, int)
            for suffix, unit in _SUFFIXES:
                if value and value % unit == 0:
                    return f"{value // unit}{suffix}"
            return str(value)
        case "duration":
            assert isinstance(value, int | float)
            for suffix, unit in _SPANS:
                if value and value % unit == 0:
                    return f"{int(value // unit)}{suffix}"
            return f"{value:g}"
        case "points":
            return f"{value:g}"
        case "switch":
            return "true" if value else "false"
        case "port":
            return "off" if value is None else str(value)
        case "servers" | "networks" | "domains" | "addresses" | "DNS lists" | "words":
            assert isinstance(value, tuple)
            return ",".join(value)
        case _:
            return str(value)


def shown(settings: Settings) -> list[tuple[Option, str]]:
    """Every option with its value as a person may see it: of secrets only that they are set."""
    found = []
    for option in options():
        value = getattr(getattr(settings, option.section), option.name)
        found.append((option, "(set)" if option.unit == "secret" and value else written(option, value)))
    return found


def _by_section() -> Iterable[tuple[str, str, list[Option]]]:
    docstrings = {section.name: section.type.__doc__ for section in msgspec.structs.fields(Settings)}
    for name, declared in groupby(options(), key=lambda option: option.section):
        yield name, (docstrings[name] or "").strip().splitlines()[0], list(declared)


def configuration_markdown() -> str:
    """The text of docs/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Each setting is an environment variable or a line `NAME=value` in `.env`; the environment wins. An unknown",
        "`MAILSTEAD_` name or a value that is not allowed stops the start with one line that names it.",
        "",
        "This page is made from the code: `mailstead config doc > docs/configuration.md`.",
    ]
    for _, sentence, declared in _by_section():
        lines += [
            "",
            f"## {sentence.rstrip('.')}",
            "",
            "| name | default | allowed | what it does |",
            "|---|---|---|---|",
        ]
        for option in declared:
            default = written(option, option.default)
            shown = f"`{default}`" if default else "empty"
            lines.append(f"| `{option.environment}` | {shown} | {option.allowed} | {option.sentence} |")
    return "\n".join(lines) + "\n"


def env_example() -> str:
    """The text of .env.example: every option commented out at its default."""
    lines = ["# Every setting at its default; made by `mailstead config doc --env > .env.example`."]
    for _, sentence, declared in _by_section():
        lines += ["", f"# {sentence}"]
        for option in declared:
            lines.append(f"# {option.sentence}.")
            lines.append(f"#{option.environment}={written(option, option.default)}")
    return "\n".join(lines) + "\n"
