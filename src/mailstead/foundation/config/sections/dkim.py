"""Options of DKIM."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import number, switch


class DkimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """DKIM."""

    sign: Annotated[bool, switch("Sign outgoing mail")] = True
    rsa_bits: Annotated[int, number("Size of new RSA keys", least=2048, most=4096)] = 2048
    signatures_limit: Annotated[int, number("Signatures of one message looked at, from the top", least=1)] = 10
    rsa_bits_most: Annotated[int, number("Longest RSA key of others looked at", least=2048, most=16384)] = 8192
