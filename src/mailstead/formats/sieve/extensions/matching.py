"""Arguments that many tests share: comparator, match type, address part (RFC 5228 §2.7), index (RFC 5260 §6)."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.specification import Tag, Values

MATCH = (
    Tag("comparator", kind="string", check=checks.comparator, constant=True),
    Tag("is", group="match"),
    Tag("contains", group="match"),
    Tag("matches", group="match"),
    Tag("count", kind="string", capability="relational", group="match", check=checks.relation),
    Tag("value", kind="string", capability="relational", group="match", check=checks.relation),
    Tag("regex", capability="regex", group="match"),
)
LIST = (Tag("list", capability="extlists", group="match"),)  # RFC 6134 §2.2: tests that say so
ADDRESS_PART = (
    Tag("all", group="part"),
    Tag("localpart", group="part"),
    Tag("domain", group="part"),
    Tag("user", capability="subaddress", group="part"),
    Tag("detail", capability="subaddress", group="part"),
)
INDEX = (
    Tag("index", kind="number", capability="index"),
    Tag("last", capability="index", needs="index"),
)
MIME = (
    Tag("mime", capability="mime"),
    Tag("anychild", capability="mime", needs="mime"),
)
MIME_OPTIONS = (
    Tag("type", capability="mime", group="mime-part", needs="mime"),
    Tag("subtype", capability="mime", group="mime-part", needs="mime"),
    Tag("contenttype", capability="mime", group="mime-part", needs="mime"),
    Tag("param", kind="strings", capability="mime", group="mime-part", needs="mime"),
)
# modifiers of a variable's value; the group is the precedence, of which each may stand once (RFC 5229 §4.1)
MODIFIERS = (
    Tag("lower", group="40"),
    Tag("upper", group="40"),
    Tag("lowerfirst", group="30"),
    Tag("upperfirst", group="30"),
    Tag("quotewildcard", group="20"),
    Tag("quoteregex", capability="regex", group="20"),
    Tag("encodeurl", capability="enotify", group="15"),
    Tag("length", group="10"),
)
_NO_SUBSTRINGS = ("contains", "matches", "regex")


def check_match(values: Values) -> str | None:
    """A comparator and a match type that go together; keys of :regex that are expressions."""
    match = values.get("match", "is")
    if match == "list":
        return _check_lists(values) or check_index(values)
    if values.get("comparator") == "i;ascii-numeric" and match in _NO_SUBSTRINGS:
        return f'":{match}" cannot be used with the comparator "i;ascii-numeric".'
    if match == "regex":
        for key in values.get("keys") or ():
            complaint = checks.regex(key) if isinstance(key, str) else None
            if complaint:
                return complaint
    return check_index(values)


def _check_lists(values: Values) -> str | None:
    """RFC 6134 §2.2: names of lists, and no comparator."""
    if "comparator" in values:
        return '":list" cannot be used with a comparator.'
    complaints = (checks.list_name(key) for key in values.get("keys") or () if isinstance(key, str))
    return next((complaint for complaint in complaints if complaint), None)


def check_index(values: Values) -> str | None:
    """RFC 5260 §6: fields count from 1."""
    return "Fields are counted from 1." if values.get("index", 1) < 1 else None
