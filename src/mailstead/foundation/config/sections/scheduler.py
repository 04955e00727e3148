"""Options of the scheduler."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number


class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The scheduler of regular care."""

    poll: Annotated[float, duration("Longest pause between looks at what is due", least=0.01)] = 60.0
    lease: Annotated[float, duration("After how long the job of a dead process is begun again", least=1)] = 300.0
    job_timeout: Annotated[float, duration("How long one job may take", least=1)] = 6 * 3600.0
    notice_after: Annotated[
        int, number("Failures of a job in a row after which the administrators get a message; 0: never")
    ] = 3
