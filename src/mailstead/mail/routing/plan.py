"""Where the mail of one recipient goes, forwarding followed to its ends: one rule for arrival and for the queue."""

from collections.abc import Set as AbstractSet
from typing import Literal

import msgspec

from mailstead.foundation.config.sections.forward import ForwardSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.mail.envelope import EnvelopeRecipient
from mailstead.mail.routing.delivery import LocalRecipient
from mailstead.mail.routing.srs import Srs, is_srs
from mailstead.stores.directory.directory import REPORTS, Directory
from mailstead.stores.directory.records import Alias, Destination, Resolution
from mailstead.stores.directory.targets import parse_host

LOOP = "It was here before: the addresses forward in a circle"


class Dead(msgspec.Struct, frozen=True):
    """An address at the end of a way that takes no mail; `code` and `status` as SMTP says it."""

    address: str
    code: int
    status: str
    text: str


class Plan(msgspec.Struct):
    """Mailboxes here, what goes on, and what takes no mail; `dropped`: accepted and thrown away by setting.

    `alias` is the one that took the mail, where the address is one of ours.
    """

    recipient: EnvelopeRecipient
    mailboxes: list[LocalRecipient]
    remote: list[EnvelopeRecipient]
    dead: list[Dead]
    dropped: bool = False
    alias: Alias | None = None

    def in_mailbox(self, target: LocalRecipient) -> EnvelopeRecipient:
        """The recipient who stands for one of the mailboxes alone."""
        return msgspec.structs.replace(self.recipient, address=target.address, mailbox_id=target.destination.mailbox_id)

    def at(self, address: str, *, via: str = "") -> EnvelopeRecipient:
        """The recipient at another address, with what was asked for (RFC 3461 §5.2.7.1), who is hidden behind this one."""
        if address == self.recipient.address and not via:
            return self.recipient
        alias = self.recipient.alias or self.recipient.address
        return msgspec.structs.replace(self.recipient, address=address, alias=alias, via=via)


class Planner:
    """Follows aliases. Loops end; the settings say how far and to how many addresses a recipient is followed."""

    def __init__(self, directory: Directory, srs: Srs | None, settings: ForwardSettings) -> None:
        """Without `srs` no return path of ours is known."""
        self._directory = directory
        self._srs = srs
        self._settings = settings

    async def original_sender(self, address: str) -> str:
        """The sender whom a rewritten return path of ours stands for, "" for any other address.

        Raises ForgedReturnPathError, ExpiredReturnPathError.
        """
        if self._srs is None or not is_srs(address):
            return ""
        if not await self._directory.is_local_domain(address.rpartition("@")[2]):
            return ""
        return self._srs.reverse(address)

    async def plan(self, recipient: EnvelopeRecipient, marks: AbstractSet[str] = frozenset()) -> Plan:
        """The plan of `recipient` for a message that was delivered to the addresses `marks` (in lower case) before."""
        plan = Plan(recipient, [], [], [])
        if recipient.mailbox_id:
            kind: Literal["mailbox", "reports"] = "reports" if recipient.mailbox_id.startswith(REPORTS) else "mailbox"
            destination = Destination(kind, recipient.address, recipient.mailbox_id)
            plan.mailboxes.append(LocalRecipient(recipient.address, destination))
            return plan
        was_here = recipient.address.lower() in marks
        seen: set[str] = set()
        waiting: list[tuple[str, int]] = [(recipient.address, 0)]
        while waiting:
            address, depth = waiting.pop()
            if address.lower() in seen:
                continue
            seen.add(address.lower())
            if depth > self._settings.depth_limit or len(seen) > self._settings.targets_limit:
                plan.dead.append(Dead(address, 554, "5.4.6", "forwarded too often"))
                break
            try:
                sender = await self.original_sender(address)
            except MailsteadError as error:
                plan.dead.append(Dead(address, error.smtp_code, error.enhanced_code, error.public_text))
                continue
            if sender:
                waiting.append((sender, depth + 1))
                continue
            resolution = await self._directory.resolve(address)
            match resolution.outcome:
                case "not_local":
                    plan.remote.append(plan.at(address))
                case "accepted":
                    waiting += self._follow(plan, address, depth, resolution, was_here)
                case _:
                    _end(plan, address, resolution)
        return plan

    def _follow(
        self, plan: Plan, address: str, depth: int, resolution: Resolution, was_here: bool
    ) -> list[tuple[str, int]]:
        """Mailboxes, hosts and webhooks of an alias go into the plan; the addresses it leads to are given back."""
        following = []
        plan.alias = plan.alias or resolution.alias
        mailboxes = [target for target in resolution.destinations if target.kind in ("mailbox", "reports")]
        plan.mailboxes += [LocalRecipient(address, target) for target in mailboxes]
        if was_here:
            # it comes back from where it was forwarded to; the mailbox alone takes it again
            if not mailboxes:
                plan.dead.append(Dead(address, 554, "5.4.6", LOOP))
            return []
        for target in resolution.destinations:
            match target.kind:
                case "address":
                    following.append((target.address, depth + 1))
                case "host":
                    host = parse_host(target.address)
                    plan.remote.append(plan.at(address, via=f"smtp:{host.host}:{host.port}"))
                case "webhook":
                    plan.remote.append(plan.at(address, via=target.address))
                case "mailbox" | "reports":
                    pass
        return following


def _end(plan: Plan, address: str, resolution: Resolution) -> None:
    code = resolution.disabled_code
    if resolution.outcome == "unknown":
        plan.dead.append(Dead(address, 550, "5.1.1", "No such recipient"))
    elif code == 250:
        plan.dropped = True
    elif code is not None and code < 500:
        plan.dead.append(Dead(address, 450, "4.2.1", "The recipient takes no mail for now"))
    else:
        plan.dead.append(Dead(address, code or 550, "5.2.1", "The recipient takes no mail"))
