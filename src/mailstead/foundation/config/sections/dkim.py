"""Options of DKIM."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import number, switch


class DkimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """DKIM."""

    sign: Annotated[bool, switch("Sign outgoing mail")] = True
    rsa_bits: Annotated[int, number("Size of new RSA keys", least=2048, most=4096)] = 2048
