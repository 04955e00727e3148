"""Options of the web."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, listing, number, size, switch


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Web: account, administration, webmail."""

    session_lifetime: Annotated[float, duration("How long a login lasts", least=60)] = 14 * 86400.0
    list_window: Annotated[int, number("Messages shown at once", least=10, most=500)] = 50
    picture_limit: Annotated[int, size("Largest remote picture that is fetched for a reader", least=1024)] = (
        10 * 1024**2
    )
    picture_timeout: Annotated[float, duration("How long a remote picture may take", least=1)] = 10.0
    picture_networks: Annotated[
        tuple[str, ...], listing("Networks that pictures may come from though they are not public", each="networks")
    ] = ()
    push: Annotated[bool, switch("Let browsers be told of new mail while they are closed (Web Push)")] = True
    push_timeout: Annotated[float, duration("How long a push service may take to answer", least=1)] = 10.0
    push_networks: Annotated[
        tuple[str, ...], listing("Networks that push services may be in though they are not public", each="networks")
    ] = ()
    undo_send: Annotated[
        float, duration("How long what is sent in the web waits, where neither account nor server say so; 0: not")
    ] = 10.0
    styleguide: Annotated[bool, switch("Show the page with every component, /styleguide")] = False
