"""What stands inside strings: encoded characters (RFC 5228 §2.4.2.4) and variables (RFC 5229 §3).

encoded-arb-octets  = "${hex:" hex-pair-seq "}"
encoded-unicode-char = "${unicode:" unicode-hex-seq "}"
variable-ref        = "${" [namespace] variable-name "}"
namespace           = identifier "." *sub-namespace
variable-name       = num-variable / identifier
"""

import re

from mailstead.formats.sieve.program import Template, Variable

_ENCODED = re.compile(
    r"\$\{(?:(hex):((?:\s*[0-9A-F]{2})(?:\s+[0-9A-F]{2})*\s*)|(unicode):\s*([0-9A-F\s]+))\}", re.IGNORECASE
)
_HEX_RUN = re.compile(r"(?:\$\{hex:(?:\s*[0-9A-F]{2})(?:\s+[0-9A-F]{2})*\s*\})+", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{((?:[A-Za-z_][A-Za-z0-9_]*\.)*)([A-Za-z_][A-Za-z0-9_]*|[0-9]+)\}")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MATCH_VARIABLES = 9


def decode_encoded_characters(text: str) -> str:
    """`text` with its encoded characters resolved; what is not of their form is left. Raises ValueError.

    Octets of adjacent ${hex:} are put together before they are read as UTF-8, which they must be.
    """
    joined = _HEX_RUN.sub(lambda run: _octets(run[0]), text)
    return _ENCODED.sub(_character, joined)


def _octets(run: str) -> str:
    octets = b"".join(bytes.fromhex("".join(found[2].split())) for found in _ENCODED.finditer(run))
    return octets.decode("utf-8")


def _character(found: "re.Match[str]") -> str:
    if found[3] is None:
        return found[0]
    numbers = [int(word, 16) if len(word) <= 12 else 0x110000 for word in found[4].split()]
    if any(number > 0x10FFFF or 0xD800 <= number < 0xE000 for number in numbers):
        raise ValueError
    return "".join(chr(number) for number in numbers) if numbers else found[0]


def split_template(text: str) -> Template:
    """The pieces of a string between its variables, whose names are made lower case; the string when it has none.

    Raises ValueError for a match variable past ${9}.
    """
    if "${" not in text:
        return text
    pieces: list[str | Variable] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > position:
            pieces.append(text[position : found.start()])
        namespace, name = found[1].rstrip(".").lower(), found[2].lower()
        if name.isdigit():
            number = int(name) if len(name) < 6 else MATCH_VARIABLES + 1
            if number > MATCH_VARIABLES or namespace:
                raise ValueError(f"${{{found[1]}{found[2]}}}")
            pieces.append(Variable(name, number=number))
        else:
            pieces.append(Variable(name, namespace))
        position = found.end()
    if not pieces:
        return text
    if position < len(text):
        pieces.append(text[position:])
    return tuple(pieces)
