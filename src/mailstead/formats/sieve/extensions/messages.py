"""Tests of a message and edits of it: body, date, index, subaddress, relational, regex, mime, editheader."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.extensions.matching import INDEX, MATCH, MODIFIERS, check_index, check_match
from mailstead.formats.sieve.specification import Extension, Positional, Specification, Tag, Values

RELATIONAL = Extension("relational", "RFC 5231")
REGEX = Extension("regex", "draft-ietf-sieve-regex")
SUBADDRESS = Extension("subaddress", "RFC 5233")
INDEX_EXTENSION = Extension("index", "RFC 5260 §6")
SPAMTEST = Extension(
    "spamtest",
    "RFC 5235",
    tests=(
        Specification(
            "spamtest",
            (Positional("rating", "string"),),
            (Tag("percent", capability="spamtestplus"), *MATCH),
            check=check_match,
        ),
    ),
)
SPAMTESTPLUS = Extension("spamtestplus", "RFC 5235", implies=("spamtest",))
VIRUSTEST = Extension(
    "virustest",
    "RFC 5235",
    tests=(Specification("virustest", (Positional("rating", "string"),), MATCH, check=check_match),),
)
BODY = Extension(
    "body",
    "RFC 5173",
    tests=(
        Specification(
            "body",
            (Positional("keys", "strings"),),
            (
                *MATCH,
                Tag("raw", group="transform"),
                Tag("content", kind="strings", group="transform", check=checks.content_type),
                Tag("text", group="transform"),
            ),
            check=check_match,
        ),
    ),
)
_PART = Positional("part", "string", checks.date_part)
_KEYS = Positional("keys", "strings")
_ZONE = Tag("zone", kind="string", group="zone-kind", check=checks.zone)
DATE = Extension(
    "date",
    "RFC 5260 §4",
    tests=(
        Specification(
            "date",
            (Positional("header", "string", checks.header_name), _PART, _KEYS),
            (*MATCH, *INDEX, _ZONE, Tag("originalzone", group="zone-kind")),
            check=check_match,
        ),
        Specification("currentdate", (_PART, _KEYS), (*MATCH, _ZONE), check=check_match),
    ),
)


def _check_deletion(values: Values) -> str | None:
    if values.get("patterns") is None and ("match" in values or "comparator" in values):
        return "A match type needs values to compare with."
    patterns = {"keys": values.get("patterns")}
    return check_match(values | patterns) or check_index(values)


EDITHEADER = Extension(
    "editheader",
    "RFC 5293",
    commands=(
        Specification(
            "addheader",
            (Positional("name", "string", checks.header_name), Positional("value", "string", checks.one_line)),
            (Tag("last"),),
        ),
        Specification(
            "deleteheader",
            (Positional("name", "string", checks.header_name), Positional("patterns", "strings", optional=True)),
            (*MATCH, Tag("index", kind="number"), Tag("last", needs="index")),
            check=_check_deletion,
        ),
    ),
)
FOREVERYPART = Extension(
    "foreverypart",
    "RFC 5703 §3",
    commands=(
        Specification("foreverypart", tags=(Tag("name", kind="string", constant=True),), block=True),
        Specification("break", tags=(Tag("name", kind="string", constant=True),)),
    ),
)
MIME_EXTENSION = Extension("mime", "RFC 5703 §4")


def _check_replacement(values: Values) -> str | None:
    """RFC 5703 §5: a MIME entity has its own fields."""
    if "mime" in values and ("subject" in values or "from" in values):
        return '":mime" excludes ":subject" and ":from".'
    return None


REPLACE = Extension(
    "replace",
    "RFC 5703 §5",
    commands=(
        Specification(
            "replace",
            (Positional("replacement", "string"),),
            (
                Tag("mime"),
                Tag("subject", kind="string", check=checks.one_line),
                Tag("from", kind="string", check=checks.address),
            ),
            check=_check_replacement,
        ),
    ),
)
ENCLOSE = Extension(
    "enclose",
    "RFC 5703 §6",
    commands=(
        Specification(
            "enclose",
            (Positional("text", "string"),),
            (
                Tag("subject", kind="string", check=checks.one_line),
                Tag("headers", kind="strings", check=checks.header_name),
            ),
        ),
    ),
)
EXTRACTTEXT = Extension(
    "extracttext",
    "RFC 5703 §7",
    commands=(
        Specification(
            "extracttext",
            (Positional("variable", "string", checks.variable_name, constant=True),),
            (
                Tag("first", kind="number"),
                *MODIFIERS,
            ),
        ),
    ),
)
