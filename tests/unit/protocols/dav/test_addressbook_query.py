"""addressbook-query (RFC 6352 §8.6)."""

from support.dav import A, D, DavClient, Reply, card

CARDS = {
    "zoe": card("zoe", "Zoë Groß", "EMAIL;TYPE=WORK:zoe@example.com", "item1.TEL;TYPE=CELL:+49 1", "NICKNAME:Zo"),
    "ann": card("ann", "Ann Other", "EMAIL;TYPE=HOME:ann@example.org", version="4.0"),
    "club": card("club", "Club", "KIND:group", "MEMBER:urn:uuid:zoe", version="4.0"),
}


def names(reply: Reply) -> set[str]:
    return {href.rpartition("/")[2].removesuffix(".vcf") for href in reply.responses()}


async def filled(client: DavClient) -> str:
    path = f"{client.contacts}default/"
    for name, data in CARDS.items():
        assert (await client.put(f"{path}{name}.vcf", data)).status == 201
    return path


async def query(client: DavClient, path: str, filter_: str, extra: str = "") -> Reply:
    return await client.report(path, "A:addressbook-query", f"<prop><getetag/></prop>{filter_}{extra}")


def text(name: str, words: str, **attributes: str) -> str:
    written = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f'<A:prop-filter name="{name}"><A:text-match{written}>{words}</A:text-match></A:prop-filter>'


SEARCHES = [
    ("<A:filter/>", {"zoe", "ann", "club"}),
    (f"<A:filter>{text('FN', 'GROSS')}</A:filter>", {"zoe"}),  # without regard to case, by Unicode
    (f"<A:filter>{text('FN', 'zoë', collation='i;octet')}</A:filter>", set()),
    (f"<A:filter>{text('FN', 'ann', match_type='starts-with')}</A:filter>", {"ann"}),
    (f"<A:filter>{text('FN', 'other', match_type='ends-with')}</A:filter>", {"ann"}),
    (f"<A:filter>{text('FN', 'club', match_type='equals')}</A:filter>", {"club"}),
    (f"<A:filter>{text('FN', 'ann', negate_condition='yes')}</A:filter>", {"zoe", "club"}),
    (f"<A:filter test='anyof'>{text('FN', 'ann')}{text('EMAIL', 'zoe@')}</A:filter>", {"zoe", "ann"}),
    (f"<A:filter test='allof'>{text('FN', 'ann')}{text('EMAIL', 'zoe@')}</A:filter>", set()),
    ("<A:filter><A:prop-filter name='EMAIL'><A:is-not-defined/></A:prop-filter></A:filter>", {"club"}),
    ("<A:filter><A:prop-filter name='item1.TEL'/></A:filter>", {"zoe"}),
    ("<A:filter><A:prop-filter name='item2.TEL'/></A:filter>", set()),
    (
        "<A:filter><A:prop-filter name='EMAIL' test='allof'><A:text-match>example</A:text-match>"
        "<A:param-filter name='TYPE'><A:text-match>home</A:text-match></A:param-filter></A:prop-filter></A:filter>",
        {"ann"},
    ),
    (
        "<A:filter><A:prop-filter name='TEL'><A:param-filter name='PREF'><A:is-not-defined/></A:param-filter>"
        "</A:prop-filter></A:filter>",
        {"zoe"},
    ),
    (f"<A:filter>{text('KIND', 'group')}</A:filter>", {"club"}),
]


async def test_cards_are_found(alice: DavClient) -> None:
    path = await filled(alice)
    for inner, found in SEARCHES:
        assert names(await query(alice, path, inner)) == found


async def test_some_of_a_card_may_be_asked_for(alice: DavClient) -> None:
    path = await filled(alice)
    found = await alice.report(
        path,
        "A:addressbook-query",
        '<prop><A:address-data><A:prop name="UID"/><A:prop name="EMAIL"/></A:address-data></prop>'
        f"<A:filter>{text('FN', 'ann')}</A:filter>",
    )
    assert found.text(f"{path}ann.vcf", f"{A}address-data").split("\r\n")[1:-2] == [
        "VERSION:4.0",
        "UID:ann",
        "EMAIL;TYPE=HOME:ann@example.org",
    ]


async def test_limits_and_mistakes_are_told(alice: DavClient) -> None:
    path = await filled(alice)
    found = await query(alice, path, "<A:filter/>", "<A:limit><A:nresults>1</A:nresults></A:limit>")
    assert found.status_of(path) == 507
    assert len(found.responses()) == 2
    for wrong, condition in (
        ("", "valid-filter"),
        ("<A:filter test='some'/>", "valid-filter"),
        (f"<A:filter>{text('FN', 'x', collation='i;none')}</A:filter>", "supported-collation"),
    ):
        assert (await query(alice, path, wrong)).condition == f"{A}{condition}"


async def test_a_query_may_go_through_all_address_books(alice: DavClient) -> None:
    path = await filled(alice)
    await alice("MKCOL", f"{alice.contacts}more/")
    await alice.put(f"{alice.contacts}more/dan.vcf", card("dan", "Dan"))
    found = await alice.report(alice.contacts, "A:addressbook-query", "<prop><getetag/></prop><A:filter/>", "infinity")
    assert set(found.responses()) == {f"{path}{name}.vcf" for name in CARDS} | {f"{alice.contacts}more/dan.vcf"}
    assert f"{D}getetag" in found.properties(f"{alice.contacts}more/dan.vcf")
