"""From the environment and `.env` to Settings."""

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.lists import parse_list
from mailstead.foundation.dns.names import ascii_name
from mailstead.foundation.dns.servers import parse_server
from mailstead.foundation.errors import InvalidError

PREFIX = "MAILSTEAD_"
_SIZE_SUFFIXES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_DURATION_SUFFIXES = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SWITCH_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_PORT_MOST = 65535
_NEARNESS = 0.85


class SettingsError(Exception):
    """A name or value in the environment or `.env` that Settings does not allow; the text is one line."""


class Option(NamedTuple):
    """One declared option: where it is, how it is named outside, and what it takes."""

    section: str
    name: str
    environment: str
    unit: str
    sentence: str
    default: Any
    allowed: str
    type: Any


def options() -> Iterator[Option]:
    """Every option in declaration order."""
    for section in msgspec.structs.fields(Settings):
        prefix = "" if section.name == "server" else section.name.upper() + "_"
        described = inspect.type_info(section.type)
        assert isinstance(described, inspect.StructType)
        for declared, field in zip(msgspec.structs.fields(section.type), described.fields, strict=True):
            metadata = field.type
            assert isinstance(metadata, inspect.Metadata), f"{section.name}.{field.name} lacks an option()"
            extra = metadata.extra or {}
            unit = extra["unit"]
            sentence = (metadata.extra_json_schema or {})["description"]
            environment = f"{PREFIX}{prefix}{field.name.upper()}"
            default = declared.default
            allowed = _allowed(unit, metadata.type, extra.get("allowed", "text"))
            yield Option(section.name, field.name, environment, unit, sentence, default, allowed, declared.type)


def _allowed(unit: str, kind: inspect.Type, words_of_text: str) -> str:
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(str(value) for value in kind.values)
    words = {
        "text": words_of_text,
        "secret": words_of_text,
        "path": "a path",
        "size": "bytes, with K, M, G or T",
        "duration": "seconds, or with ms, s, m, h or d",
        "switch": "true or false",
        "port": f"0 to {_PORT_MOST}, or off",
        "servers": "ADDRESS or ADDRESS:PORT, separated by commas",
        "networks": "networks as ADDRESS or ADDRESS/BITS, separated by commas",
        "domains": "domain names, separated by commas",
        "addresses": "IP addresses, separated by commas",
        "DNS lists": "ZONE, ZONE=ADDRESS, ZONE=FIRST-LAST, each with *POINTS, separated by commas",
        "words": "words, separated by commas",
        "points": "a number from 0",
    }
    if unit != "number":
        return words[unit]
    assert isinstance(kind, inspect.IntType)
    return f"a whole number from {kind.ge or 0}" + (f" to {kind.le}" if kind.le is not None else "")


def _read(option: Option, text: str) -> Any:
    """The value of `text` as the option's unit says; raises ValueError, InvalidError (msgspec checks bounds after)."""
    match option.unit:
        case "size":
            found = re.fullmatch(r"(\d+)\s*([KMGT]?)i?B?", text, re.IGNORECASE)
            if not found:
                raise ValueError(text)
            return int(found[1]) * _SIZE_SUFFIXES[found[2].upper()]
        case "duration":
            found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", text)
            if not found:
                raise ValueError(text)
            return float(found[1]) * _DURATION_SUFFIXES[found[2] or ""]
        case "switch":
            if text.lower() not in _SWITCH_WORDS:
                raise ValueError(text)
            return _SWITCH_WORDS[text.lower()]
        case "port":
            if text.lower() == "off":
                return None
            value = int(text)
            if not 0 <= value <= _PORT_MOST:
                raise ValueError(text)
            return value
        case "servers":
            servers = _parts(text)
            for part in servers:
                parse_server(part)
            return servers
        case "networks":
            networks = _parts(text)
            for part in networks:
                ipaddress.ip_network(part, strict=False)
            return networks
        case "domains":
            return tuple(ascii_name(part) for part in _parts(text))
        case "addresses":
            return tuple(str(ipaddress.ip_address(part)) for part in _parts(text))
        case "DNS lists":
            lists = _parts(text)
            for part in lists:
                parse_list(part)
            return lists
        case "words":
            return _parts(text)
        case "number":
            return int(text)
        case "points":
            return float(text)
        case _:
            return text


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_env_file(path: Path) -> dict[str, str]:
    """The names and values of a `.env` file: `NAME=value` lines, `#` comments, values optionally quoted."""
    found: dict[str, str] = {}
    if not path.is_file():
        return found
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.removeprefix("export ").partition("=")
        if not equals:
            raise SettingsError(f"{path} line {number}: not of the form NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return found


def load_settings(environment: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Settings from `.env` (when `env_file` exists) and the environment, which wins.

    Raises SettingsError, one line, for an unknown `MAILSTEAD_` name or a value that is not allowed.
    """
    given = read_env_file(env_file) if env_file is not None else {}
    given |= environment
    known = {option.environment: option for option in options()}
    sections: dict[str, dict[str, Any]] = {}
    for name, text in given.items():
        if not name.startswith(PREFIX):
            continue
        option = known.get(name)
        if option is None:
            near = difflib.get_close_matches(name, known, 1, _NEARNESS)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name}: no such setting{meant} (mailstead config doc lists them all)")
        shown = "the value" if option.unit == "secret" else repr(text)
        try:
            value = msgspec.convert(_read(option, text.strip()), option.type)
        except (ValueError, InvalidError, msgspec.ValidationError):
            raise SettingsError(f"{name}: {shown} is not allowed; allowed: {option.allowed}") from None
        sections.setdefault(option.section, {})[option.name] = value
    kinds = {section.name: section.type for section in msgspec.structs.fields(Settings)}
    return Settings(**{name: kinds[name](**values) for name, values in sections.items()})
