"""Options of the web."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, switch


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Web: account, administration, webmail."""

    session_lifetime: Annotated[float, duration("How long a login lasts", least=60)] = 14 * 86400.0
    list_window: Annotated[int, number("Messages shown at once", least=10, most=500)] = 50
    styleguide: Annotated[bool, switch("Show the page with every component, /styleguide")] = False
