"""Two servers with calendars and the mail between them, or one with everybody on it: the same deeds in both."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email import message_from_bytes
from pathlib import Path

from mailstead.mail.scheduling.calendar_user import find_attendee, partstat
from mailstead.mail.scheduling.series import Series
from support.dav import Reply
from support.installation import HOSTNAME
from support.scheduling import People, people

FAR = "far.test"


class World:
    """alice organizes; bob, carol and dan are on her server or on another one. Mail arrives before a deed returns."""

    def __init__(self, houses: dict[str, People], home: dict[str, str]) -> None:
        self._houses = houses
        self.alice, self.bob, self.carol, self.dan = (f"{name}@{home[name]}" for name in home)
        self.subjects: list[str] = []  # of mail that went between the servers

    def house(self, who: str) -> People:
        return self._houses[who.partition("@")[2]]

    def is_far(self, who: str) -> bool:
        return who.endswith(FAR)

    async def put(self, who: str, data: bytes, **fields: str) -> int:
        status = await self.house(who).put(who, data, **fields)
        await self._carry()
        return status

    async def change(self, who: str, *pairs: tuple[str, str], **fields: str) -> int:
        status = await self.house(who).change(who, *pairs, **fields)
        await self._carry()
        return status

    async def answer(self, who: str, answer: str) -> int:
        status = await self.house(who).answer(who, answer)
        await self._carry()
        return status

    async def delete(self, who: str, **fields: str) -> int:
        status = await self.house(who).delete(who, **fields)
        await self._carry()
        return status

    async def propose(self, who: str, data: bytes) -> Reply:
        reply = await self.house(who).propose(who, data)
        await self._carry()
        return reply

    async def text(self, who: str) -> str:
        """Somebody's copy, unfolded."""
        data = await self.house(who).copy(who)
        assert data is not None
        return data.replace(b"\r\n ", b"").decode()

    async def series(self, who: str) -> Series:
        return await self.house(who).series(who)

    async def has(self, who: str) -> bool:
        return await self.house(who).copy(who) is not None

    async def answer_in(self, whose: str, who: str, key: int | None = None) -> str:
        """The answer of somebody as a copy has it; "" for one who is not in it."""
        component = (await self.series(whose)).get(key)
        assert component is not None
        line = find_attendee(component, (who,))
        return "" if line is None else partstat(line)

    async def status_in(self, whose: str, who: str) -> str | None:
        return await self.house(whose).status_in(whose, who)

    async def inbox(self, who: str) -> list[str]:
        return await self.house(who).inbox(who)

    async def mails(self, who: str) -> list[str]:
        """The subjects of the mails in somebody's inbox."""
        found = await self.house(who).made.messages(who)
        return [str(message_from_bytes(one)["Subject"]) for one in found]

    async def _carry(self) -> None:
        """Mail between the two arrives as from the internet, with what the receiving server found out about it."""
        while any(house.post.sent for house in self._houses.values()):
            for domain, house in self._houses.items():
                sent, house.post.sent = house.post.sent, []
                for recipients, mail in sent:
                    head = (
                        f"Authentication-Results: {HOSTNAME}; dmarc=pass header.from={domain}\r\n"
                        f"Received: from {domain} (192.0.2.1) by {HOSTNAME} with ESMTPS id 1;"
                        " Mon, 7 Sep 2026 09:00:00 +0000\r\n"
                    )
                    parsed = message_from_bytes(mail)
                    self.subjects.append(str(parsed["Subject"]))
                    sender = str(parsed["From"]).rpartition("<")[2].rstrip(">")
                    for recipient in recipients:
                        await self.house(recipient).deliver(sender, recipient, head.encode() + mail)


@asynccontextmanager
async def world(folder: Path, far: frozenset[str]) -> AsyncIterator[World]:
    """Those of `far` have their accounts on the other server."""
    home = {name: FAR if name in far else "example.test" for name in ("alice", "bob", "carol", "dan")}
    async with AsyncExitStack() as stack:
        houses = {}
        for domain in dict.fromkeys(home.values()):
            place = folder / domain
            place.mkdir()
            names = tuple(name for name, at in home.items() if at == domain)
            houses[domain] = await stack.enter_async_context(people(place, domain=domain, names=names))
        yield World(houses, home)
