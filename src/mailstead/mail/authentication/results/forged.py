"""Taking away results that strangers wrote in our name (RFC 8601 §5)."""

from collections.abc import Collection

from mailstead.formats.message.header import iter_field_ranges
from mailstead.mail.authentication.results.field import ResultsSyntaxError, results_identifier

_FIELD = b"authentication-results"


def without_forged(header: bytes, identifiers: Collection[str]) -> bytes:
    """`header` without Authentication-Results of any of `identifiers` (in lower case), or of none that can be read.

    Everything else stays byte for byte; a header without such fields is returned as the very same object.
    """
    if _FIELD not in header.lower():
        return header
    kept, position = [], 0
    for name, start, end in iter_field_ranges(header):
        if name.lower() != _FIELD:
            continue
        value = header[start:end].partition(b":")[2]
        try:
            claimed = results_identifier(value).lower().removesuffix(".")
        except ResultsSyntaxError:
            claimed = ""
        if not claimed or claimed in identifiers:
            kept.append(header[position:start])
            position = end
    if not position:
        return header
    kept.append(header[position:])
    return b"".join(kept)
