"""Mail goes only where the TLS policy of its domain lets it go."""

import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.mta_sts import MtaStsSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.authentication.mtasts.discover import HeldPolicy, MemoryPolicies, StsDiscovery
from mailstead.mail.authentication.mtasts.policy import Mode, StsPolicy
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueueFiles
from mailstead.mail.outbound.kept_policies import KeptPolicies
from mailstead.mail.outbound.tls_policies import TlsPolicies
from mailstead.mail.outbound.transport import Transport
from mailstead.mail.outbound.verdict import Verdict
from support.dns_authority import Failure
from support.installation import HOSTNAME
from support.post_office import MESSAGE, PostOffice, post_office
from support.scripted_smtp import EXTENSIONS, ScriptedServer, scripted_server

MX = "mx.remote.test"
DELIVERED, REFUSED = ("delivered", "2.0.0"), ("deferred", "4.7.5")


@asynccontextmanager
async def server(folder: Path, *names: str, tls: bool = True) -> AsyncIterator[tuple[ScriptedServer, Path, bytes]]:
    """A server with a certificate for `names`, its authority, and the certificate in DER."""
    authority = ensure_local_authority(folder / "sink", names or (MX,))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "sink" / "certificate.pem", folder / "sink" / "key.pem")
    certificate = x509.load_pem_x509_certificate((folder / "sink" / "certificate.pem").read_bytes())
    extensions = (*EXTENSIONS, "STARTTLS") if tls else EXTENSIONS
    async with scripted_server(extensions=extensions, tls=context) as sink:
        yield sink, authority, certificate.public_bytes(Encoding.DER)


async def attempt(office: PostOffice, authority: Path | None, sts: StsPolicy | None = None, times: int = 1) -> Verdict:
    """Send to remote.test with its MTA-STS policy `sts`, trusting `authority` and all that DNS calls authenticated."""
    tls = office.made.folder / "tls"
    ensure_local_authority(tls, (HOSTNAME,))
    contexts = TLSContexts(tls, TlsSettings(authorities=str(authority or "")))
    resolver = Resolver((office.authority.address,), DnsSettings(trusted=True, attempts=1), office.clock)
    policies = MemoryPolicies()
    if sts is not None:
        await policies.put("remote.test", HeldPolicy(sts, "1", office.clock.now()))
    discovery = StsDiscovery(resolver, lambda: contexts.client(True), policies, MtaStsSettings(), office.clock)
    transport = Transport(
        resolver, contexts, office.settings, HOSTNAME, policies=TlsPolicies(resolver, discovery, office.clock)
    )
    files = QueueFiles(office.made.folder / "files", bytes(32))
    files.open()
    with Spool(100_000, office.made.folder) as spool:
        spool.append(MESSAGE)
        await files.write("m", spool)
    envelope = Envelope(sender="alice@example.test", recipients=(EnvelopeRecipient("dave@remote.test"),))
    try:
        for _ in range(times):
            with files.read("m", len(MESSAGE)) as queued:
                found = await transport.attempt("remote.test", envelope, queued)
        (verdict,) = found.verdicts
        return verdict
    finally:
        await transport.close()
        files.close()


def summary(verdict: Verdict) -> tuple[str, str]:
    return verdict.outcome, verdict.status


def policy(mode: Mode, *hosts: str) -> StsPolicy:
    return StsPolicy(mode, hosts or (MX,), 86400)


async def test_an_enforced_policy_is_met_by_a_certificate_for_the_name(tmp_path: Path) -> None:
    async with server(tmp_path) as (sink, authority, _), post_office(tmp_path, sink.port) as office:
        assert summary(await attempt(office, authority, policy("enforce"), times=2)) == DELIVERED
        assert sink.encrypted == [True, True]


@pytest.mark.parametrize("why", ["unknown authority", "other name", "no TLS", "other server"])
async def test_an_enforced_policy_that_is_not_met_keeps_the_mail(tmp_path: Path, why: str) -> None:
    names = ("other.test",) if why == "other name" else (MX,)
    async with (
        server(tmp_path, *names, tls=why != "no TLS") as (sink, authority, _),
        post_office(tmp_path, sink.port) as office,
    ):
        hosts = ("mx.elsewhere.test",) if why == "other server" else ()
        trusted = None if why == "unknown authority" else authority
        for mode in ("enforce", "testing"):
            found = await attempt(office, trusted, policy("enforce" if mode == "enforce" else "testing", *hosts))
            assert found.outcome == ("deferred" if mode == "enforce" else "delivered"), found
            assert len(sink.encrypted) == (mode == "testing")


def publish_tlsa(office: PostOffice, port: int, digest: str) -> None:
    name = f"_{port}._tcp.{MX}"
    office.authority.put(name, "TLSA", f"3 0 1 {digest}")
    office.authority.authenticate("remote.test", MX, name)


async def test_a_certificate_that_dnssec_vouches_for(tmp_path: Path) -> None:
    async with server(tmp_path, "whatever.test") as (sink, _, certificate), post_office(tmp_path, sink.port) as office:
        publish_tlsa(office, sink.port, hashlib.sha256(certificate).hexdigest())
        assert summary(await attempt(office, None)) == DELIVERED
        assert summary(await attempt(office, None, policy("enforce", "mx.elsewhere.test"))) == DELIVERED
        assert sink.encrypted == [True, True]
        office.authority.put(f"_{sink.port}._tcp.{MX}", "TLSA", f"3 0 1 {'00' * 32}")
        found = await attempt(office, None)
        assert summary(found) == REFUSED
        assert "no TLSA record matches the certificate" in found.text
        assert len(sink.encrypted) == 2


async def test_tls_that_was_stripped_is_missed(tmp_path: Path) -> None:
    async with server(tmp_path, tls=False) as (sink, _, certificate), post_office(tmp_path, sink.port) as office:
        assert summary(await attempt(office, None)) == DELIVERED
        publish_tlsa(office, sink.port, hashlib.sha256(certificate).hexdigest())
        found = await attempt(office, None)
        assert summary(found) == REFUSED
        assert "offers no TLS" in found.text


async def test_records_that_cannot_be_looked_up_keep_the_mail(tmp_path: Path) -> None:
    async with server(tmp_path) as (sink, _, certificate), post_office(tmp_path, sink.port) as office:
        publish_tlsa(office, sink.port, hashlib.sha256(certificate).hexdigest())
        office.authority.fail(f"_{sink.port}._tcp.{MX}", Failure.SERVFAIL)
        assert (await attempt(office, None)).outcome == "deferred"
        assert sink.encrypted == []


async def test_policies_outlive_the_process_that_fetched_them(tmp_path: Path) -> None:
    async with post_office(tmp_path, 1) as office:
        first, second = KeptPolicies(office.made.documents), KeptPolicies(office.made.documents)
        assert await first.get("remote.test") is None
        for identifier in ("1", "2"):
            held = HeldPolicy(policy("enforce", MX, "*.example.net"), identifier, office.clock.now())
            await first.put("remote.test", held)
            assert await KeptPolicies(office.made.documents).get("remote.test") == held
        await second.put("other.test", held)
        assert await first.get("other.test") == held
