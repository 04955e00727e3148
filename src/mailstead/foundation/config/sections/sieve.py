"""Options of Sieve."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class SieveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Filter scripts and ManageSieve."""

    script_size: Annotated[int, size("Largest script", least=4096)] = 64 * 1024
    scripts_limit: Annotated[int, number("Scripts of one mailbox", least=1)] = 32
    nesting_limit: Annotated[int, number("Depth of blocks and tests in a script", least=15)] = 32
    instructions_limit: Annotated[int, number("Commands and tests that one message may take", least=100)] = 10_000
    work_limit: Annotated[
        int, number("Comparisons of strings (each 64 octets count) that one message may take", least=1000)
    ] = 200_000
    redirects_limit: Annotated[int, number("Addresses that one message is redirected to", least=0)] = 10
    actions_limit: Annotated[int, number("Actions of one message", least=4)] = 50
    variables_limit: Annotated[int, number("Variables of one run", least=128)] = 256
    variable_size: Annotated[int, number("Longest value of a variable, in characters", least=4000)] = 16_384
    includes_limit: Annotated[int, number("Scripts that one run includes, and how deep", least=1)] = 16
    body_limit: Annotated[int, size("Octets of a message's text that body tests look at", least=4096)] = 1024**2
    rewrites_limit: Annotated[int, number("How often one run replaces parts of a message or encloses it", least=1)] = 10
    rewrite_size: Annotated[int, size("Largest message that scripts replace parts of or enclose", least=65536)] = (
        16 * 1024**2
    )
    vacation_least: Annotated[float, duration("Shortest time between two vacation replies to one sender")] = 60.0
    vacation_most: Annotated[float, duration("Longest time between two vacation replies to one sender")] = 90 * 86400.0
    duplicate_most: Annotated[float, duration("Longest time that a duplicate test remembers")] = 30 * 86400.0
    idle_timeout: Annotated[float, duration("ManageSieve sessions without a command end after this long")] = 1800.0
    login_timeout: Annotated[float, duration("The same before the login")] = 60.0
    line_limit: Annotated[int, size("Longest ManageSieve command without literals", least=1024)] = 8192
    errors_limit: Annotated[int, number("Wrong ManageSieve commands after which a session ends", least=3)] = 20
