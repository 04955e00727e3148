"""SMTP smuggling: whatever stands around a dot, what one side sends as one message is never taken for two.

Each variant pretends to end a message in the middle of one, and goes on with the commands and the text of a second.
"""

from pathlib import Path

import pytest

from mailstead.foundation.config.sections.mx import MxSettings
from mailstead.foundation.config.settings import Settings
from support.installation import Installation, installation
from support.smtp_dialogue import Dialogue, RoleName, dialogue, smtp

VARIANTS = {
    "LF . LF": b"\n.\n",
    "LF . CR LF": b"\n.\r\n",
    "CR LF . LF": b"\r\n.\n",
    "CR . CR": b"\r.\r",
    "CR . LF": b"\r.\n",
    "CR . CR LF": b"\r.\r\n",
    "CR LF . CR": b"\r\n.\r",
    "LF . CR": b"\n.\r",
    "CR CR LF . CR CR LF": b"\r\r\n.\r\r\n",
    "CR LF . CR CR LF": b"\r\n.\r\r\n",
    "CR CR LF . CR LF": b"\r\r\n.\r\r\n",
    "LF CR . LF CR": b"\n\r.\n\r",
    "CR LF CR . CR LF": b"\r\n\r.\r\n",
    "CR LF LF . CR LF": b"\r\n\n.\r\n",
    "CR LF . LF CR LF": b"\r\n.\n\r\n",
}
# these have no bare CR or LF and are no end either: the message is taken, whole
WHOLE_VARIANTS = {
    "NUL before the dot": b"\r\n\0.\r\n",
    "NUL after the dot": b"\r\n.\0\r\n",
    "blank after the dot": b"\r\n. \r\n",
    "blank before the dot": b"\r\n .\r\n",
    "two dots": b"\r\n..\r\n",
    "form feed": b"\r\n\x0c.\r\n",
    "next line (C1)": b"\x85.\x85",
    "next line (UTF-8)": b"\xc2\x85.\xc2\x85",
    "line separator": b"\xe2\x80\xa8.\xe2\x80\xa8",
    "vertical tab": b"\x0b.\x0b",
}
SECOND = b"MAIL FROM:<ceo@example.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nsecond\r\n"


def smuggled(variant: bytes) -> bytes:
    return b"Subject: first\r\n\r\nfirst" + variant + SECOND + b".\r\n"


async def begin(talk: Dialogue, hello: bytes = b"HELO client.example") -> None:
    await talk.say(hello + b"\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.test>\r\n")


async def inbox(made: Installation) -> list[bytes]:
    return await made.messages("alice@example.test")


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
async def test_the_mail_exchanger_refuses_the_whole(variant: bytes, step: int, tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, dialogue(opened.role("mx")) as talk:
        await begin(talk)
        assert (await talk.say(b"DATA\r\n")).startswith(b"354")
        data = smuggled(variant) + b"NOOP\r\n"
        answers = b"".join([await talk.say(data[start : start + step]) for start in range(0, len(data), step)])
        assert answers == (b"554 5.5.2 The message has a CR or LF that is not part of a CR LF\r\n250 2.0.0 OK\r\n"), (
            answers
        )
        assert await inbox(made) == []


@pytest.mark.parametrize("role", ["mx", "lmtp"])
@pytest.mark.parametrize("variant", (VARIANTS | WHOLE_VARIANTS).values(), ids=VARIANTS | WHOLE_VARIANTS)
async def test_where_it_is_taken_it_is_one_message(variant: bytes, role: RoleName, tmp_path: Path) -> None:
    settings = Settings(mx=MxSettings(bare_newlines="accept"))
    async with installation(tmp_path, settings) as made, smtp(made) as opened:
        async with dialogue(opened.role(role), address="127.0.0.1") as talk:
            await begin(talk, b"LHLO c.example" if role == "lmtp" else b"HELO c.example")
            assert (await talk.say(b"DATA\r\n")).startswith(b"354")
            answers = await talk.say(smuggled(variant))
            assert answers.startswith(b"250 ")
            assert answers.count(b"\r\n") == 1
        found = await inbox(made)
        assert len(found) == 1
        assert found[0].endswith(smuggled(variant)[:-3].replace(b"\r\n.", b"\r\n"))


@pytest.mark.parametrize("variant", WHOLE_VARIANTS.values(), ids=WHOLE_VARIANTS)
async def test_what_is_no_end_ends_nothing(variant: bytes, tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, dialogue(opened.role("mx")) as talk:
        await begin(talk)
        await talk.say(b"DATA\r\n")
        assert await talk.say(b"Subject: x\r\n\r\nfirst" + variant + SECOND) == b""
        assert (await talk.say(b".\r\n")).startswith(b"250 ")
        assert len(await inbox(made)) == 1


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
async def test_chunks_are_no_way_round(variant: bytes, tmp_path: Path) -> None:
    """What came by BDAT could go on by DATA somewhere: the same rule, unless it is declared to be binary."""
    async with installation(tmp_path) as made, smtp(made) as opened, dialogue(opened.role("mx")) as talk:
        await begin(talk)
        message = smuggled(variant)
        answers = await talk.say(b"BDAT %d LAST\r\n%bNOOP\r\n" % (len(message), message))
        assert answers.startswith(b"554 5.5.2 ")
        assert answers.endswith(b"250 2.0.0 OK\r\n")
        assert await inbox(made) == []


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\n\r", b"\r\r\n"])
async def test_a_command_line_ends_with_cr_lf_alone(end: bytes, tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, dialogue(opened.role("mx")) as talk:
        answers = await talk.say(b"HELO client.example" + end + SECOND + b".\r\n")
        assert answers == b"500 5.5.2 Lines end with CR LF; nothing more is read\r\n"
        assert talk.session.is_over
        assert await inbox(made) == []


@pytest.mark.parametrize("dot", [b".\n", b".\r", b"\n.\r\n", b"\r.\r\n"])
async def test_a_message_that_only_seems_to_begin_with_its_end(dot: bytes, tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, dialogue(opened.role("mx")) as talk:
        await begin(talk)
        await talk.say(b"DATA\r\n")
        assert await talk.say(dot + SECOND) == b""
        assert (await talk.say(b".\r\n")).startswith(b"554 5.5.2 ")
        assert await inbox(made) == []
