"""Where a message goes and how: copy, imap4flags, mailbox, special-use, reject, fcc."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.extensions.matching import MATCH, check_match
from mailstead.formats.sieve.specification import Extension, Positional, Specification, Tag

COPY = Extension(
    "copy",
    "RFC 3894",
    tags=(("fileinto", (Tag("copy", capability="copy"),)), ("redirect", (Tag("copy", capability="copy"),))),
)
_FLAGS_TAG = Tag("flags", kind="strings", capability="imap4flags")
_CREATE_TAG = Tag("create", capability="mailbox")
_SPECIAL_USE_TAG = Tag("specialuse", kind="string", capability="special-use", check=checks.special_use)
_VARIABLE = Positional("variable", "string", checks.variable_name, constant=True, optional=True)
_FLAGS = Positional("flags", "strings")
IMAP4FLAGS = Extension(
    "imap4flags",
    "RFC 5232",
    commands=tuple(Specification(name, (_VARIABLE, _FLAGS)) for name in ("setflag", "addflag", "removeflag")),
    tests=(
        Specification(
            "hasflag",
            (Positional("variables", "strings", checks.variable_name, optional=True), Positional("keys", "strings")),
            MATCH,
            check=check_match,
        ),
    ),
    tags=(("keep", (_FLAGS_TAG,)), ("fileinto", (_FLAGS_TAG,))),
)
MAILBOX = Extension(
    "mailbox",
    "RFC 5490 §3",
    tests=(Specification("mailboxexists", (Positional("mailboxes", "strings"),)),),
    tags=(("fileinto", (_CREATE_TAG,)),),
)
SPECIAL_USE = Extension(
    "special-use",
    "RFC 8579",
    tests=(
        Specification(
            "specialuse_exists",
            (Positional("mailbox", "string", optional=True), Positional("uses", "strings")),
        ),
    ),
    tags=(("fileinto", (_SPECIAL_USE_TAG,)),),
)
_REASON = (Positional("reason", "string"),)
REJECT = Extension("reject", "RFC 5429 §2.2", commands=(Specification("reject", _REASON),))
EREJECT = Extension("ereject", "RFC 5429 §2.1", commands=(Specification("ereject", _REASON),))
_FCC_TAGS = (
    Tag("fcc", kind="string", capability="fcc", check=checks.mailbox_name),
    Tag("flags", kind="strings", capability="imap4flags", needs="fcc"),
    Tag("create", capability="mailbox", needs="fcc"),
    Tag("specialuse", kind="string", capability="special-use", check=checks.special_use, needs="fcc"),
)
FCC = Extension("fcc", "RFC 8580", tags=(("vacation", _FCC_TAGS), ("notify", _FCC_TAGS)))
