"""Signing and verifying beside dkimpy, both ways."""

import random
import time
from functools import cache

import dkim
import pytest

from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.mail.authentication.dkim.canonical import Canonicalization
from mailstead.mail.authentication.dkim.sign import sign
from mailstead.mail.authentication.dkim.verify import verify_dkim
from mailstead.mail.authentication.message import CheckedMessage
from support.dkim_keys import ed25519_key, generated_message, pem, published, rsa_key, signing_key

FORMS: list[tuple[Canonicalization, Canonicalization]] = [
    ("simple", "simple"), ("simple", "relaxed"), ("relaxed", "simple"), ("relaxed", "relaxed"),
]  # fmt: skip
MESSAGES = 1000
CHUNKS = 20


@cache
def records() -> dict[bytes, bytes]:
    return {
        b"rsa._domainkey.example.test.": rsa_key(1024).public_record.encode(),
        b"ed._domainkey.example.test.": ed25519_key().public_record.encode(),
    }


def txt(name: bytes, timeout: int = 5) -> bytes:
    return records().get(name, b"")


@pytest.mark.parametrize("part", range(CHUNKS))
async def test_what_dkimpy_signs_verifies_here_and_not_when_changed(part: int) -> None:
    rsa = signing_key(rsa_key(1024), selector="rsa")
    resolver = published(rsa, records=(rsa_key(1024),))
    for seed in range(part, MESSAGES, CHUNKS):
        header, body = generated_message(seed)
        rng = random.Random(seed)
        header_form, body_form = FORMS[seed // CHUNKS % 4]
        signature = dkim.sign(
            header + body, b"rsa", b"example.test", pem(rsa_key(1024)),
            canonicalize=(header_form.encode(), body_form.encode()), length=rng.random() < 0.3,
            include_headers=[b"from", b"subject", b"to", b"x-odd"],
        )  # fmt: skip
        cut = rng.randrange(len(body) + 1)
        message = CheckedMessage(signature + header, lambda body=body, cut=cut: (body[:cut], body[cut:]), len(body))  # type: ignore[misc]
        (result,) = await verify_dkim(message, resolver, now=time.time(), settings=DkimSettings())
        assert (result.result, result.unsigned_octets) == ("pass", 0), (seed, result)
        changed = CheckedMessage.of_bytes(signature + header.replace(b"a@example", b"b@example") + body)
        (result,) = await verify_dkim(changed, resolver, now=time.time(), settings=DkimSettings())
        assert (result.result, result.reason.split(",")[0]) == ("fail", "the header was changed"), (seed, result)
        changed = CheckedMessage.of_bytes(signature + header + b"more\r\n" + body)
        (result,) = await verify_dkim(changed, resolver, now=time.time(), settings=DkimSettings())
        assert not result.vouches, (seed, result)


@pytest.mark.parametrize("part", range(CHUNKS))
def test_what_is_signed_here_verifies_with_dkimpy_and_not_when_changed(part: int) -> None:
    keys = [signing_key(rsa_key(1024), selector="rsa"), signing_key(ed25519_key(), selector="ed")]
    for seed in range(part, MESSAGES, CHUNKS):
        header, body = generated_message(seed)
        header_form, body_form = FORMS[seed // CHUNKS % 4]
        cut = random.Random(seed).randrange(len(body) + 1)
        key = keys[seed // CHUNKS // 4 % 2]
        fields = sign(header, (body[:cut], body[cut:]), [key], 1000, header_form=header_form, body_form=body_form)
        signed = fields + header + body
        assert dkim.verify(signed, dnsfunc=txt), (seed, signed)
        assert not dkim.verify(fields + header + b"more\r\n" + body, dnsfunc=txt), seed
