"""Chains verified and sealed, beside dkimpy both ways."""

import re
import time

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.mail.authentication.arc.result import NO_CHAIN, ArcResult
from mailstead.mail.authentication.arc.seal import SealError, seal
from mailstead.mail.authentication.arc.verify import verify_arc
from mailstead.mail.authentication.message import CheckedMessage
from support.corpus import CORPUS
from support.dkim_keys import generated_message, pem, published, rsa_key, signing_key
from support.scripted_resolver import ScriptedResolver

RESULTS = "mx.example.test;\r\n\tspf=pass smtp.mailfrom=a@example.test"
HEADER = b"From: a@example.test\r\nTo: b@example.test\r\nSubject: s\r\n\r\n"
BODY = b"text\r\n"
SETTINGS = DkimSettings()


def resolver() -> ScriptedResolver:
    return published(signing_key(rsa_key(1024)), records=(rsa_key(1024),))


def txt(name: bytes, timeout: int = 5) -> bytes:
    return rsa_key(1024).public_record.encode() if name == b"s1._domainkey.example.test." else b""


async def verify(raw: bytes, asking: ScriptedResolver | None = None) -> ArcResult:
    return await verify_arc(CheckedMessage.of_bytes(raw), asking or resolver(), now=time.time(), settings=SETTINGS)


async def sealed(raw: bytes, times: int = 1) -> bytes:
    key = signing_key(rsa_key(1024))
    for _ in range(times):
        raw = seal(CheckedMessage.of_bytes(raw), await verify(raw), RESULTS, key, int(time.time())).fields + raw
    return raw


async def test_a_message_without_a_chain() -> None:
    assert await verify(HEADER + BODY) == NO_CHAIN


async def test_our_seals_verify_here_and_with_dkimpy() -> None:
    for seed in range(30):
        header, body = generated_message(seed)
        raw = await sealed(header + body, seed % 4 + 1)
        found = await verify(raw)
        assert (found.result, found.instances, found.oldest_pass) == ("pass", seed % 4 + 1, 0), (seed, found)
        assert found.sealers == ("example.test",) * (seed % 4 + 1)
        state, _, reason = dkim.arc_verify(raw, dnsfunc=txt)
        assert state == dkim.CV_Pass, (seed, reason)


async def test_chains_of_dkimpy_verify_here() -> None:
    for seed in range(30):
        header, body = generated_message(seed)
        raw = b"Authentication-Results: other.test; spf=pass smtp.mailfrom=a@example.test\r\n" + header + body
        for instance in range(seed % 3 + 1):
            if instance:
                raw = b"Authentication-Results: other.test; arc=pass\r\n" + _without(raw, b"Authentication-Results")
            fields = dkim.arc_sign(raw, b"s1", b"example.test", pem(rsa_key(1024)), b"other.test")
            raw = b"".join(fields) + raw
        found = await verify(raw)
        assert (found.result, found.instances) == ("pass", seed % 3 + 1), (seed, found)
        assert (await verify(await sealed(raw))).instances == seed % 3 + 2
        assert (await verify(raw + b"more\r\n")).reason.endswith("the body was changed")


async def test_a_change_breaks_the_chain_and_a_seal_after_it_says_so() -> None:
    raw = await sealed(HEADER + BODY, 2)
    changed = raw.replace(b"text", b"test")
    found = await verify(changed)
    assert (found.result, found.reason, found.instances) == (
        "fail",
        "message signature 2: the body was changed",
        2,
    )
    marked = seal(CheckedMessage.of_bytes(changed), found, RESULTS, signing_key(rsa_key(1024)), int(time.time()))
    assert b"cv=fail" in marked.fields
    after = await verify(marked.fields + changed)
    assert (after.result, after.reason) == ("fail", "instance 3 says that the chain was broken before")
    with pytest.raises(SealError):
        seal(CheckedMessage.of_bytes(marked.fields + changed), after, RESULTS, signing_key(rsa_key(1024)), 0)


async def test_an_older_message_signature_may_be_broken() -> None:
    first = await sealed(HEADER + BODY)
    changed = first.replace(b"text", b"text of a list")
    # the list seals what it changed, having seen the chain pass
    chain = await verify(first)
    raw = seal(CheckedMessage.of_bytes(changed), chain, RESULTS, signing_key(rsa_key(1024)), 0).fields + changed
    found = await verify(raw)
    assert (found.result, found.oldest_pass) == ("pass", 2)


def _without(raw: bytes, name: bytes) -> bytes:
    return re.sub(rb"(?ms)^" + name + rb":.*?\r\n(?=[^ \t])", b"", raw, count=1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: _without(raw, b"ARC-Seal"), "instance 2 lacks arc-seal"),
        (lambda raw: _without(raw, b"ARC-Message-Signature"), "instance 2 lacks arc-message-signature"),
        (lambda raw: _without(raw, b"ARC-Authentication-Results"), "instance 2 lacks arc-authentication-results"),
        (lambda raw: b"ARC-Seal: i=2; i=2\r\n" + raw, "arc-seal: i= twice"),
        (lambda raw: b"ARC-Seal: i=2\r\n" + raw, "instance 2 has arc-seal twice"),
        (lambda raw: raw.replace(b"ARC-Seal: i=2", b"ARC-Seal: i=1"), "instance 1 has arc-seal twice"),
        (lambda raw: raw.replace(b"ARC-Seal: i=2", b"ARC-Seal: i=51"), "arc-seal has no instance from 1 to 50"),
        (lambda raw: raw.replace(b"ARC-Seal: i=2", b"ARC-Seal: i=0"), "arc-seal has no instance from 1 to 50"),
        (lambda raw: raw.replace(b"ARC-Seal: i=2", b"ARC-Seal: i=x"), "arc-seal has no instance from 1 to 50"),
        (lambda raw: raw.replace(b"cv=pass", b"cv=none"), "instance 2 has the wrong cv="),
        (lambda raw: raw.replace(b"cv=none", b"cv=pass"), "instance 1 has the wrong cv="),
        (lambda raw: raw.replace(b"cv=pass;", b"cv=pass; h=from;"), "seal 2: h= is not allowed"),
        (lambda raw: raw.replace(b"cv=pass; d=example.test", b"cv=pass; d=other.test"), "seal 2: no key is published"),
        (lambda raw: raw.replace(b"spf=pass", b"spf=fail", 1), "seal 2 does not hold"),
        (lambda raw: raw.replace(b"h=from:from", b"h=arc-seal:from", 1), "message signature 2: ARC fields are signed"),
        (lambda raw: raw.replace(b"a=rsa-sha256; cv", b"a=rsa-sha1; cv", 1), "seal 2: rsa-sha1 is not accepted"),
    ],
)
async def test_each_way_to_be_wrong(change: object, reason: str) -> None:
    raw = await sealed(HEADER + BODY, 2)
    changed = change(raw)  # type: ignore[operator]
    assert changed != raw
    found = await verify(changed)
    assert found.result == "fail"
    assert found.reason.startswith(reason)


async def test_fifty_sets_and_no_more() -> None:
    raw = await sealed(HEADER + BODY, 50)
    found = await verify(raw)
    assert (found.result, found.instances) == ("pass", 50)
    with pytest.raises(SealError):
        seal(CheckedMessage.of_bytes(raw), found, RESULTS, signing_key(rsa_key(1024)), 0)
    assert (await verify(b"ARC-Seal: i=1\r\n" * 200 + HEADER)).result == "fail"


async def test_a_dead_dns_breaks_a_chain_for_good() -> None:
    """RFC 8617 §5.2.1."""
    raw = await sealed(HEADER + BODY)
    found = await verify(raw, ScriptedResolver({}, failing=["s1._domainkey.example.test"]))
    assert found.result == "fail"
    assert "could not be looked up" in found.reason


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared corpus is not beside this checkout")
async def test_chains_of_the_world_without_their_keys_fail_and_say_why() -> None:
    names = sorted(path.name for path in (CORPUS / "mailauth").glob("arc-*.eml"))
    assert len(names) == 5
    for name in names:
        raw = re.sub(rb"\r?\n", b"\r\n", (CORPUS / "mailauth" / name).read_bytes())
        found = await verify(raw, ScriptedResolver({}))
        assert found.result == "fail"
        assert found.reason in (
            f"message signature {found.instances}: no key is published",
            f"instance {found.instances} says that the chain was broken before",
        )
        assert found.instances == len(re.findall(rb"(?m)^ARC-Seal:", raw))


@given(
    st.lists(
        st.sampled_from(
            [b"ARC-Seal:", b"ARC-Message-Signature:", b"ARC-Authentication-Results:", b" i=1;", b" i=2;", b" cv=none;",
             b" a=rsa-sha256;", b" d=example.test;", b" s=s1;", b" b=AAAA;", b" h=from;", b" bh=AAAA;", b"\r\n", b"\r\n\t",
             b"\xff"]
        ),
        max_size=40,
    ).map(b"".join)
)  # fmt: skip
async def test_any_fields_come_to_a_result(fields: bytes) -> None:
    assert (await verify(fields + b"\r\n" + HEADER)).result in ("none", "fail")
