"""Two clients change one calendar at random and synchronise now and then: after a sync each has what the server has."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings, stateful
from hypothesis import strategies as st

from support.dav import C, D, DavClient, DavHouse, calendar, dav_house, event

NAMES = st.sampled_from("abcde")
HOURS = st.integers(0, 9)


class Copy:
    """What a client has: ETags by href, and its token."""

    def __init__(self, client: DavClient) -> None:
        self.client = client
        self.token = ""
        self.etags: dict[str, str] = {}


class Synchronised(stateful.RuleBasedStateMachine):
    """Changes go to the server at once; each client hears of them by sync-collection alone."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.context = dav_house(Path(self.folder.name))
        self.house: DavHouse = self.runner.run(self.context.__aenter__())
        self.copies = [Copy(self.house.client()) for _ in range(2)]
        self.path = f"{self.copies[0].client.calendars}default/"
        self.server: dict[str, str] = {}
        self.uids: dict[str, str] = {}  # what each href holds: an object keeps its UID when it is moved

    def href(self, name: str) -> str:
        return f"{self.path}{name}.ics"

    @stateful.rule(name=NAMES, hour=HOURS, number=st.integers(0, 1))
    def put(self, name: str, hour: int, number: int) -> None:
        data = calendar(event(name, f"DTSTART:20260105T{hour:02}0000Z"))
        reply = self.runner.run(self.copies[number].client.put(self.href(name), data))
        is_elsewhere = any(uid == name and href != self.href(name) for href, uid in self.uids.items())
        if is_elsewhere or self.uids.get(self.href(name), name) != name:
            assert reply.condition == f"{C}no-uid-conflict"
            return
        assert reply.status == (204 if self.href(name) in self.server else 201)
        self.server[self.href(name)] = reply.etag
        self.uids[self.href(name)] = name

    @stateful.rule(name=NAMES)
    def delete(self, name: str) -> None:
        reply = self.runner.run(self.copies[0].client("DELETE", self.href(name)))
        assert reply.status == (204 if self.server.pop(self.href(name), None) else 404)
        self.uids.pop(self.href(name), None)

    @stateful.rule(name=NAMES, other=NAMES)
    def move(self, name: str, other: str) -> None:
        if name == other:
            return
        source, target = self.href(name), self.href(other)
        reply = self.runner.run(self.copies[1].client("MOVE", source, destination=target))
        if source not in self.server:
            assert reply.status == 404
            return
        if target in self.server:  # no object becomes another one
            assert reply.condition == f"{C}no-uid-conflict"
            return
        assert reply.status == 201
        self.server[target] = self.server.pop(source)
        self.uids[target] = self.uids.pop(source)

    @stateful.rule(number=st.integers(0, 1), most=st.sampled_from([0, 1, 2]))
    def synchronise(self, number: int, most: int) -> None:
        copy = self.copies[number]
        limit = f"<limit><nresults>{most}</nresults></limit>" if most else ""
        while True:
            reply = self.runner.run(copy.client.sync(self.path, copy.token, f"{limit}<prop><getetag/></prop>"))
            is_more = False
            for href in reply.responses():
                properties = reply.properties(href)
                if properties:
                    copy.etags[href] = properties[f"{D}getetag"].text
                elif href == self.path:
                    is_more = True
                else:
                    assert reply.status_of(href) == 404
                    copy.etags.pop(href, None)
            assert copy.token != reply.sync_token or not reply.responses()
            copy.token = reply.sync_token
            if not is_more:
                break
        assert copy.etags == self.server

    @stateful.rule()
    def remake(self) -> None:
        """The collection goes and comes back empty: no token of before is good."""
        self.runner.run(self.copies[0].client("DELETE", self.path))
        assert self.runner.run(self.copies[0].client("MKCALENDAR", self.path)).status == 201
        self.server.clear()
        self.uids.clear()
        for copy in self.copies:
            if copy.token:
                refused = self.runner.run(copy.client.sync(self.path, copy.token))
                assert refused.condition == f"{D}valid-sync-token"
            copy.token, copy.etags = "", {}

    def teardown(self) -> None:
        self.runner.run(self.context.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()


TestSynchronised = Synchronised.TestCase
TestSynchronised.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
