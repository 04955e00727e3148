"""Messages that a script sends: vacation, enotify; and what it need not answer twice: duplicate."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.extensions.matching import MATCH, check_match
from mailstead.formats.sieve.specification import Extension, Positional, Specification, Tag

VACATION = Extension(
    "vacation",
    "RFC 5230",
    commands=(
        Specification(
            "vacation",
            (Positional("reason", "string"),),
            (
                Tag("days", kind="number", group="period"),
                Tag("seconds", kind="number", capability="vacation-seconds", group="period"),
                Tag("subject", kind="string", check=checks.one_line),
                Tag("from", kind="string", check=checks.address),
                Tag("addresses", kind="strings", check=checks.address),
                Tag("mime"),
                Tag("handle", kind="string"),
            ),
        ),
    ),
)
VACATION_SECONDS = Extension("vacation-seconds", "RFC 6131", implies=("vacation",))
ENOTIFY = Extension(
    "enotify",
    "RFC 5435",
    commands=(
        Specification(
            "notify",
            (Positional("method", "string"),),
            (
                Tag("from", kind="string", check=checks.address),
                Tag("importance", kind="string", check=checks.importance),
                Tag("options", kind="strings"),
                Tag("message", kind="string"),
            ),
        ),
    ),
    tests=(
        Specification("valid_notify_method", (Positional("methods", "strings"),)),
        Specification(
            "notify_method_capability",
            (Positional("method", "string"), Positional("capability", "string"), Positional("keys", "strings")),
            MATCH,
            check=check_match,
        ),
    ),
)
DUPLICATE = Extension(
    "duplicate",
    "RFC 7352",
    tests=(
        Specification(
            "duplicate",
            tags=(
                Tag("handle", kind="string"),
                Tag("header", kind="string", group="source"),
                Tag("uniqueid", kind="string", group="source"),
                Tag("seconds", kind="number"),
                Tag("last"),
            ),
        ),
    ),
)
