"""`mailstead calendar` and `mailstead contacts`."""

from pathlib import Path

from support.command_line import CommandLine

ALICE, BOB = "alice@example.test", "bob@example.test"
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//far//EN
METHOD:PUBLISH
X-WR-CALNAME:Days
BEGIN:VTIMEZONE
TZID:Odd
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:one
DTSTAMP:20260101T000000Z
DTSTART;TZID=Odd:20260907T090000
RRULE:FREQ=DAILY
SUMMARY:One
END:VEVENT
BEGIN:VEVENT
UID:one
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Odd:20260908T090000
DTSTART;TZID=Odd:20260908T100000
SUMMARY:One
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260101T000000Z
DTSTART:20260907T090000Z
SUMMARY:Nameless
END:VEVENT
BEGIN:VEVENT
UID:bad
DTSTART:never
END:VEVENT
END:VCALENDAR
"""
VCF = "BEGIN:VCARD\nVERSION:3.0\nFN:Fay\nEMAIL:fay@far.test\nEND:VCARD\nBEGIN:VCARD\nVERSION:2.1\nFN:Old\nEND:VCARD\n"


def test_a_calendar_goes_in_and_comes_out(domain: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.ics"
    domain.run("alias", "add", BOB)
    file.write_text(ICS)
    done = domain.json("calendar", "import", ALICE, str(file), "--calendar", "days")
    assert (done["added"], done["changed"], done["unchanged"], done["failed"]) == (2, 0, 0, 1)
    assert done["errors"][0].startswith("bad: ")
    again = domain.json("calendar", "import", ALICE, str(file), "--calendar", "days")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)
    file.write_text(ICS.replace("SUMMARY:Nameless", "SUMMARY:Other").replace("RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"))
    changed = domain.json("calendar", "import", ALICE, str(file), "--calendar", "days")
    assert (changed["added"], changed["changed"]) == (1, 1)
    assert {one["name"]: one["objects"] for one in domain.json("calendar", "list", ALICE)}["days"] == 3
    out = tmp_path / "b.ics"
    domain.run("calendar", "export", ALICE, str(out), "--calendar", "days")
    text = out.read_text()
    assert text.count("BEGIN:VCALENDAR") == text.count("BEGIN:VTIMEZONE") == 1
    assert text.count("BEGIN:VEVENT") == 4
    assert "METHOD" not in text
    assert domain.json("calendar", "import", BOB, str(out))["added"] == 3
    domain.refused("calendar", "import", ALICE, str(tmp_path / "none.ics"))
    file.write_text("nothing")
    assert "Not a file of calendars" in domain.refused("calendar", "import", ALICE, str(file))


def test_cards_go_in_and_come_out(domain: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(VCF)
    done = domain.json("contacts", "import", ALICE, str(file))
    assert (done["added"], done["failed"]) == (1, 1)
    assert domain.json("contacts", "import", ALICE, str(file))["unchanged"] == 1
    out = domain.run("contacts", "export", ALICE).out
    assert "FN:Fay" in out
    assert "UID:" in out


def test_shares_and_links(domain: CommandLine) -> None:
    domain.run("alias", "add", BOB)
    domain.run("calendar", "share", ALICE, "default", BOB, "--write")
    assert domain.json("calendar", "shares", ALICE) == [{"name": "default", "with": BOB, "rights": "write"}]
    domain.run("contacts", "share", ALICE, "default", BOB)
    assert domain.json("contacts", "shares", ALICE) == [{"name": "default", "with": BOB, "rights": "read"}]
    domain.run("calendar", "unshare", ALICE, "default", BOB)
    assert domain.json("calendar", "shares", ALICE) == []
    assert "not shared" in domain.refused("calendar", "unshare", ALICE, "default", BOB)
    assert "no account" in domain.refused("calendar", "share", ALICE, "default", "max@far.test")
    domain.refused("calendar", "share", ALICE, "default", ALICE)
    url = domain.json("calendar", "link", ALICE, "default")["url"]
    assert "/dav/public/" in url
    assert domain.json("calendar", "unlink", ALICE, "default") == {"removed": 1}
    domain.run("calendar", "subscribe", ALICE, "far", "webcal://far.test/a.ics")
    for url in ("file:///etc/passwd", "https://user@far.test/", "ftp://far.test/a.ics", "https://"):
        domain.refused("calendar", "subscribe", ALICE, "more", url)


def test_birthdays_are_switched_on_and_off(domain: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(VCF.replace("FN:Fay\n", "FN:Fay\nBDAY:1990-02-03\n"))
    domain.run("contacts", "import", ALICE, str(file))
    assert domain.json("calendar", "birthdays", ALICE, "on") == {"birthdays": True}
    assert "SUMMARY:🎂 Fay (1990)" in domain.run("calendar", "export", ALICE, "--calendar", "birthdays").out
    (tmp_path / "b.ics").write_text(ICS)
    refused = domain.refused("calendar", "import", ALICE, str(tmp_path / "b.ics"), "--calendar", "birthdays")
    assert "filled by the server" in refused
    assert domain.json("calendar", "birthdays", ALICE, "off") == {"birthdays": False}
    names = [one["name"] for one in domain.json("calendar", "list", ALICE)]
    assert names == ["default", "tasks"]
