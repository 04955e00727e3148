"""calendar-query, free-busy-query and what calendar-data may leave out (RFC 4791 §7.8, §7.10, §9)."""

from support.dav import NAMESPACES, A, C, D, DavClient, Reply, calendar, event

WEEKLY = event(
    "weekly", "DTSTART;TZID=Europe/Berlin:20260302T090000", "RRULE:FREQ=WEEKLY;BYDAY=MO", "SUMMARY:Jour fixe"
)
CHANGED = event(
    "weekly",
    "DTSTART;TZID=Europe/Berlin:20260331T110000",
    "RECURRENCE-ID;TZID=Europe/Berlin:20260330T090000",
    "SUMMARY:Moved",
)
OBJECTS = {
    "weekly": calendar(WEEKLY, CHANGED),
    "single": calendar(event("single", "DTSTART:20260310T100000Z", "SUMMARY:Zahnarzt", "CATEGORIES:health,private")),
    "day": calendar(event("day", "DTSTART;VALUE=DATE:20260315", "TRANSP:TRANSPARENT", end="")),
    "floating": calendar(event("floating", "DTSTART:20260320T233000", "STATUS:TENTATIVE")),
    "alarm": calendar(
        event(
            "alarm",
            "DTSTART:20260401T120000Z",
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.test",
            "BEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT30M\r\nREPEAT:2\r\nDURATION:PT5M\r\nEND:VALARM",
        )
    ),
}
TASKS = {
    "due": "DUE:20260310T100000Z",
    "span": "DTSTART:20260309T100000Z\r\nDUE:20260311T100000Z",
    "start": "DTSTART:20260310T100000Z",
    "duration": "DTSTART:20260309T230000Z\r\nDURATION:PT2H",
    "done": "COMPLETED:20260310T100000Z",
    "made": "CREATED:20260310T100000Z",
    "both": "CREATED:20260201T000000Z\r\nCOMPLETED:20260310T100000Z",
    "none": "SUMMARY:some day",
}


async def filled(client: DavClient) -> str:
    path = f"{client.calendars}default/"
    for name, data in OBJECTS.items():
        assert (await client.put(f"{path}{name}.ics", data)).status == 201
    return path


def names(reply: Reply) -> set[str]:
    return {href.rpartition("/")[2].removesuffix(".ics") for href in reply.responses()}


async def query(client: DavClient, path: str, inner: str, prop: str = "<getetag/>", extra: str = "") -> Reply:
    asked = f'<prop>{prop}</prop><C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>{extra}'
    return await client.report(path, "C:calendar-query", asked)


def within(start: str, end: str, name: str = "VEVENT") -> str:
    return f'<C:comp-filter name="{name}"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'


def having(inner: str, name: str = "VEVENT") -> str:
    return f'<C:comp-filter name="{name}">{inner}</C:comp-filter>'


TIMES = [
    ("20260301T000000Z", "20260401T000000Z", {"weekly", "single", "day", "floating"}),
    ("20260310T110000Z", "20260310T120000Z", set()),  # the end is not in it
    ("20260310T105959Z", "20260310T110000Z", {"single"}),
    ("20260315T000000Z", "20260315T000001Z", {"day"}),
    ("20260330T060000Z", "20260330T090000Z", set()),  # that instance was moved
    ("20260331T090000Z", "20260331T091000Z", {"weekly"}),
    ("20260406T070000Z", "20260406T071000Z", {"weekly"}),  # at nine in summer, too
    ("20260406T080000Z", "20260406T090000Z", set()),
    ("20360303T080000Z", "20360303T090000Z", {"weekly"}),
    ("20360303T090000Z", "20360303T100000Z", set()),
    ("20360303T000000Z", "20360304T000000Z", {"weekly"}),
    ("20250101T000000Z", "20260101T000000Z", set()),
]


async def test_events_are_found_by_time(alice: DavClient) -> None:
    path = await filled(alice)
    for start, end, found in TIMES:
        assert names(await query(alice, path, within(start, end))) == found


async def test_floating_times_are_in_the_zone_that_is_named(alice: DavClient) -> None:
    path = await filled(alice)
    late = within("20260321T000000Z", "20260321T010000Z")
    assert names(await query(alice, path, late)) == {"floating"}
    assert names(await query(alice, path, late, extra="<C:timezone-id>Europe/Berlin</C:timezone-id>")) == set()
    tokyo = within("20260320T143000Z", "20260320T150000Z")
    assert names(await query(alice, path, tokyo, extra="<C:timezone-id>Asia/Tokyo</C:timezone-id>")) == {"floating"}
    await alice(
        "PROPPATCH",
        path,
        f"<propertyupdate {NAMESPACES}><set><prop><C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id></prop></set>"
        "</propertyupdate>",
    )
    assert names(await query(alice, path, tokyo)) == {"floating"}
    refused = await query(alice, path, tokyo, extra="<C:timezone-id>No/Where</C:timezone-id>")
    assert refused.condition == f"{C}valid-timezone"


WORDS = [
    ('<C:prop-filter name="SUMMARY"><C:text-match>zahn</C:text-match></C:prop-filter>', {"single"}),
    (
        '<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">zahn</C:text-match></C:prop-filter>',
        set(),
    ),
    (
        '<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">zahn</C:text-match></C:prop-filter>',
        {"weekly"},
    ),
    ('<C:prop-filter name="SUMMARY"><C:is-not-defined/></C:prop-filter>', {"day", "floating", "alarm"}),
    ('<C:prop-filter name="CATEGORIES"/>', {"single"}),
    (
        '<C:prop-filter name="ATTENDEE"><C:text-match>mailto:BOB</C:text-match>'
        '<C:param-filter name="PARTSTAT"><C:text-match>NEEDS-ACTION</C:text-match></C:param-filter></C:prop-filter>',
        {"alarm"},
    ),
    (
        '<C:prop-filter name="ATTENDEE"><C:param-filter name="ROLE"><C:is-not-defined/></C:param-filter>'
        "</C:prop-filter>",
        {"alarm"},
    ),
    (
        '<C:prop-filter name="DTSTAMP"><C:time-range start="20260101T000000Z" end="20260101T000001Z"/></C:prop-filter>'
        '<C:prop-filter name="STATUS"/>',
        {"floating"},
    ),
    (
        '<C:comp-filter name="VALARM"><C:time-range start="20260401T114000Z" end="20260401T114001Z"/></C:comp-filter>',
        {"alarm"},
    ),
    (
        '<C:comp-filter name="VALARM"><C:time-range start="20260401T114100Z" end="20260401T120000Z"/></C:comp-filter>',
        set(),
    ),
    ('<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>', {"weekly", "single", "day", "floating"}),
    ("", set(OBJECTS)),
]


async def test_events_are_found_by_what_they_say(alice: DavClient) -> None:
    path = await filled(alice)
    for inner, found in WORDS:
        assert names(await query(alice, path, having(inner))) == found


TASK_TIMES = [
    ("20260310T000000Z", "20260311T000000Z", {"due", "span", "start", "duration", "done", "both", "none", "made"}),
    ("20260309T000000Z", "20260309T120000Z", {"span", "both", "none"}),
    ("20260310T010000Z", "20260310T020000Z", {"span", "duration", "both", "none"}),
    ("20260312T000000Z", "20260313T000000Z", {"none", "made"}),
    ("20260101T000000Z", "20260102T000000Z", {"none"}),
]


async def test_tasks_are_found_by_the_table_of_the_standard(alice: DavClient) -> None:
    path = f"{alice.calendars}tasks/"
    for name, lines in TASKS.items():
        data = calendar("BEGIN:VTODO", f"UID:{name}", lines, "END:VTODO")
        assert (await alice.put(f"{path}{name}.ics", data)).status == 201
    for start, end, found in TASK_TIMES:
        assert names(await query(alice, path, within(start, end, "VTODO"))) == found


async def test_recurrence_is_expanded_in_utc(alice: DavClient) -> None:
    path = await filled(alice)
    asked = '<C:calendar-data><C:expand start="20260323T000000Z" end="20260408T000000Z"/></C:calendar-data>'
    found = await query(alice, path, within("20260323T000000Z", "20260408T000000Z"), asked)
    text = found.text(f"{path}weekly.ics", f"{C}calendar-data")
    assert text.count("BEGIN:VEVENT") == 3
    for line in (
        "DTSTART:20260323T080000Z",
        "RECURRENCE-ID:20260323T080000Z",
        "DTSTART:20260331T090000Z",
        "RECURRENCE-ID:20260330T070000Z",
        "DTSTART:20260406T070000Z",
    ):
        assert line in text
    for gone in ("RRULE", "TZID", "VTIMEZONE"):
        assert gone not in text
    limited = asked.replace("C:expand", "C:limit-recurrence-set").replace("20260408", "20260329")
    found = await query(alice, path, having(""), limited)
    assert "Moved" not in found.text(f"{path}weekly.ics", f"{C}calendar-data")
    assert "RRULE" in found.text(f"{path}weekly.ics", f"{C}calendar-data")


async def test_some_of_an_object_may_be_asked_for(alice: DavClient) -> None:
    path = await filled(alice)
    asked = (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="UID"/>'
        '<C:prop name="SUMMARY" novalue="yes"/></C:comp></C:comp></C:calendar-data>'
    )
    found = await query(alice, path, having('<C:prop-filter name="CATEGORIES"/>'), asked)
    assert found.text(f"{path}single.ics", f"{C}calendar-data").split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "UID:single",
        "SUMMARY:",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


REFUSED = [
    ('<C:filter><C:comp-filter name="VEVENT"/></C:filter>', 400, "valid-filter"),
    ("", 400, "valid-filter"),
    (
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260101"/>'
        "</C:comp-filter></C:comp-filter></C:filter>",
        400,
        "valid-filter",
    ),
    (
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VSTRANGE"/></C:comp-filter></C:filter>',
        403,
        "supported-filter",
    ),
    (
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="X">'
        '<C:text-match collation="i;klingon">x</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter>',
        412,
        "supported-collation",
    ),
    (
        '<prop><C:calendar-data content-type="text/x"/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter>',
        403,
        "supported-calendar-data",
    ),
]


async def test_a_query_that_cannot_be_answered_says_why(alice: DavClient) -> None:
    for inner, status, condition in REFUSED:
        refused = await alice.report(f"{alice.calendars}default/", "C:calendar-query", inner)
        assert (refused.status, refused.condition) == (status, f"{C}{condition}")


async def test_reports_belong_to_their_kinds(alice: DavClient) -> None:
    for path, name in ((alice.contacts, "C:calendar-query"), (alice.calendars, "A:addressbook-query")):
        inner = '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter><A:filter/>'
        refused = await alice.report(f"{path}default/", name, inner)
        assert (refused.status, refused.condition) == (403, f"{D}supported-report")
    refused = await alice.report(f"{alice.calendars}default/", "no-such-report", "")
    assert refused.condition == f"{D}supported-report"


async def test_busy_times_are_told(alice: DavClient) -> None:
    path = await filled(alice)
    inner = '<C:time-range start="20260309T000000Z" end="20260321T000000Z"/>'
    found = await alice.report(path, "C:free-busy-query", inner)
    assert found.headers["content-type"].startswith("text/calendar")
    lines = found.body.decode().replace("\r\n ", "").split("\r\n")
    hours = (
        "20260309T080000Z/20260309T090000Z",
        "20260310T100000Z/20260310T110000Z",
        "20260316T080000Z/20260316T090000Z",
    )
    assert f"FREEBUSY:{','.join(hours)}" in lines
    assert "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260320T233000Z/20260321T000000Z" in lines
    assert not any("20260315" in line for line in lines)  # it is transparent
    await alice(
        "PROPPATCH",
        path,
        f"<propertyupdate {NAMESPACES}><set><prop><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
        "</prop></set></propertyupdate>",
    )
    found = await alice.report(path, "C:free-busy-query", inner)
    assert b"FREEBUSY:" not in found.body


async def test_a_limit_is_told(alice: DavClient) -> None:
    path = await filled(alice)
    found = await query(alice, path, having(""), extra="<C:limit><C:nresults>2</C:nresults></C:limit>")
    responses = found.responses()
    assert found.status_of(path) == 507
    assert len(responses) == 3


async def test_multiget_tells_what_is_not_there(alice: DavClient) -> None:
    path = await filled(alice)
    hrefs = [f"{path}single.ics", f"{path}none.ics", f"{alice.calendars}tasks/x.ics", "https://elsewhere.example/x"]
    found = await alice.report(
        path, "C:calendar-multiget", "<prop><getetag/></prop>" + "".join(f"<href>{href}</href>" for href in hrefs)
    )
    assert set(found.responses()) == set(hrefs)
    assert [found.status_of(href) for href in hrefs[1:]] == [404, 404, 404]
    assert f"{D}getetag" in found.properties(hrefs[0])
    assert f"{A}address-data" not in found.body.decode()


async def test_busy_times_of_a_range(alice: DavClient) -> None:
    busy = "FREEBUSY:20260105T100000Z/PT1H,20260106T100000Z/20260106T110000Z\r\nFREEBUSY:20260107T100000Z/PT1H"
    data = f"BEGIN:VFREEBUSY\r\nUID:f\r\nDTSTAMP:20260101T000000Z\r\n{busy}\r\nEND:VFREEBUSY"
    await alice("MKCALENDAR", f"{alice.calendars}busy/", ONLY_BUSY)
    path = f"{alice.calendars}busy/f.ics"
    assert (await alice.put(path, calendar(data))).status == 201
    limit = '<C:limit-freebusy-set start="20260106T000000Z" end="20260107T000000Z"/>'
    asked = f"<prop><C:calendar-data>{limit}</C:calendar-data></prop><href>{path}</href>"
    found = (await alice.report(f"{alice.calendars}busy/", "C:calendar-multiget", asked)).text(
        path, f"{C}calendar-data"
    )
    assert [line for line in found.split() if line.startswith("FREEBUSY")] == [
        "FREEBUSY:20260106T100000Z/20260106T110000Z"
    ]


ONLY_BUSY = (
    f'<C:mkcalendar {NAMESPACES}><set><prop><C:supported-calendar-component-set><C:comp name="VFREEBUSY"/>'
    "</C:supported-calendar-component-set></prop></set></C:mkcalendar>"
)
