"""What an attempt leads to beside the queue: advice for the sender, and addresses that are not written to again."""

from collections.abc import Sequence

import msgspec
import structlog

from mailstead.foundation.errors import TemporaryError
from mailstead.mail.outbound.records import LOCAL, Consignment
from mailstead.mail.outbound.verdict import Verdict
from mailstead.mail.sending.replies import meaning_of
from mailstead.mail.sending.suppression import SuppressionList

log = structlog.get_logger("mailstead.queue")


class Aftermath:
    """Looks at verdicts before they are settled."""

    def __init__(self, suppressions: SuppressionList) -> None:
        self._suppressions = suppressions

    async def of(self, consignment: Consignment, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """The verdicts with advice; hard bounces of remote addresses go to the suppression list.

        A list that cannot be written to is logged: mail is not held up for it.
        """
        if consignment.destination == LOCAL:
            return list(verdicts)
        found = []
        for verdict in verdicts:
            meaning = meaning_of(verdict.text) if verdict.outcome != "delivered" else None
            found.append(verdict if meaning is None else msgspec.structs.replace(verdict, advice=meaning.advice))
            domain = consignment.sender.rpartition("@")[2].lower()
            if not domain or consignment.envelope.original_sender:
                continue  # notices bounce without anybody being wrong, and what is passed on is written by others
            try:
                if verdict.outcome == "delivered":
                    await self._suppressions.delivered(domain, verdict.recipient.address)
                elif verdict.outcome == "failed" and meaning is not None and meaning.kind == "recipient":
                    await self._suppressions.add(domain, verdict.recipient.address, "bounce", verdict.text)
            except TemporaryError as error:
                log.warning("suppression list not kept", address=verdict.recipient.address, why=str(error))
        return found
