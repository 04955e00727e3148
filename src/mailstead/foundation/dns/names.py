"""Domain names as they are asked for: A-labels, checked before anything is sent."""

import re

from mailstead.foundation.errors import InvalidError

_NAME_LIMIT = 253
_LABEL_LIMIT = 63
_PLAIN = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")  # nearly every name that is asked for
_IDEOGRAPHIC_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})  # written as dots in names


class InvalidNameError(InvalidError):
    """The text is no domain name."""

    public_text = "Not a domain name"


def ascii_name(text: str, *, spaces: bool = False) -> str:
    """`text` in lower case with internationalised labels as A-labels (RFC 5890 §2.3.2.1), without the final dot.

    Takes any printable ASCII in a label, as DNS does (RFC 2181 §11): underscores above all. Raises InvalidNameError for
    empty labels, labels over 63 octets, names over 253 octets, controls, backslashes, and unless `spaces` for spaces.
    """
    if len(text) <= _NAME_LIMIT and _PLAIN.fullmatch(text) is not None:
        return text
    if len(text) > _NAME_LIMIT + 1:
        raise InvalidNameError(detail=repr(text[:_NAME_LIMIT]))
    labels = text.translate(_IDEOGRAPHIC_DOTS).removesuffix(".").split(".")
    name = ".".join(_ascii_label(label, " " if spaces else "!") for label in labels)
    if len(name) > _NAME_LIMIT:
        raise InvalidNameError(detail=repr(text))
    return name


def _ascii_label(label: str, least: str) -> str:
    if not label.isascii():
        try:
            label = label.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise InvalidNameError(detail=repr(label)) from error
    if not 0 < len(label) <= _LABEL_LIMIT or any(
        not least <= character <= "~" or character in "\\." for character in label
    ):
        raise InvalidNameError(detail=repr(label))
    return label.lower()
