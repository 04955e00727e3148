"""Options of signed HTTP deliveries."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, listing, size, switch


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Webhooks."""

    timeout: Annotated[float, duration("How long one delivery may take, its answer included", least=1)] = 60.0
    size_limit: Annotated[
        int, size("Largest message that goes to a webhook; a larger one fails there", least=64 * 1024)
    ] = 25 * 1024**2
    plain_http: Annotated[bool, switch("Deliver to http:// URLs, too")] = False
    private_networks: Annotated[
        tuple[str, ...],
        listing("Networks that webhooks may be in though they are not public", each="networks"),
    ] = ()
