"""From vCard 3.0 to 4.0 and back (RFC 2426, RFC 6350 and its appendix A).

What both versions know in another form is put into that form; what only one knows stays as it is under its name, since
readers pass over properties that they do not know. Nothing is dropped but what the target forbids.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.write import fold, write_line

Version = Literal["3.0", "4.0"]
VERSIONS: tuple[Version, ...] = ("3.0", "4.0")
Parameters = tuple[tuple[str, tuple[str, ...]], ...]

_BINARY = frozenset(("PHOTO", "LOGO", "SOUND", "KEY"))
_DATA = re.compile(r"data:([^;,]*)((?:;[^;,]*)*?)(;base64)?,(.*)\Z", re.IGNORECASE | re.DOTALL)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(T(\d\d):?(\d\d):?(\d\d)(.*))?\Z")
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)(T(\d\d)(\d\d)(\d\d)(.*))?\Z")
_GROUP_MEMBER, _KIND = "X-ADDRESSBOOKSERVER-MEMBER", "X-ADDRESSBOOKSERVER-KIND"
_NAMES_UP = {_KIND: "KIND", _GROUP_MEMBER: "MEMBER", "X-ANNIVERSARY": "ANNIVERSARY", "X-GENDER": "GENDER"}
_NAMES_DOWN = {new: old for old, new in _NAMES_UP.items()}
_MEDIA = {"JPEG": "image/jpeg", "JPG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}


def converted(card: Component, version: Version) -> Component:
    """The card in another version."""
    made = Component("VCARD")
    made.components = list(card.components)
    change: Callable[[ContentLine], ContentLine | None] = _up if version == "4.0" else _down
    made.properties.append(ContentLine("VERSION", version))
    for line in card.properties:
        if line.name == "VERSION":
            continue
        changed = change(line)
        if changed is not None:
            made.properties.append(changed)
    if version == "3.0" and made.first("N") is None:  # N must be there (RFC 2426 §3.1.2)
        name = card.first("FN")
        made.properties.append(ContentLine("N", f"{name.value if name is not None else ''};;;;"))
    return made


def write_card(card: Component, wanted: Mapping[str, bool]) -> bytes:
    """The card as octets; of some properties when any are named, those that False stands for without their value."""
    lines = []
    for line in card.properties:
        if wanted and line.name not in wanted and line.name != "VERSION":
            continue
        lines.append(write_line(line if wanted.get(line.name, True) else msgspec.structs.replace(line, value="")))
    return b"".join((fold(b"BEGIN:VCARD"), *lines, fold(b"END:VCARD")))


def _without(parameters: Parameters, *names: str) -> Parameters:
    return tuple(one for one in parameters if one[0] not in names)


def _types(line: ContentLine) -> list[str]:
    """TYPE's values; some writers put all of them between one pair of quotes."""
    return [one for value in line.parameter_values("TYPE") for one in value.split(",") if one]


def _up(line: ContentLine) -> ContentLine | None:
    """A property of 3.0 as 4.0 has it."""
    types = _types(line)
    parameters = _without(line.parameters, "TYPE", "CHARSET")
    if any(one.lower() == "pref" for one in types):
        types = [one for one in types if one.lower() != "pref"]
        if line.parameter("PREF") is None:
            parameters = (*parameters, ("PREF", ("1",)))
    name = _NAMES_UP.get(line.name, line.name)
    value = line.value
    if line.name in _BINARY:
        encoding = (line.parameter("ENCODING") or "").lower()
        parameters = _without(parameters, "ENCODING", "VALUE")
        if encoding in ("b", "base64"):
            media = next((one for one in types if "/" in one or one.upper() in _MEDIA), "")
            types = [one for one in types if one != media]
            value = (
                f"data:{_MEDIA.get(media.upper(), media.lower()) or 'application/octet-stream'};base64,{_joined(value)}"
            )
        types = [one for one in types if one.upper() not in _MEDIA]
    elif line.name in ("BDAY", "REV", "X-ANNIVERSARY"):
        value = _basic(value)
        parameters = _without(parameters, "VALUE")
    elif line.name == "GEO" and not value.lower().startswith("geo:"):
        value = "geo:" + value.replace(";", ",")
    elif line.name == "AGENT":
        return ContentLine("X-AGENT", value, line.parameters, line.group)
    elif line.name in ("MAILER", "LABEL", "CLASS", "PROFILE", "NAME", "SORT-STRING"):
        return ContentLine(f"X-{line.name}", value, line.parameters, line.group)
    kept = [one.lower() for one in types if one.upper() != "INTERNET"]
    if kept:
        parameters = (*parameters, ("TYPE", tuple(dict.fromkeys(kept))))
    return ContentLine(name, value, parameters, line.group)


def _down(line: ContentLine) -> ContentLine | None:
    """A property of 4.0 as 3.0 has it."""
    types = _types(line)
    parameters = _without(line.parameters, "TYPE", "PREF", "ALTID", "PID", "MEDIATYPE", "CALSCALE")
    name, value = _NAMES_DOWN.get(line.name, line.name), line.value
    if line.name == "CLIENTPIDMAP":
        return None
    preference = line.parameter("PREF") or ""
    if preference == "1":
        types.append("pref")
    if line.name in _BINARY:
        match = _DATA.match(value)
        parameters = _without(parameters, "VALUE")
        if match is not None and match[3]:
            media = match[1].lower()
            short = media.partition("/")[2].upper() if media.startswith("image/") else media
            parameters = (*parameters, ("ENCODING", ("b",)))
            types = [*types, *([short] if short else [])]
            value = match[4]
        else:
            parameters = (*parameters, ("VALUE", ("uri",)))
    elif line.name in ("BDAY", "ANNIVERSARY"):
        value = _extended(value)
    elif line.name == "GEO" and value.lower().startswith("geo:"):
        value = value[4:].partition(";")[0].replace(",", ";")
    elif line.name == "TEL" and value.lower().startswith("tel:"):
        value = value[4:].partition(";")[0]
        parameters = _without(parameters, "VALUE")
    elif line.name in ("X-AGENT", "X-MAILER", "X-LABEL", "X-CLASS", "X-PROFILE", "X-NAME", "X-SORT-STRING"):
        return ContentLine(line.name.removeprefix("X-"), value, line.parameters, line.group)
    if types:
        shown = [one if one == "pref" or line.name in _BINARY else one.upper() for one in types]
        parameters = (*parameters, ("TYPE", tuple(dict.fromkeys(shown))))
    return ContentLine(name, value, parameters, line.group)


def _joined(value: str) -> str:
    return "".join(value.split())


def _basic(value: str) -> str:
    """A date in the basic form that 4.0 wants."""
    match = _DATE.match(value.strip())
    if match is None:
        return value
    time = f"T{match[5]}{match[6]}{match[7]}{match[8].replace(':', '')}" if match[4] else ""
    return f"{match[1]}{match[2]}{match[3]}{time}"


def _extended(value: str) -> str:
    """A date in the extended form that readers of 3.0 know."""
    match = _BASIC.match(value.strip())
    if match is None:
        return value
    time = f"T{match[5]}:{match[6]}:{match[7]}{match[8]}" if match[4] else ""
    return f"{match[1]}-{match[2]}-{match[3]}{time}"
