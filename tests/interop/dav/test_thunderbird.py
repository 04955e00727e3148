"""Thunderbird finds calendars and address books by the server's name alone, and keeps them the same both ways."""

import base64
import urllib.request
from pathlib import Path

from support.dav import calendar, card, event
from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.thunderbird import thunderbird

_DETECT = """
const [user, password, location] = arguments;
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const others = types => [...types].filter(type => type != "caldav");
const found = await cal.provider.detection.detect(user, password, location, true, [others], {});
const calendars = [...found.values()].flat();
const one = calendars.find(each => each.uri.spec.endsWith("/calendars/default/"));
const loaded = new Promise(resolve => {
  const ignored = Object.fromEntries(
    ["onStartBatch", "onEndBatch", "onAddItem", "onModifyItem", "onDeleteItem", "onError", "onPropertyChanged",
     "onPropertyDeleting"].map(name => [name, () => {}]));
  one.addObserver({ QueryInterface: ChromeUtils.generateQI(["calIObserver"]), ...ignored, onLoad: resolve });
});
cal.manager.registerCalendar(one);
await loaded;
return [one.id, calendars.map(each => each.uri.spec)];
"""
_ADD_EVENT = """
const [id, text] = arguments;
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const { CalEvent } = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
await cal.manager.getCalendarById(id).addItem(new CalEvent(text));
"""
_CHANGE_EVENT = """
const [id, uid, title] = arguments;
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const calendar = cal.manager.getCalendarById(id);
const old = await calendar.getItem(uid);
const changed = old.clone();
changed.title = title;
await calendar.modifyItem(changed, old);
"""
_REFRESH_EVENTS = """
const [id] = arguments;
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
cal.manager.getCalendarById(id).refresh();
"""
_EVENTS = """
const [id] = arguments;
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const calendar = cal.manager.getCalendarById(id);
const items = await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
return items.map(item => item.title).sort();
"""
_DETECT_BOOKS = """
const [user, password, location] = arguments;
const { CardDAVUtils } = ChromeUtils.importESModule("resource:///modules/CardDAVUtils.sys.mjs");
const found = await CardDAVUtils.detectAddressBooks(user, password, location, false, true);
const book = await found.find(each => each.url.pathname.endsWith("/contacts/default/")).create();
return [book.UID, found.map(each => each.url.pathname)];
"""
_ADD_CARD = """
const [uid, name, address] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const card = Cc["@mozilla.org/addressbook/cardproperty;1"].createInstance(Ci.nsIAbCard);
card.displayName = name;
card.primaryEmail = address;
const sent = new Promise(resolve => Services.obs.addObserver(function seen(subject, topic) {
  Services.obs.removeObserver(seen, topic);
  resolve();
}, "addrbook-contact-updated"));
MailServices.ab.getDirectoryFromUID(uid).addCard(card);
await sent;
"""
_CARDS = """
const [uid] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { CardDAVDirectory } = ChromeUtils.importESModule("resource:///modules/CardDAVDirectory.sys.mjs");
const book = MailServices.ab.getDirectoryFromUID(uid);
await CardDAVDirectory.forFile(book.fileName).syncWithServer();
return book.childCards.map(card => card.displayName).sort();
"""


class Elsewhere:
    """Another program of the same person."""

    def __init__(self, url: str, login: tuple[str, str]) -> None:
        self._url = url
        self._authorization = "Basic " + base64.b64encode(":".join(login).encode()).decode()

    def __call__(self, method: str, path: str, data: str = "", kind: str = "text/calendar") -> str:
        headers = {"Authorization": self._authorization, "Content-Type": kind, "Depth": "1"}
        request = urllib.request.Request(self._url + path, data.encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: bytes = answer.read()
        return found.decode()

    def whole(self, path: str, kind: str) -> str:
        """All objects of a collection, as a report shows them."""
        name = "calendar" if kind == "caldav" else "addressbook"
        return self(
            "REPORT",
            path,
            f'<C:{name}-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:{kind}"><prop><C:{_DATA[kind]}/></prop>'
            f"{_FILTER[kind]}</C:{name}-query>",
            "application/xml",
        )


_DATA = {"caldav": "calendar-data", "carddav": "address-data"}
_FILTER = {"caldav": '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>', "carddav": "<C:filter/>"}


def test_calendars_and_contacts(server: MailsteadServer, login: tuple[str, str], tmp_path: Path) -> None:
    address, password = login
    host, port = server.address("http")
    location = f"http://{host}:{port}/"
    calendar_path, contacts_path = (f"/dav/{address}/{kind}/default/" for kind in ("calendars", "contacts"))
    elsewhere = Elsewhere(location.rstrip("/"), login)
    with thunderbird(tmp_path) as program:
        identifier, found = program.run(_DETECT, address, password, location)
        assert any(url.endswith(calendar_path) for url in found), found
        program.run(_ADD_EVENT, identifier, calendar(event("here")))
        assert "UID:here" in elsewhere.whole(calendar_path, "caldav")
        program.run(_CHANGE_EVENT, identifier, "here", "Changed in Thunderbird")
        assert "SUMMARY:Changed in Thunderbird" in elsewhere.whole(calendar_path, "caldav")
        there = calendar(event("there", "DTSTART:20260106T100000Z", "SUMMARY:Written elsewhere"))
        elsewhere("PUT", f"{calendar_path}there.ics", there)
        program.run(_REFRESH_EVENTS, identifier)
        both = ["Changed in Thunderbird", "Written elsewhere"]
        eventually_sync(lambda: program.run(_EVENTS, identifier) == both, longest=60, pause=0.2)
        elsewhere("DELETE", f"{calendar_path}there.ics")
        program.run(_REFRESH_EVENTS, identifier)
        eventually_sync(lambda: program.run(_EVENTS, identifier) == both[:1], longest=60, pause=0.2)

        book, books = program.run(_DETECT_BOOKS, address, password, location)
        assert contacts_path in books, books
        program.run(_ADD_CARD, book, "Ann Here", "ann@else.test")
        assert "FN:Ann Here" in elsewhere.whole(contacts_path, "carddav")
        elsewhere("PUT", f"{contacts_path}there.vcf", card("there", "Bob There"), "text/vcard")
        eventually_sync(lambda: program.run(_CARDS, book) == ["Ann Here", "Bob There"], longest=60, pause=0.2)
