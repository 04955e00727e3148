"""Bounds of looking into messages."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import number, size


class MimeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Looking into messages; what is past a bound is kept as it is."""

    nesting: Annotated[int, number("Depth of parts told apart", least=1)] = 64
    parts: Annotated[int, number("Parts told apart", least=1)] = 1000
    header_size: Annotated[int, size("Header octets of a part looked at", least=1024)] = 256 * 1024
    addresses: Annotated[int, number("Addresses of one field looked at", least=1)] = 1000
