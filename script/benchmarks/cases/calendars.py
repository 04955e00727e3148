"""Calendars: what a client's list, first and later synchronisation, month view and changes cost."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial

import msgspec

from benchmarks.case import Context
from benchmarks.clients.dav import Dav, timed
from benchmarks.hosts import agree
from benchmarks.own import DOMAIN, Own, open_mailbox
from benchmarks.peers.calendars import PASSWORD, USER, radicale, xandikos
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target
from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.protocols.dav.content import calendar_content
from mailstead.services.stores import Stores

_FIRST = datetime(2020, 1, 1, 8)
_MONTH, _OFTEN = timedelta(days=30), timedelta(minutes=150)
_SMALL, _LARGE, _YEARS, _WEEKLY = "small", "events", "years", "weekly"
_HALF = Target(0.5)


class Calendars(msgspec.Struct, frozen=True):
    """One server and its calendars' paths."""

    name: str
    port: int
    base: str
    user: str
    password: str

    def client(self, calendar: str) -> Dav:
        """A connection for one of the calendars."""
        return Dav(self.port, f"{self.base}{calendar}/", self.user, self.password)


def event(number: int, every: timedelta, *, recurs: bool = True) -> bytes:
    """An event of an hour; every tenth comes again each week of a year, with a zone as programs write it."""
    start = _FIRST + every * number
    rule = "RRULE:FREQ=WEEKLY;COUNT=50\r\n" if recurs and number % 10 == 0 else ""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Mailstead//benchmark//EN\r\nBEGIN:VTIMEZONE\r\n"
        "TZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\n"
        "DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n"
        "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nDTSTART:19701025T030000\r\n"
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n"
        f"UID:event-{number}\r\nDTSTAMP:20200101T000000Z\r\nDTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}\r\n"
        f"DTEND;TZID=Europe/Berlin:{start + timedelta(hours=1):%Y%m%dT%H%M%S}\r\n{rule}SUMMARY:Meeting {number}\r\n"
        f"LOCATION:Room {number % 7}\r\nDESCRIPTION:{'What is to be talked about. ' * 8}\r\n"
        "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test\r\n"
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Meeting\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def _events(count: int, every: timedelta, *, recurs: bool = True) -> dict[str, bytes]:
    return {f"event-{number}": event(number, every, recurs=recurs) for number in range(count)}


@contextmanager
def _servers(context: Context, calendars: Mapping[str, Mapping[str, bytes]]) -> Iterator[list[Calendars]]:
    with ExitStack() as stack:
        folder = context.folder / "own"
        folder.mkdir()
        own = Own(folder)
        own.add_accounts([USER])

        async def fill(stores: Stores) -> None:
            mailbox = await open_mailbox(stores, USER)
            for name, events in calendars.items():
                made = mailbox.dav.create("calendar", name, ("VEVENT",))
                for number, data in events.items():
                    new = calendar_content(("VEVENT",), f"{number}.ics", data, DavSettings())
                    mailbox.dav.put(made.id, new, 0)

        own.with_stores(fill)
        own.start()
        stack.callback(own.server.stop)
        address = f"{USER}@{DOMAIN}"
        base = f"/dav/{address}/calendars/"
        found = [Calendars(OWN, own.port("caldav"), base, address, own.passwords[address])]
        if context.with_peers:
            for title, start, place in (("Radicale", radicale, ""), ("Xandikos", xandikos, "calendars/")):
                folder = context.folder / title
                folder.mkdir()
                port = stack.enter_context(start(folder, calendars))
                found.append(Calendars(title, port, f"/{USER}/{place}", USER, PASSWORD))
        yield found


def run(context: Context) -> Table:
    """Every row on every server."""
    size = context.size
    many = _events(size.events, timedelta(hours=5))
    calendars = {
        _LARGE: many,
        _SMALL: dict(list(many.items())[: max(size.events // 10, 1)]),
        _YEARS: _events(size.month_events, _OFTEN, recurs=False),
        _WEEKLY: _events(size.month_events, _OFTEN),
    }
    with _servers(context, calendars) as servers:
        rows = [
            _propfind(context, servers),
            _first_sync(context, servers),
            *_later_syncs(context, servers),
            _month(context, servers, _YEARS, "single events"),
            _month(context, servers, _WEEKLY, "events, a tenth of them weekly"),
            _puts(context, servers),
        ]
    notes = [
        "Radicale and Xandikos are the distribution's; both take any password, Mailstead checks it. TLS is off.",
        "Mailstead and Radicale sync each change to the disk before they answer; Xandikos leaves that to the system.",
        "A peer that finds another number of events in a month has no figure in that row: Xandikos 0.2.8 looks at the"
        " first instance of an event alone, so it misses the weekly ones that Mailstead and Radicale find.",
    ]
    return Table("Calendars", rows, notes)


def _in_turn(
    context: Context, servers: list[Calendars], calendar: str, measure: Callable[[Dav, str], float]
) -> dict[str, list[float]]:
    clients = {one.name: one.client(calendar) for one in servers}
    contestants = {name: partial(measure, client, name) for name, client in clients.items()}
    figures = in_turn(context.size.rounds, contestants)
    for client in clients.values():
        client.close()
    return figures


def _propfind(context: Context, servers: list[Calendars]) -> Row:
    agree({one.name: one.client(_LARGE).listed() for one in servers} | {"wanted": context.size.events}, "PROPFIND")
    figures = _in_turn(context, servers, _LARGE, lambda client, _: timed(client.listed))
    return Row(f"PROPFIND of {context.size.events:,} events", "ms", figures, _HALF)


def _first_sync(context: Context, servers: list[Calendars]) -> Row:
    def measure(client: Dav, _: str) -> float:
        def work() -> None:
            hrefs, _ = client.sync()
            agree({"fetched": client.fetch(hrefs), "wanted": context.size.events}, "multiget")

        return timed(work)

    figures = _in_turn(context, servers, _LARGE, measure)
    return Row(f"first synchronisation of {context.size.events:,} events", "ms", figures, _HALF)


def _later_syncs(context: Context, servers: list[Calendars]) -> list[Row]:
    small = max(context.size.events // 10, 1)
    return [_later_sync(context, servers, *one) for one in ((_SMALL, small), (_LARGE, context.size.events))]


def _later_sync(context: Context, servers: list[Calendars], calendar: str, count: int) -> Row:
    tokens = {one.name: one.client(calendar).sync()[1] for one in servers}
    changes = dict.fromkeys(tokens, 0)

    def measure(client: Dav, name: str) -> float:
        changes[name] += 1
        client.put("event-0", event(0, timedelta()).replace(b"Meeting 0", b"Meeting %d" % changes[name]))
        found: list[str] = []

        def work() -> None:
            hrefs, tokens[name] = client.sync(tokens[name])
            found.extend(hrefs)

        took = timed(work)
        agree({"changed": len(found), "wanted": 1}, "sync-collection")
        return took

    figures = _in_turn(context, servers, calendar, measure)
    return Row(f"synchronisation after one change of {count:,} events", "ms", figures, _HALF)


def _month(context: Context, servers: list[Calendars], calendar: str, words: str) -> Row:
    """In the middle of the events, of the servers that find what we find; one peer at least has to, lest we be wrong."""
    start = (_FIRST + _OFTEN * (context.size.month_events // 2)).replace(hour=0, minute=0)
    month = (f"{start:%Y%m%dT%H%M%SZ}", f"{start + _MONTH:%Y%m%dT%H%M%SZ}")
    found = {one.name: one.client(calendar).within(*month) for one in servers}
    alike = [one for one in servers if found[one.name] == found[OWN]]
    if not found[OWN] or (len(servers) > 1 and len(alike) == 1):
        agree(found | {"some": 1}, "calendar-query")
    figures = _in_turn(context, alike, calendar, lambda client, _: timed(lambda: client.within(*month)))
    return Row(f"calendar-query: a month of {context.size.month_events:,} {words}", "ms", figures, _HALF)


def _puts(context: Context, servers: list[Calendars]) -> Row:
    number = iter(range(10**6, 10**9))

    def measure(client: Dav, _: str) -> float:
        events = {f"new-{one}": event(one, timedelta()) for one in (next(number) for _ in range(context.size.puts))}

        def work() -> None:
            for name, data in events.items():
                client.put(name, data)

        return context.size.puts / timed(work) * 1000

    figures = _in_turn(context, servers, _SMALL, measure)
    return Row(f"PUT of {context.size.puts} events", "per second", figures, Target(2.0, at_least=True), True)
