"""Options of invitations."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, listing, number, size, switch


class SchedulingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Invitations between people here, and by mail with everybody else."""

    mail: Annotated[bool, switch("Send invitations and answers by mail to people elsewhere")] = True
    take_mail: Annotated[bool, switch("Put invitations and answers that come by authenticated mail into calendars")] = (
        True
    )
    message_size: Annotated[int, size("Largest mail that is looked at for an invitation", least=1024)] = 5 * 1024 * 1024
    attendees: Annotated[int, number("Most people that one change of an event may tell", least=1)] = 300
    inbox: Annotated[int, number("Messages kept in a scheduling inbox; the oldest go first", least=1)] = 500
    refresh: Annotated[float, duration("How often calendars of elsewhere are fetched", least=60)] = 4 * 3600.0
    fetch_timeout: Annotated[float, duration("How long fetching one may take", least=1)] = 60.0
    fetch_size: Annotated[int, size("Largest calendar that is fetched", least=1024)] = 20 * 1024 * 1024
    private_networks: Annotated[
        tuple[str, ...],
        listing("Networks that calendars are fetched from though they are not public", each="networks"),
    ] = ()
