"""RFC 5228: the language itself, and the small extensions that it defines."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.extensions.matching import (
    ADDRESS_PART,
    INDEX,
    LIST,
    MATCH,
    MIME,
    MIME_OPTIONS,
    check_match,
)
from mailstead.formats.sieve.specification import Extension, Positional, Specification, Tag, Values

_HEADERS = Positional("headers", "strings", checks.header_name)
_KEYS = Positional("keys", "strings")


def _address_or_list(text: str) -> str | None:
    return None if checks.list_name(text) is None else checks.address(text)


def _check_redirect(values: Values) -> str | None:
    """One address, or the name of a list (RFC 6134 §2.3), when it is known before the script runs."""
    to = values["address"]
    if not isinstance(to, str):
        return None
    return checks.list_name(to) if "list" in values else checks.address(to)


BASE = Extension(
    "",
    "RFC 5228",
    commands=(
        Specification("require", (Positional("capabilities", "strings", constant=True),)),
        Specification("if", tests="one", block=True),
        Specification("elsif", tests="one", block=True),
        Specification("else", block=True),
        Specification("stop"),
        Specification("keep"),
        Specification("discard"),
        Specification("redirect", (Positional("address", "string", _address_or_list),), check=_check_redirect),
    ),
    tests=(
        Specification("address", (_HEADERS, _KEYS), MATCH + LIST + ADDRESS_PART + INDEX + MIME, check=check_match),
        Specification("allof", tests="list"),
        Specification("anyof", tests="list"),
        Specification("exists", (_HEADERS,), MIME),
        Specification("false"),
        Specification("header", (_HEADERS, _KEYS), MATCH + LIST + INDEX + MIME + MIME_OPTIONS, check=check_match),
        Specification("not", tests="one"),
        Specification(
            "size",
            (Positional("limit", "number"),),
            (Tag("over", group="relation"), Tag("under", group="relation")),
            check=lambda values: None if "relation" in values else 'The size is ":over" or ":under" a limit.',
        ),
        Specification("true"),
    ),
)
FILEINTO = Extension(
    "fileinto",
    "RFC 5228 §4.1",
    commands=(Specification("fileinto", (Positional("mailbox", "string", checks.mailbox_name),)),),
)
ENVELOPE = Extension(
    "envelope",
    "RFC 5228 §5.4",
    tests=(
        Specification(
            "envelope",
            (Positional("parts", "strings", checks.envelope_part), _KEYS),
            MATCH + LIST + ADDRESS_PART,
            check=check_match,
        ),
    ),
)
ENCODED_CHARACTER = Extension("encoded-character", "RFC 5228 §2.4.2.4", is_grammar=True)
COMPARATORS = tuple(
    Extension(f"comparator-{name}", standard)
    for name, standard in (
        ("i;octet", "RFC 4790 §9.3"),
        ("i;ascii-casemap", "RFC 4790 §9.2"),
        ("i;ascii-numeric", "RFC 4790 §9.1"),
        ("i;unicode-casemap", "RFC 5051"),
    )
)
