"""Where the mail of one recipient goes, forwarding followed to its ends: one rule for arrival and for the queue."""

import msgspec

from mailstead.mail.envelope import EnvelopeRecipient
from mailstead.mail.routing.delivery import LocalRecipient
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Destination, Resolution

DEPTH_LIMIT = 10
DESTINATIONS_LIMIT = 200


class Dead(msgspec.Struct, frozen=True):
    """An address at the end of a way that takes no mail; `code` and `status` as SMTP says it."""

    address: str
    code: int
    status: str
    text: str


class Plan(msgspec.Struct):
    """Mailboxes here, addresses elsewhere, and what takes no mail; `dropped`: accepted and thrown away by setting."""

    recipient: EnvelopeRecipient
    mailboxes: list[LocalRecipient]
    remote: list[EnvelopeRecipient]
    dead: list[Dead]
    dropped: bool = False

    def in_mailbox(self, target: LocalRecipient) -> EnvelopeRecipient:
        """The recipient who stands for one of the mailboxes alone."""
        return msgspec.structs.replace(self.recipient, address=target.address, mailbox_id=target.destination.mailbox_id)

    def at(self, address: str) -> EnvelopeRecipient:
        """The recipient at another address, with what was asked for (RFC 3461 §5.2.7.1)."""
        return msgspec.structs.replace(self.recipient, address=address)


async def plan_of(directory: Directory, recipient: EnvelopeRecipient) -> Plan:
    """The plan of `recipient`; loops end, at most DEPTH_LIMIT steps and DESTINATIONS_LIMIT addresses are followed."""
    plan = Plan(recipient, [], [], [])
    if recipient.mailbox_id:
        destination = Destination("mailbox", recipient.address, recipient.mailbox_id)
        plan.mailboxes.append(LocalRecipient(recipient.address, destination))
        return plan
    seen: set[str] = set()
    waiting: list[tuple[str, int]] = [(recipient.address, 0)]
    while waiting:
        address, depth = waiting.pop()
        if address.lower() in seen:
            continue
        seen.add(address.lower())
        if depth > DEPTH_LIMIT or len(seen) > DESTINATIONS_LIMIT:
            plan.dead.append(Dead(address, 554, "5.4.6", "forwarded too often"))
            break
        resolution = await directory.resolve(address)
        match resolution.outcome:
            case "not_local":
                plan.remote.append(plan.at(address))
            case "accepted":
                for target in resolution.destinations:
                    if target.kind == "mailbox":
                        plan.mailboxes.append(LocalRecipient(address, target))
                    else:
                        waiting.append((target.address, depth + 1))
            case _:
                _end(plan, address, resolution)
    return plan


def _end(plan: Plan, address: str, resolution: Resolution) -> None:
    code = resolution.disabled_code
    if resolution.outcome == "unknown":
        plan.dead.append(Dead(address, 550, "5.1.1", "No such recipient"))
    elif code == 250:
        plan.dropped = True
    elif code is not None and code < 500:
        plan.dead.append(Dead(address, code, "4.2.1", "The recipient takes no mail for now"))
    else:
        plan.dead.append(Dead(address, code or 550, "5.2.1", "The recipient takes no mail"))
