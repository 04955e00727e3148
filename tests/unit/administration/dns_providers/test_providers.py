"""Every provider does the same; RFC 2136 against a real Knot, the others against stand-ins of their interfaces."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from mailstead.administration.dns_providers.opening import open_provider
from mailstead.administration.dns_providers.provider import DnsProvider, DnsProviderError
from mailstead.administration.dns_providers.route53 import Signer
from mailstead.administration.dns_publishing import publish
from mailstead.administration.dns_records import Record
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.tls.authority import ensure_local_authority
from support.knot_server import knot_server
from support.provider_fakes import (
    KEY,
    SECRET,
    TOKEN,
    CloudflareHandler,
    DigitalOceanHandler,
    Fake,
    Route53Handler,
    provider_fake,
)

ZONE = "example.test"
_HANDLERS = {"cloudflare": CloudflareHandler, "digitalocean": DigitalOceanHandler, "route53": Route53Handler}
LONG = "v=DKIM1; k=rsa; p=" + "A1+/" * 150


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("tls")
    authority = ensure_local_authority(folder, ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return authority, context


@contextmanager
def faked(kind: str, tls: tuple[Path, ssl.SSLContext], *, token: str = TOKEN) -> Iterator[tuple[Fake, DnsProvider]]:
    credentials = f"{KEY}:{quote(SECRET, safe='')}" if kind == "route53" else quote(token, safe="")
    with provider_fake(_HANDLERS[kind], ZONE, tls[1]) as fake:
        url = f"{kind}://{credentials}@127.0.0.1:{fake.port}"
        yield fake, open_provider(url, authorities=str(tls[0]), timeout=5)


@pytest.fixture(params=["rfc2136", *_HANDLERS])
def provider(request: pytest.FixtureRequest, tls: tuple[Path, ssl.SSLContext], tmp_path: Path) -> Iterator[DnsProvider]:
    if request.param == "rfc2136":
        with knot_server(tmp_path, ZONE) as knot:
            yield open_provider(knot.url, timeout=5)
    else:
        with faked(request.param, tls) as (_, made):
            yield made


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        (ZONE, "MX", "10 mail.example.test."),
        (ZONE, "TXT", "v=spf1 mx -all"),
        (f"s1._domainkey.{ZONE}", "TXT", LONG),
        (f"_quotes.{ZONE}", "TXT", 'a "quoted" \\ text; with é'),
        (f"_imaps._tcp.{ZONE}", "SRV", "0 1 993 mail.example.test."),
        (f"autoconfig.{ZONE}", "CNAME", "mail.example.test."),
        (f"mail.{ZONE}", "A", "192.0.2.1"),
        (f"mail.{ZONE}", "AAAA", "2001:db8::1"),
    ],
)
async def test_a_record_is_published_and_taken_back(provider: DnsProvider, name: str, kind: str, value: str) -> None:
    assert await provider.values(name, kind) == ()
    await provider.add(name, kind, value)
    assert await provider.values(name, kind) == (value,)
    await provider.add(name, kind, value)  # once more: nothing to do
    assert await provider.values(name, kind) == (value,)
    await provider.remove(name, kind, value)
    assert await provider.values(name, kind) == ()
    await provider.remove(name, kind, value)


async def test_others_at_the_name_stay(provider: DnsProvider) -> None:
    name = f"_acme-challenge.deep.{ZONE}"
    for value in ("first", "second"):
        await provider.add(name, "TXT", value, 60)
    assert set(await provider.values(name, "TXT")) == {"first", "second"}
    await provider.remove(name, "TXT", "first")
    assert await provider.values(name, "TXT") == ("second",)


async def test_a_zone_of_another(provider: DnsProvider) -> None:
    with pytest.raises(DnsProviderError, match=r"no (public )?(zone|domain) for|NOTAUTH|TSIG"):
        await provider.add("elsewhere.invalid", "TXT", "text")


async def test_what_is_no_record(provider: DnsProvider) -> None:
    with pytest.raises(DnsProviderError):
        await provider.add(f"_imaps._tcp.{ZONE}", "SRV", "1 993 mail.example.test.")


async def test_a_type_that_a_provider_has_not(tls: tuple[Path, ssl.SSLContext]) -> None:
    wanted = [
        Record(f"_25._tcp.mail.{ZONE}", "TLSA", "3 1 1 " + "ab" * 32, "", required=False),
        Record(ZONE, "MX", f"10 mail.{ZONE}.", "", required=True),
    ]
    with faked("digitalocean", tls) as (_, provider):
        assert [one.outcome for one in await publish(provider, wanted)] == ["unsupported", "published"]


@pytest.mark.parametrize("kind", ["cloudflare", "digitalocean"])
async def test_more_records_than_a_page(kind: str, tls: tuple[Path, ssl.SSLContext]) -> None:
    with faked(kind, tls) as (fake, provider):
        for number in range(450):
            name = {"cloudflare": f"many.{ZONE}", "digitalocean": "many"}[kind]
            fake.keep(type="TXT", name=name, content=f"t{number}", data=f"t{number}")
        assert len(await provider.values(f"many.{ZONE}", "TXT")) == 450


@pytest.mark.parametrize("kind", _HANDLERS)
@pytest.mark.parametrize(
    "answer", [(500, b"out of order"), (200, b"no such form"), (200, b'{"result": 1}'), (302, b""), (200, b"<a></a>")]
)
async def test_a_provider_that_is_not_well(
    kind: str, tls: tuple[Path, ssl.SSLContext], answer: tuple[int, bytes]
) -> None:
    with faked(kind, tls) as (fake, provider):
        fake.broken = answer
        with pytest.raises(DnsProviderError) as raised:
            await provider.values(ZONE, "TXT")
        assert TOKEN not in str(raised.value)


async def test_wrong_credentials(tls: tuple[Path, ssl.SSLContext], tmp_path: Path) -> None:
    with faked("cloudflare", tls, token="wrong") as (_, provider), pytest.raises(DnsProviderError, match="answers 403"):
        await provider.values(ZONE, "TXT")
    with knot_server(tmp_path, ZONE) as knot:
        provider = open_provider(f"rfc2136://{knot.key_name}:d3Jvbmc=@127.0.0.1:{knot.port}", timeout=5)
        with pytest.raises(DnsProviderError):
            await provider.add(ZONE, "TXT", "text")


async def test_nobody_answers(tls: tuple[Path, ssl.SSLContext]) -> None:
    with faked("cloudflare", tls) as (_, provider):
        pass
    with pytest.raises(DnsProviderError, match=r"127\.0\.0\.1"):
        await provider.values(ZONE, "TXT")


async def test_a_certificate_of_another(tls: tuple[Path, ssl.SSLContext]) -> None:
    with provider_fake(CloudflareHandler, ZONE, tls[1]) as fake:
        provider = open_provider(f"cloudflare://t@127.0.0.1:{fake.port}", timeout=5)
        with pytest.raises(DnsProviderError, match="certificate"):
            await provider.values(ZONE, "TXT")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "godaddy://t@",
        "cloudflare://",
        "route53://key@",
        "rfc2136://key:c2VjcmV0@ns.example.test",
        "rfc2136://key:not base64!@127.0.0.1",
        "rfc2136://key:c2VjcmV0@127.0.0.1?algorithm=hmac-md5",
        "cloudflare://t@host:port",
    ],
)
def test_urls_that_name_no_provider(url: str) -> None:
    with pytest.raises(InvalidError) as raised:
        open_provider(url)
    assert "c2VjcmV0" not in str(raised.value)


def test_a_signature_of_the_published_suite() -> None:
    """`get-vanilla` of the test suite for Signature Version 4."""
    signer = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
    signed = signer.authorization("GET", "example.amazonaws.com", "/", "", b"", "20150830T123600Z")
    assert signed.endswith("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
