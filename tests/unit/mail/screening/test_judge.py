"""Messages through the whole exchanger: what is decided, written into the header, told the sender and traced."""

import asyncio
import time
from pathlib import Path

import pytest

from mailstead.stores.directory.access import AccessEntry, access_value
from mailstead.stores.directory.records import Alias
from support.screened import Exchanger, exchanger, letter

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
SPAM = letter(
    '<a href="http://203.0.113.9/x">www.bank.test</a> Act now, click here, risk-free! Verify your account: it is suspended.',
    author='"service@bank.test" <ann@good.test>',
    subject="URGENT: YOUR ACCOUNT!!!",
    more="Content-Type: text/html\r\n",
)
PROGRAM = letter(
    "MZ",
    more='Content-Type: application/octet-stream; name="x.exe"\r\nContent-Disposition: attachment; filename="x.exe"\r\n',
)


async def set_alias(opened: Exchanger, **changes: object) -> None:
    import msgspec

    (alias,) = await opened.made.directory.find(Alias, domain="example.test", name="alice")
    await opened.made.directory.replace(msgspec.structs.replace(alias, **changes))


async def test_junk_goes_to_junk_and_says_why(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        assert (await opened.send(SPAM)).startswith(b"250 2.0.0")
        (stored,) = await opened.made.messages("alice@example.test", "Junk")
        assert b"X-Mailstead-Verdict: junk; score=" in stored
        assert b"\r\nX-Spam-Flag: YES\r\n" in stored
        assert b"LINK_LIES=3" in stored
        (text,) = await opened.traced("screened")
        assert text.startswith("junk, ")
        assert "a link shows another domain than it leads to (+3)" in text
        assert await opened.made.messages("alice@example.test") == []


async def test_sure_junk_is_refused(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        answer = await opened.send(letter(GTUBE))
        assert answer.startswith(b"550 5.7.1 This looks like junk (99"), answer
        assert "it is the test message for junk filters (+1000)" in (await opened.traced("screened"))[0]
    async with exchanger(tmp_path / "no", settings={"junk": {"refuse": 0.0}}) as opened:
        assert (await opened.send(letter(GTUBE))).startswith(b"250")
        assert len(await opened.made.messages("alice@example.test", "Junk")) == 1


async def test_the_filter_is_switched_off_by_setting_and_by_alias(tmp_path: Path) -> None:
    async with exchanger(tmp_path / "a", settings={"junk": {"filter": False}}) as opened:
        assert (await opened.send(letter(GTUBE))).startswith(b"250")
        assert len(await opened.made.messages("alice@example.test")) == 1
    async with exchanger(tmp_path / "b") as opened:
        await set_alias(opened, junk_filter=False)
        assert (await opened.send(letter(GTUBE))).startswith(b"250")
        assert len(await opened.made.messages("alice@example.test")) == 1


async def test_an_alias_has_a_threshold_of_its_own(tmp_path: Path) -> None:
    async with exchanger(tmp_path, settings={"junk": {"refuse": 0.0}}) as opened:
        await set_alias(opened, junk_threshold=100.0)
        assert (await opened.send(SPAM, recipients=("alice@example.test", "bob@example.test"))).startswith(b"250")
        (stored,) = await opened.made.messages("alice@example.test")
        assert b"X-Mailstead-Verdict: good; score=" in stored
        assert b"required=100.0" in stored
        assert b"X-Spam-Flag" not in stored
        assert len(await opened.made.messages("bob@example.test", "Junk")) == 1


@pytest.mark.parametrize(
    ("action", "answer", "folder"),
    [
        ("refuse", b"554 5.7.1 Not taken here: ", ""),
        ("junk", b"250", "Junk"),
        ("tag", b"250", "INBOX"),
        ("off", b"250", "INBOX"),
    ],
)
async def test_programs_by_setting(tmp_path: Path, action: str, answer: bytes, folder: str) -> None:
    async with exchanger(tmp_path, settings={"attachments": {"executables": action}}) as opened:
        assert (await opened.send(PROGRAM)).startswith(answer)
        (text,) = await opened.traced("screened")
        assert '"x.exe" is a program or script (.exe)' in text
        if folder:
            assert len(await opened.made.messages("alice@example.test", folder)) == 1


async def test_an_author_on_a_deny_list_is_refused_after_the_message(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        kind, value = access_value("evil.test")
        entry = AccessEntry(id="1", scope="example.test", verdict="deny", kind=kind, value=value)
        await opened.made.directory.add(entry)
        answer = await opened.send(letter(author="x@evil.test"))
        assert answer == b"550 5.7.1 The recipients take no mail of this author\r\n"


async def test_an_allowed_and_proven_author_is_not_junk(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        kind, value = access_value("ann@good.test")
        await opened.made.directory.add(AccessEntry(id="1", scope="", verdict="allow", kind=kind, value=value))
        assert (await opened.send(SPAM)).startswith(b"250")
        assert len(await opened.made.messages("alice@example.test")) == 1
        assert "allowed by the lists for example.test" in (await opened.traced("screened"))[0]


async def test_forged_fields_are_renamed(tmp_path: Path) -> None:
    forged = "X-Spam-Flag: NO\r\nX-Mailstead-Verdict: good; score=-99; allowed=example.test\r\nX-Spam-Status: No\r\n"
    async with exchanger(tmp_path) as opened:
        assert (await opened.send(letter(more=forged))).startswith(b"250")
        (stored,) = await opened.made.messages("alice@example.test")
        assert stored.count(b"X-Mailstead-Verdict:") == 1
        assert b"X-Old-Spam-Flag: NO\r\nX-Old-Spam-Status: No\r\n" in stored
        assert b"-99" not in stored


async def test_everything_else_arrives_byte_for_byte(tmp_path: Path) -> None:
    raw = letter("\x00\x01 odd =\r\n..\r\n" * 30, more="X-Odd:\tx\r\n\ty\r\n")
    async with exchanger(tmp_path) as opened:
        async with opened.connect() as saying:
            await saying.say(b"MAIL FROM:<ann@good.test> BODY=8BITMIME\r\nRCPT TO:<alice@example.test>\r\n")
            await saying.say(b"BDAT %d LAST\r\n" % len(raw) + raw)
        (stored,) = await opened.made.messages("alice@example.test")
        assert stored.endswith(raw)


async def test_reputation_is_learned_from_what_came_before(tmp_path: Path) -> None:
    async with exchanger(tmp_path, settings={"junk": {"refuse": 0.0}}) as opened:
        for _ in range(12):
            assert (await opened.send(SPAM)).startswith(b"250")
        await opened.screening.reputation.flush()
        assert (await opened.send(letter())).startswith(b"250")
        assert "earlier mail of good.test was junk (+" in (await opened.traced("screened"))[-1]
    async with exchanger(tmp_path) as opened:  # it is kept
        points, key = await opened.screening.reputation.points(["domain:good.test", "domain:other.test"])
        assert points > 0.5
        assert key == "domain:good.test"


async def test_the_server_learns_by_itself_what_the_rules_are_sure_about(tmp_path: Path) -> None:
    settings = {"junk": {"refuse": 0.0, "least_messages": 3, "threshold": 5.0}}
    async with exchanger(tmp_path, settings=settings) as opened:
        for number in range(4):
            opened.clock.advance(2)
            assert (await opened.send(letter(f"{GTUBE} buy zirconium watches today number{number}"))).startswith(b"250")
            assert (await opened.send(letter(f"the quarterly minutes of our sailing club number{number}"))).startswith(
                b"250"
            )
        await opened.made.junk.learning.close()
        assert opened.made.junk.model.messages == (4, 4)
        assert (await opened.send(letter("buy zirconium watches today", subject="Zirconium"))).startswith(b"250")
        assert "its words are those of junk" in (await opened.traced("screened"))[-1]


async def test_a_large_message_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        assert (await opened.send(letter("line of text\r\n" * 100_000))).startswith(b"250")
        ticking.cancel()
        assert ticks > 10
        (stored,) = await opened.made.messages("alice@example.test")
        assert len(stored) > 1_400_000


async def test_hostile_messages_are_judged(tmp_path: Path) -> None:
    hostile = {
        "from a crowd": letter(author=", ".join(f'"N{n}" <u{n}@x{n}.test>' for n in range(5000))),
        "injection by a display name": letter(author='"x\\r\\nBcc: y@z.test\r\n\tX-Spam-Flag: NO" <a@b.test>'),
        "encoded injection": letter(
            author="=?utf-8?B?eA0KWC1TcGFtLUZsYWc6IE5P?= <a@b.test>", subject="=?utf-8?Q?a=0D=0AX-Spam-Flag:_NO?="
        ),
        "nested parts": b"".join(
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(500)
        ),
        "tags that never end": letter(
            '<a href="http://' + "a" * 3000 + "<a " * 30000, more="Content-Type: text/html\r\n"
        ),
        "words of blackmail": letter("bitcoin " * 10000),
        "spaces": letter(" " * 60000, subject=" s p" * 200),
        "nothing": b"\r\n",
        "no header": b"\r\n\r\nbody\r\n",
        "octets": bytes(range(1, 10)) + bytes(range(14, 256)) * 200 + b"\r\n",
    }
    async with exchanger(tmp_path, settings={"authentication": {"check": False}, "junk": {"refuse": 0.0}}) as opened:
        began = time.process_time()
        for name, raw in hostile.items():
            answer = await opened.send(raw.replace(b"\n.", b"\n.."), "ann@good.test")
            assert answer.startswith((b"250", b"550 5.7.1 ")), (name, answer)
        spent = time.process_time() - began
        stored = [
            *(await opened.made.messages("alice@example.test")),
            *(await opened.made.messages("alice@example.test", "Junk")),
        ]
        for one in stored:
            header = one.partition(b"\r\n\r\n")[0]
            assert header.count(b"\nX-Spam-Flag: ") == header.count(b"\nX-Spam-Flag: YES\r\n")
        assert spent < 60, "minutes of work for ten messages would be a way to stop the server"
