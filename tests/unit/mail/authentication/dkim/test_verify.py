import base64
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.mail.authentication.dkim.canonical import BODY, relaxed_field
from mailstead.mail.authentication.dkim.key import KeyRecordError, parse_key_record
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dkim.sign import SigningKey, cover, sign, signed_field
from mailstead.mail.authentication.dkim.verify import verify_dkim
from mailstead.mail.authentication.message import CheckedMessage
from support.dkim_keys import ed25519_key, published, rsa_key, signing_key
from support.scripted_resolver import ScriptedResolver

HEADER = b"From: a@example.test\r\nTo: b@example.test\r\nSubject: s\r\n\r\n"
BODY_TEXT = b"one\r\ntwo  \r\n\r\n"
SETTINGS = DkimSettings()

# RFC 8463 §A
RFC_8463_ZONE = {
    "brisbane._domainkey.football.example.com": {
        "TXT": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    },
    "test._domainkey.football.example.com": {
        "TXT": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
        "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
        "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
        "Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    },
}
RFC_8463_MESSAGE = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")


async def verify(raw: bytes, resolver: ScriptedResolver, settings: DkimSettings = SETTINGS) -> list[DkimResult]:
    return await verify_dkim(CheckedMessage.of_bytes(raw), resolver, now=time.time(), settings=settings)


def key() -> SigningKey:
    return signing_key(ed25519_key())


def zone() -> ScriptedResolver:
    return published(key(), records=(ed25519_key(),))


def signature() -> bytes:
    return sign(HEADER, (BODY_TEXT,), [key()], int(time.time()))


async def test_the_example_of_rfc_8463() -> None:
    results = await verify(RFC_8463_MESSAGE, ScriptedResolver(RFC_8463_ZONE))
    assert [(one.result, one.algorithm, one.selector) for one in results] == [
        ("pass", "ed25519-sha256", "brisbane"),
        ("pass", "rsa-sha256", "test"),
    ]


async def test_a_message_without_signatures() -> None:
    assert await verify(HEADER + BODY_TEXT, zone()) == []


@pytest.mark.parametrize(
    ("old", "new", "result", "reason"),
    [
        (b"v=1", b"v=2", "permerror", "v= is not 1"),
        (b"a=ed25519-sha256", b"a=rsa-sha1", "permerror", "rsa-sha1 is not accepted (RFC 8301)"),
        (b"a=ed25519-sha256", b"a=rsa-sha256", "permerror", "the key is of another type than the signature"),
        (b"a=ed25519-sha256", b"a=none", "permerror", "a= names no algorithm known here"),
        (b"c=relaxed/relaxed", b"c=relaxed/nowsp", "permerror", "c= names no canonicalization known here"),
        (b"c=relaxed/relaxed", b"c=relaxed/simple", "fail", "the body was changed"),
        (b"c=relaxed/relaxed", b"c=simple/relaxed", "fail", "the header was changed, or the key is another"),
        (b"d=example.test", b"d=other.test", "permerror", "no key is published"),
        (b"d=example.test", b"d=", "permerror", "d= lacks"),
        (b"d=example.test", b"d=a..b", "permerror", "d= and s= make no domain name"),
        (b"s=s1", b"s=s2", "permerror", "no key is published"),
        (b"s=s1", b"s=s1; q=dns/other", "permerror", "q= names no method known here"),
        (b"s=s1", b"s=s1; i=a@other.test", "permerror", "i= is not within d="),
        (b"s=s1", b"s=s1; i=a@sub.example.test", "fail", "the header was changed, or the key is another"),
        (b"s=s1", b"s=s1; x=100", "permerror", "x= is before t="),
        (b"s=s1", b"s=s1; l=x", "permerror", "l= is no number"),
        (b"s=s1", b"s=s1; l=" + b"9" * 76, "fail", "the body is shorter than what was signed"),
        (b"s=s1", b"s=s1; l=" + b"9" * 77, "permerror", "l= is no number"),
        (b"s=s1", b"s=s1; l=0", "fail", "the body was changed"),
        (b"s=s1", b"s=s1; s=s1", "permerror", "s= twice"),
        (b"s=s1", b"s=s1;;", "permerror", "'' is no tag"),
        (b"s=s1", b"s=s1; \xff=1", "permerror", "not UTF-8"),
        (b"bh=", b"bh=!", "permerror", "bh= is not base64"),
        (b"bh=", b"bh=AAAA", "permerror", "bh= is of the wrong size"),
        (b"h=from:from:", b"h=", "permerror", "From is not signed"),
        (b"h=from:from:", b"h=from::", "permerror", "h= is no list of field names"),
        (b"h=from:from:", b"h=from:", "fail", "the header was changed, or the key is another"),
    ],
)  # fmt: skip
async def test_each_way_to_be_wrong(old: bytes, new: bytes, result: str, reason: str) -> None:
    field = signature()
    assert old in field
    (found,) = await verify(field.replace(old, new, 1) + HEADER + BODY_TEXT, zone())
    assert (found.result, found.reason) == (result, reason)


async def test_dates_of_signatures() -> None:
    now = int(time.time())
    for signed_at, extra, reason in [
        (now - 100, f"; x={now - 50}", "the signature has expired"),
        (now + 1000, "", "signed in the future"),
    ]:
        field = sign(HEADER, (BODY_TEXT,), [key()], signed_at).replace(b"s=s1", b"s=s1" + extra.encode())
        (found,) = await verify(field + HEADER + BODY_TEXT, zone())
        assert (found.result, found.reason) == ("permerror", reason)


async def test_a_field_added_above_a_signed_one_is_noticed() -> None:
    field = signature()
    assert (await verify(field + HEADER + BODY_TEXT, zone()))[0].result == "pass"
    for added in (b"From: evil@example.test\r\n", b"Subject: evil\r\n"):
        assert (await verify(field + added + HEADER + BODY_TEXT, zone()))[0].result == (
            "fail" if added.startswith(b"From") else "pass"
        )
        assert (await verify(field + HEADER[:-2] + added + b"\r\n" + BODY_TEXT, zone()))[0].result == "fail"


@pytest.mark.parametrize(
    ("record", "result", "reason"),
    [
        ("p=", "permerror", "the key was revoked"),
        ("v=DKIM2; p={key}", "permerror", "the record is of another version"),
        ("k=ed25519; v=DKIM1; p={key}", "permerror", "the record is of another version"),
        ("k=ed25519; p={key}; h=sha1", "permerror", "the key is not for sha256"),
        ("k=ed25519; p={key}; h=sha1 : sha256", "pass", ""),
        ("k=ed25519; p={key}; s=tlsrpt", "permerror", "the key is not for mail"),
        ("k=ed25519; p={key}; s=email:tlsrpt", "pass", ""),
        ("k=ed25519; p={key}; t=y : s", "pass", "in test mode"),
        ("k=ed25519; p={key}; n=some note; zz=unknown", "pass", ""),
        ("k=ed25519; p=AAAA", "permerror", "p= is no Ed25519 key"),
        ("k=ed25519; p=?", "permerror", "p= is not base64"),
        ("k=rsa; p={key}", "permerror", "p= is no RSA key"),
        ("k=x25519; p={key}", "permerror", "the key is of an unknown type"),
        ("nonsense", "permerror", "the key record cannot be read: 'nonsense' is no tag"),
    ],
)
async def test_key_records(record: str, result: str, reason: str) -> None:
    text = record.format(key=ed25519_key().public_record.partition("p=")[2])
    resolver = ScriptedResolver({"s1._domainkey.example.test": {"TXT": text}})
    (found,) = await verify(signature() + HEADER + BODY_TEXT, resolver)
    assert (found.result, found.reason) == (result, reason)


async def test_a_key_for_its_own_domain_only() -> None:
    text = ed25519_key().public_record + "; t=s"
    resolver = ScriptedResolver({"s1._domainkey.example.test": {"TXT": text}})
    field = signature().replace(b"s=s1", b"s=s1; i=a@sub.example.test")
    (found,) = await verify(field + HEADER + BODY_TEXT, resolver)
    assert (found.result, found.reason) == ("permerror", "the key is not for subdomains")


async def test_one_usable_key_among_others_is_found() -> None:
    resolver = ScriptedResolver({"s1._domainkey.example.test": {"TXT": ["junk", "p=", ed25519_key().public_record]}})
    assert (await verify(signature() + HEADER + BODY_TEXT, resolver))[0].result == "pass"


async def test_a_dead_dns_is_a_temporary_error() -> None:
    resolver = ScriptedResolver({}, failing=["s1._domainkey.example.test"])
    (found,) = await verify(signature() + HEADER + BODY_TEXT, resolver)
    assert (found.result, found.domain, found.selector) == ("temperror", "example.test", "s1")


async def test_short_and_overlong_rsa_keys() -> None:
    short = "MEgCQQC7VJTUt9Us8cKjMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvuNMoSfm76AgMBAAE="
    made = signing_key(rsa_key(2048))
    field = sign(HEADER, (BODY_TEXT,), [made], int(time.time()))
    resolver = ScriptedResolver({"s1._domainkey.example.test": {"TXT": f"p={short}"}})
    (found,) = await verify(field + HEADER + BODY_TEXT, resolver)
    assert found.result == "fail"
    assert "bits proves nothing" in found.reason
    resolver = published(signing_key(rsa_key(4096)), records=(rsa_key(4096),))
    (found,) = await verify(field + HEADER + BODY_TEXT, resolver, DkimSettings(rsa_bits_most=2048))
    assert (found.result, found.reason) == ("permerror", "a key of 4096 bits is too long to be checked")


async def test_octets_after_the_signed_ones_do_not_vouch() -> None:
    partial = b"one\r\n"
    coverage = cover(CheckedMessage.of_bytes(HEADER + partial))
    field = signed_field(b"DKIM-Signature", f"v=1; l={len(partial)}", key(), coverage, int(time.time()))
    (found,) = await verify(field + HEADER + partial, zone())
    assert (found.result, found.vouches, found.unsigned_octets) == ("pass", True, 0)
    (found,) = await verify(field + HEADER + partial + b"more\r\n", zone())
    assert (found.result, found.vouches, found.unsigned_octets) == ("pass", False, 6)
    assert found.reason == "6 octets of the body are not signed"
    (found,) = await verify(field + HEADER + b"One\r\n", zone())
    assert found.result == "fail"


async def test_a_hundred_signatures_cost_ten() -> None:
    others = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=d%d.test; s=s; h=from; bh=%s; b=AAAA\r\n"
        % (number, base64.b64encode(bytes(32)))
        for number in range(100)
    )
    resolver = zone()
    found = await verify(signature() + others + HEADER + BODY_TEXT, resolver)
    assert [one.result for one in found] == ["pass"] + ["permerror"] * 9
    assert resolver.queries.total() == 10


async def test_the_same_key_is_asked_for_once_and_the_body_read_once() -> None:
    reads = 0

    def body() -> tuple[bytes, ...]:
        nonlocal reads
        reads += 1
        return (BODY_TEXT,)

    resolver = zone()
    message = CheckedMessage(signature() * 5 + HEADER, body, len(BODY_TEXT))
    found = await verify_dkim(message, resolver, now=time.time(), settings=SETTINGS)
    assert [one.result for one in found] == ["pass"] * 5
    assert (reads, resolver.queries.total()) == (1, 1)


async def test_large_messages_are_verified_as_small_ones_are() -> None:
    body = (b"line  of \t text \r\n" * 10 + b"\r\n") * 20_000
    field = sign(HEADER, (body,), [key()], int(time.time()))
    pieces = [body[start : start + 65_537] for start in range(0, len(body), 65_537)]
    message = CheckedMessage(field + HEADER, lambda: pieces, len(body))
    (found,) = await verify_dkim(message, zone(), now=time.time(), settings=SETTINGS)
    assert found.result == "pass"


@pytest.mark.parametrize("form", ["simple", "relaxed"])
@given(
    data=st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b" ", b"\t", b"a"]), max_size=30),
    cuts=st.lists(st.integers(0, 60)),
)
def test_a_body_is_the_same_however_it_is_cut(form: str, data: list[bytes], cuts: list[int]) -> None:
    body = b"".join(data)
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    pieces = [body[start:end] for start, end in itertools.pairwise(edges)]
    canonical = BODY["simple" if form == "simple" else "relaxed"]
    assert b"".join(canonical(pieces)) == b"".join(canonical((body,)))


@pytest.mark.parametrize(
    ("form", "body", "canonical"),
    [
        ("simple", b"", b"\r\n"), ("simple", b"\r\n\r\n", b"\r\n"), ("simple", b"a", b"a\r\n"),
        ("simple", b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n"), ("simple", b"a\r", b"a\r\r\n"),
        ("relaxed", b"", b""), ("relaxed", b"\r\n\r\n", b""), ("relaxed", b" \t", b""), ("relaxed", b"a \t", b"a\r\n"),
        ("relaxed", b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"), ("relaxed", b"a\r\n \r\n\t\r\nb", b"a\r\n\r\n\r\nb\r\n"),
        ("relaxed", b"a\n\nb\r\n", b"a\n\nb\r\n"), ("relaxed", b"a\r\r\n\r\n", b"a\r\r\n"),
    ],
)  # fmt: skip
def test_canonical_bodies(form: str, body: bytes, canonical: bytes) -> None:
    """RFC 6376 §3.4.5 and edges."""
    assert b"".join(BODY["simple" if form == "simple" else "relaxed"]((body,))) == canonical


def test_canonical_fields() -> None:
    assert relaxed_field(b"SUBJect", b" A  B\t\r\n\t C ") == b"subject:A B C"
    assert relaxed_field(b"A", b" x\x0c y\r z ") == b"a:x\x0c y\r z"


@pytest.mark.parametrize("form", ["simple", "relaxed"])
@pytest.mark.parametrize("unit", [b"\r\n", b" ", b"\r", b"\n", b" \r\n", b"\t", b"\r\n\n", b"a ", b"\r\nx"])
def test_hostile_bodies_take_linear_time(form: str, unit: bytes) -> None:
    """Quadratic work on 4 MiB would not end within the patience of a test run."""
    piece = unit * (256 * 1024 // len(unit))
    size = sum(len(chunk) for chunk in BODY["simple" if form == "simple" else "relaxed"]([piece] * 16 + [b"x\r\n"]))
    assert size > 0


@given(st.text(max_size=200))
def test_any_key_record_is_read_or_refused(text: str) -> None:
    try:
        parse_key_record("k=rsa; p=" + text)
    except KeyRecordError:
        return


@given(
    st.lists(
        st.sampled_from(
            [b"v=1", b";", b" ", b"a=rsa-sha256", b"b=", b"bh=", b"AAAA", b"d=example.test", b"h=from", b"s=s1", b"\r\n ",
             b"l=0", b"i=@", b"x=9", b"t=1", b":", b"\xff", b"=", b"q=dns/txt", b"c=/"]
        ),
        max_size=25,
    ).map(b"".join)
)  # fmt: skip
async def test_any_signature_comes_to_a_result(value: bytes) -> None:
    (found,) = await verify(b"DKIM-Signature:" + value + b"\r\n" + HEADER, zone())
    assert found.result != "pass"
