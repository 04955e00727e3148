"""One attempt to put a consignment into mailboxes of this installation."""

from pathlib import Path

from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import EnvelopeRecipient, RecipientResult
from mailstead.mail.outbound.files import QueuedMessage
from mailstead.mail.outbound.records import Consignment
from mailstead.mail.outbound.verdict import Attempt, Verdict
from mailstead.mail.routing.delivery import LocalDelivery, LocalRecipient
from mailstead.mail.routing.plan import Dead, Planner
from mailstead.mail.routing.trace_fields import delivered_to

_IN_MEMORY = 1024 * 1024


class LocalAttempts:
    """Mail that waits for mailboxes here; what its recipients forward goes back into the queue."""

    def __init__(self, planner: Planner, local: LocalDelivery, folder: Path) -> None:
        self._planner = planner
        self._local = local
        self._folder = folder

    async def attempt(
        self, consignment: Consignment, message: QueuedMessage
    ) -> tuple[Attempt, tuple[EnvelopeRecipient, ...]]:
        """A verdict for each mailbox of the recipients, and those a copy goes to elsewhere."""
        targets: dict[str, tuple[EnvelopeRecipient, LocalRecipient]] = {}
        forwards: dict[tuple[str, str], EnvelopeRecipient] = {}
        verdicts: list[Verdict] = []
        marks = delivered_to(message.header())
        for recipient in consignment.recipients:
            plan = await self._planner.plan(recipient, marks)
            for target in plan.mailboxes:
                targets.setdefault(target.destination.mailbox_id, (plan.in_mailbox(target), target))
            forwards |= {(one.address.lower(), one.via): one for one in plan.remote}
            verdicts += [_dead(plan.at(dead.address), dead) for dead in plan.dead]
            if plan.dropped:
                verdicts.append(_settled(recipient, "250 2.1.5 accepted and dropped, as the alias is set"))
            elif plan.remote and not plan.mailboxes:
                verdicts.append(_settled(recipient, "250 2.1.5 passed on to other addresses"))
        if targets:
            with Spool(_IN_MEMORY, self._folder) as spool:
                for chunk in message.chunks():
                    spool.append(chunk)
                results = await self._local.deliver(
                    consignment.sender, [target for _, target in targets.values()], spool, consignment.trace_id
                )
            verdicts += [_from_result(one, result) for (one, _), result in zip(targets.values(), results, strict=True)]
        return Attempt(verdicts), tuple(forwards.values())


def _settled(recipient: EnvelopeRecipient, text: str) -> Verdict:
    return Verdict(recipient=recipient, outcome="delivered", status="2.1.5", text=text, relayed_dsn=True)


def _dead(recipient: EnvelopeRecipient, dead: Dead) -> Verdict:
    return Verdict(
        recipient=recipient,
        outcome="failed" if dead.code >= 500 else "deferred",
        status=dead.status,
        text=f"{dead.code} {dead.status} {dead.text}",
    )


def _from_result(recipient: EnvelopeRecipient, result: RecipientResult) -> Verdict:
    return Verdict(
        recipient=recipient,
        outcome="delivered" if result.accepted else "failed" if result.outcome == "failed" else "deferred",
        status=result.enhanced_code,
        text=f"{result.smtp_code} {result.enhanced_code} {result.text}",
    )
