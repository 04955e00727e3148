"""What makes scripts programs: variables, include, environment, ihave."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.extensions.matching import LIST, MATCH, MODIFIERS, check_match
from mailstead.formats.sieve.specification import Extension, Positional, Specification, Tag

VARIABLES = Extension(
    "variables",
    "RFC 5229",
    commands=(
        Specification(
            "set",
            (Positional("variable", "string", checks.variable_name, constant=True), Positional("value", "string")),
            MODIFIERS,
        ),
    ),
    tests=(
        Specification(
            "string", (Positional("sources", "strings"), Positional("keys", "strings")), MATCH + LIST, check=check_match
        ),
    ),
    is_grammar=True,
)
INCLUDE = Extension(
    "include",
    "RFC 6609",
    commands=(
        Specification(
            "include",
            (Positional("script", "string", checks.script_name, constant=True),),
            (
                Tag("personal", group="location"),
                Tag("global", group="location"),
                Tag("once"),
                Tag("optional"),
            ),
        ),
        Specification("return"),
        Specification("global", (Positional("names", "strings", checks.plain_variable_name, constant=True),)),
    ),
)
EXTLISTS = Extension(
    "extlists",
    "RFC 6134",
    tests=(Specification("valid_ext_list", (Positional("names", "strings"),)),),
    tags=(("redirect", (Tag("list", capability="extlists"),)),),
)
ENVIRONMENT = Extension(
    "environment",
    "RFC 5183",
    tests=(
        Specification(
            "environment", (Positional("item", "string"), Positional("keys", "strings")), MATCH, check=check_match
        ),
    ),
)
IHAVE = Extension(
    "ihave",
    "RFC 5463",
    commands=(Specification("error", (Positional("message", "string"),)),),
    tests=(Specification("ihave", (Positional("capabilities", "strings", constant=True),)),),
)
