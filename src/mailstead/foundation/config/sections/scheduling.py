"""Options of invitations."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import number, size, switch


class SchedulingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Invitations between people here, and by mail with everybody else."""

    mail: Annotated[bool, switch("Send invitations and answers by mail to people elsewhere")] = True
    take_mail: Annotated[bool, switch("Put invitations and answers that come by authenticated mail into calendars")] = (
        True
    )
    message_size: Annotated[int, size("Largest mail that is looked at for an invitation", least=1024)] = 5 * 1024 * 1024
    attendees: Annotated[int, number("Most people that one change of an event may tell", least=1)] = 300
    inbox: Annotated[int, number("Messages kept in a scheduling inbox; the oldest go first", least=1)] = 500
