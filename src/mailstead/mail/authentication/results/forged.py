"""Taking away results that strangers wrote in our name (RFC 8601 §5)."""

from collections.abc import Collection

from mailstead.formats.message.header import iter_field_ranges
from mailstead.mail.authentication.results.field import ResultsSyntaxError, results_identifier

_FIELD = b"authentication-results"
_BRAND = b"bimi-"
_BRANDS = (b"bimi-location", b"bimi-indicator")


def without_forged(header: bytes, identifiers: Collection[str]) -> bytes:
    """`header` without Authentication-Results of any of `identifiers` (in lower case), or of none that can be read.

    So without fields that only who receives a message may write: BIMI-Location and BIMI-Indicator.

    Everything else stays byte for byte; a header without such fields is returned as the very same object.
    """
    lowered = header.lower()
    if _FIELD not in lowered and _BRAND not in lowered:
        return header
    kept, position = [], 0
    for name, start, end in iter_field_ranges(header):
        if name.lower() in _BRANDS:
            kept.append(header[position:start])
            position = end
            continue
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
    if not kept:
        return header
    kept.append(header[position:])
    return b"".join(kept)
