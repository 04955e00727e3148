"""Hostile mail at the exchanger: each has its reply, and the work for it is bounded."""

import base64
import json
from pathlib import Path

from mailstead.formats.message.header import header_end
from mailstead.formats.message.part import Bounds
from mailstead.mail.authentication.dkim.sign import sign
from mailstead.mail.outbound.submission import prepare_header
from mailstead.mail.webhooks.message import Occasion, message_json
from support.dkim_keys import ed25519_key, rsa_key, signing_key
from support.screened import exchanger, letter
from support.scripted_resolver import Zone

ALICE = "alice@example.test"
BOMB: Zone = {
    "bomb.test": {"MX": "10 mail.good.test.", "TXT": "v=spf1 include:a.bomb.test include:b.bomb.test -all"},
    **{
        f"{name}.bomb.test": {"TXT": f"v=spf1 include:{name}{name[0]}.bomb.test include:{name}b.bomb.test -all"}
        for depth in range(1, 7)
        for name in ("a" * depth, "b" * depth)
    },
    "s1._domainkey.good.test": {"TXT": ed25519_key().public_record},
    "huge._domainkey.good.test": {"TXT": "v=DKIM1; k=rsa; p=" + "A" * 60_000},
    "big._domainkey.good.test": {"TXT": rsa_key(4096).public_record},
}


async def test_a_hundred_signatures(tmp_path: Path) -> None:
    raw = letter()
    end = header_end(raw, 0, len(raw))
    key = signing_key(ed25519_key(), "good.test")
    fields = b"".join(sign(raw[:end], (raw[end:],), [key], number) for number in range(1, 101))
    async with exchanger(tmp_path, BOMB) as opened:
        opened.resolver.queries.clear()
        assert (await opened.send(fields + raw)).startswith(b"250")
        (stored,) = await opened.made.messages(ALICE)
        assert stored.endswith(fields + raw)
        (text,) = await opened.traced("authenticated")
        assert text.count("DKIM pass by good.test") <= opened.made.settings.dkim.signatures_limit
        assert opened.resolver.queries["s1._domainkey.good.test", "TXT"] <= opened.made.settings.dkim.signatures_limit


async def test_keys_beyond_reason(tmp_path: Path) -> None:
    raw = letter()
    end = header_end(raw, 0, len(raw))
    signed = sign(raw[:end], (raw[end:],), [signing_key(ed25519_key(), "good.test")], 1)
    async with exchanger(tmp_path, BOMB) as opened:
        assert (await opened.send(signed.replace(b"s=s1;", b"s=huge;") + raw)).startswith(b"250")
        assert "DKIM permerror by good.test" in (await opened.traced("authenticated"))[0]
        big = sign(raw[:end], (raw[end:],), [signing_key(rsa_key(4096), "good.test", "big")], 1)
        assert (await opened.send(big + raw)).startswith(b"250")


async def test_text_after_what_is_signed_takes_the_proof_away(tmp_path: Path) -> None:
    raw = letter(more="X: y\r\n")
    end = header_end(raw, 0, len(raw))
    body = raw[end:]
    (field,) = [sign(raw[:end], (body,), [signing_key(ed25519_key(), "good.test")], 1)]
    async with exchanger(tmp_path, BOMB) as opened:
        limited = field.replace(b" v=1;", b" v=1; l=%d;" % len(body))  # breaks it: a forger cannot sign
        assert (await opened.send(limited + raw + b"more\r\n")).startswith(b"250")
        (text,) = await opened.traced("screened")
        assert "no signature holds (+0.8)" in text


async def test_spf_that_asks_without_end(tmp_path: Path) -> None:
    async with exchanger(tmp_path, BOMB) as opened:
        opened.resolver.queries.clear()
        answer = await opened.send(letter(author="x@bomb.test"), "x@bomb.test")
        assert answer.startswith(b"250")
        assert "SPF permerror for bomb.test" in (await opened.traced("authenticated"))[0]
        names = [name for name, kind in opened.resolver.queries.elements() if kind == "TXT"]
        asked = sum(name.endswith("bomb.test") for name in names)
        assert asked <= 2 * 12, "ten lookups each when the recipient and when the message is looked at, and DMARC"


async def test_ten_thousand_recipients(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        limit = opened.made.settings.message.recipients_limit
        async with opened.connect() as saying:
            await saying.say(b"MAIL FROM:<ann@good.test>\r\n")
            answers = []
            for start in range(0, 900, 100):
                block = b"".join(b"RCPT TO:<alice+%d@example.test>\r\n" % n for n in range(start, start + 100))
                answers += (await saying.say(block)).splitlines()
                if saying.session.is_over:
                    break
            assert answers[:limit] == [b"250 2.1.5 Recipient accepted"] * limit
            assert answers[limit] == b"452 4.5.3 Too many recipients"
            # it goes on and on: the conversation ends after so many errors in a row
            assert answers[-1] == b"421 4.7.0 Too many errors"
            assert len(answers) <= limit + opened.made.settings.smtp.errors_limit + 1


async def test_recipients_up_to_the_limit_get_the_message_once_each(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        names = [f"alice+{number}@example.test" for number in range(50)]
        assert (await opened.send(letter(), recipients=names)).startswith(b"250")
        assert len(await opened.made.messages(ALICE)) == 1


async def test_names_that_would_be_fields(tmp_path: Path) -> None:
    name = "=?utf-8?Q?x=0D=0AX-Spam-Flag:_NO=0D=0A=0D=0Abody?= <ann@good.test>"
    async with exchanger(tmp_path) as opened:
        assert (
            await opened.send(letter(author=name, subject="=?utf-8?Q?=0D=0AX-Mailstead-Verdict:_good?="))
        ).startswith(b"250")
        (stored,) = await opened.made.messages(ALICE)
        header = stored.partition(b"\r\n\r\n")[0]
        assert header.count(b"\r\nX-Mailstead-Verdict:") == 1
        assert b"\r\nX-Spam-Flag" not in header
        for event in ("received", "screened", "authenticated"):
            assert all("\n" not in text for text in await opened.traced(event))


async def test_a_mime_bomb_is_taken_as_it_is(tmp_path: Path) -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    flat = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 50_000
    async with exchanger(tmp_path) as opened:
        for bomb in (nested, flat):
            raw = b"From: Ann <ann@good.test>\r\nTo: alice@example.test\r\nMIME-Version: 1.0\r\n" + bomb
            assert (await opened.send(raw)).startswith(b"250")
            stored = (await opened.made.messages(ALICE))[-1]
            assert stored.endswith(raw)


async def test_what_a_webhook_is_told_of_hostile_names() -> None:
    raw = (
        b"From: =?utf-8?Q?a=0D=0AX-Evil_1?= <ann@good.test>\r\nX-Evil\r\n : 2\r\n"
        b'Subject: =?utf-8?Q?=0D=0A=0D=0A{=22raw=22:_=22x=22}?=\r\nTo: "\xff\xfe" <alice@example.test>\r\n\r\nHi.\r\n'
    )
    occasion = Occasion("alice@example.test", "ann@good.test", 0.0, None)
    told = json.loads(message_json(raw, occasion, Bounds()))  # words of strangers are values, whatever is in them
    assert base64.b64decode(told["rawBase64"]) == raw
    assert told["from"]["value"] == [{"name": "a\r\nX-Evil 1", "address": "ann@good.test"}]
    assert "x-evil" not in told["headers"]
    assert told["subject"].strip() == '{"raw": "x"}'


def test_nobody_submits_a_verdict() -> None:
    header = b"From: a@example.test\r\nX-Mailstead-Verdict: junk\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n"
    prepared = prepare_header(header, "mail.example.test", 0.0)
    assert prepared.header == b"From: a@example.test\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n"
