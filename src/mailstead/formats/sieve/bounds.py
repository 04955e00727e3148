"""How much of a script there may be."""

import msgspec


class Bounds(msgspec.Struct, frozen=True):
    """`size` in octets; `nesting` of blocks and tests; the rest are counts."""

    size: int = 64 * 1024
    nesting: int = 32
    tokens: int = 20_000
    arguments: int = 32
    strings: int = 4_000
