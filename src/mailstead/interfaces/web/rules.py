"""Filters that are made by a form: kept as a Sieve script (RFC 5228) whose first line has the form's content."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.errors import InvalidError

NAME = "Rules"
RULES_LIMIT = 100
_MARK = "# mailstead-rules: "
Field = Literal["from", "to", "subject", "list"]
Match = Literal["contains", "is"]
Action = Literal["move", "star", "read", "junk", "trash", "forward"]
_TESTS: dict[Field, str] = {
    "from": 'address :{match} ["from", "sender"] {value}',
    "to": 'address :{match} ["to", "cc"] {value}',
    "subject": 'header :{match} "subject" {value}',
    "list": 'header :{match} ["list-id", "list-post"] {value}',
}
_ACTIONS: dict[Action, str] = {
    "move": "fileinto :create {target}; stop;",
    "star": 'addflag "\\\\Flagged";',
    "read": 'addflag "\\\\Seen";',
    "junk": 'fileinto :specialuse "\\\\Junk" :create "Junk"; stop;',
    "trash": 'fileinto :specialuse "\\\\Trash" :create "Trash"; stop;',
    "forward": "redirect :copy {target};",
}
_REQUIRED = 'require ["fileinto", "mailbox", "special-use", "imap4flags", "copy"];'
NEEDS_TARGET = ("move", "forward")


class Rule(msgspec.Struct, frozen=True):
    """When `field` contains (or is) `value`, do `action`; `target` is a folder or an address where it needs one."""

    field: Field
    match: Match
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    action: Action
    target: Annotated[str, msgspec.Meta(max_length=320)] = ""


def read_rule(form: dict[str, str]) -> Rule:
    """The rule of a form. Raises InvalidError."""
    try:
        rule = msgspec.convert({name: form.get(name, "").strip() for name in Rule.__struct_fields__}, Rule)
    except msgspec.ValidationError:
        raise InvalidError("The rule is not complete") from None
    if rule.action in NEEDS_TARGET and not rule.target:
        raise InvalidError("The rule is not complete")
    if not (rule.value.isprintable() and rule.target.isprintable()):
        raise InvalidError("A rule's texts are one line each")
    return rule


def read_rules(script: bytes) -> list[Rule] | None:
    """The rules that a script was made of; None when a person wrote it."""
    first = script.decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
    if not first.startswith(_MARK):
        return None
    try:
        return msgspec.json.decode(first.removeprefix(_MARK), type=list[Rule])
    except msgspec.DecodeError:
        return None


def write_rules(rules: list[Rule]) -> bytes:
    """The script. Raises InvalidError for too many rules."""
    if len(rules) > RULES_LIMIT:
        raise InvalidError(f"At most {RULES_LIMIT} rules")
    lines = [_MARK + msgspec.json.encode(rules).decode(), _REQUIRED]
    for rule in rules:
        test = _TESTS[rule.field].format(match=rule.match, value=_quoted(rule.value))
        action = _ACTIONS[rule.action].format(target=_quoted(rule.target))
        lines.append(f"if {test} {{ {action} }}")
    return "\r\n".join([*lines, ""]).encode()


def _quoted(text: str) -> str:
    """RFC 5228 §2.4.2: a quoted string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
