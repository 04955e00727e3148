"""Options of logging in."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class LoginSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Logging in."""

    argon2_memory: Annotated[int, size("Memory of one derivation from a password", least=64 * 1024)] = 64 * 1024**2
    argon2_passes: Annotated[int, number("Passes of one derivation from a password", least=1)] = 3
    argon2_parallel: Annotated[int, number("Derivations at once", least=1)] = 2
    cache: Annotated[float, duration("How long a verified login is remembered")] = 300.0
    failures_per_address: Annotated[int, number("Failed logins of an address within the window", least=1)] = 60
    failures_per_account: Annotated[int, number("Failed logins to an account within the window", least=1)] = 30
    failures_window: Annotated[float, duration("Window of counted failures")] = 600.0
