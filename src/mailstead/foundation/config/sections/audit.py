"""The audit log."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Audit log."""

    retention: Annotated[float, duration("How long is kept who did what; 0 for ever", least=0)] = 365 * 86400.0
