"""One connection as screening sees it, and what is found out about the client while it talks."""

import asyncio

import msgspec

from mailstead.mail.authentication.spf.result import SpfResult
from mailstead.mail.screening.lists import Listed
from mailstead.mail.screening.reverse import Reverse


class ClientFacts(msgspec.Struct, frozen=True):
    """What DNS says about a client: its name, the blocklists and the allow lists that have it."""

    reverse: Reverse = Reverse("unknown")
    blocked: tuple[Listed, ...] = ()
    vouched: tuple[Listed, ...] = ()


NOTHING = ClientFacts()


class Visit:
    """`is_own`: this process connects to itself; `is_exempt`: Settings do not ask this client for more than a message.

    `is_hidden`: the address is a gateway's, the client's own is not known. `allowed` are recipients whose lists allow the
    sender. What is looked up runs while the client waits; close the visit.
    """

    __slots__ = (
        "_facts",
        "address",
        "allowed",
        "is_exempt",
        "is_hidden",
        "is_own",
        "sender_problem",
        "spf",
        "talked_early",
    )

    def __init__(self, address: str, *, is_exempt: bool, is_own: bool) -> None:
        self.address = address
        self.is_exempt = is_exempt
        self.is_own = is_own
        self.is_hidden = False
        self.talked_early = False
        self.allowed: set[str] = set()
        self.spf: dict[tuple[str, str], SpfResult] = {}
        self.sender_problem: dict[str, str] = {}
        self._facts: asyncio.Task[ClientFacts] | None = None

    def look_up(self, facts: "asyncio.Task[ClientFacts]") -> None:
        """Begin to find out."""
        self._facts = facts

    async def facts(self) -> ClientFacts:
        """What was found out; nothing for clients that nobody asks about."""
        return NOTHING if self._facts is None else await asyncio.shield(self._facts)

    @property
    def known_facts(self) -> ClientFacts:
        """The same as far as it is there."""
        facts = self._facts
        return facts.result() if facts is not None and facts.done() and not facts.cancelled() else NOTHING

    def begin_message(self) -> None:
        """What was said about recipients of the message before is over."""
        self.allowed.clear()

    def close(self) -> None:
        """Nobody waits for the rest."""
        if self._facts is not None:
            self._facts.cancel()
