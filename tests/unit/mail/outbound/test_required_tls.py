"""REQUIRETLS and TLS-Required: No, as RFC 8689 has a sender keep to them."""

from pathlib import Path

import pytest

from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.mta_sts import MtaStsSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.authentication.mtasts.discover import HeldPolicy, MemoryPolicies, StsDiscovery
from mailstead.mail.authentication.mtasts.policy import StsPolicy
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueueFiles
from mailstead.mail.outbound.tls_policies import TlsPolicies
from mailstead.mail.outbound.transport import Transport
from mailstead.mail.outbound.verdict import Verdict
from support.installation import HOSTNAME
from support.post_office import MESSAGE, PostOffice, post_office
from support.scripted_smtp import ScriptedServer
from unit.mail.outbound.test_tls_policies import MX, server

TESTING = StsPolicy("testing", (MX,), 86400)
ENFORCE_OTHER = StsPolicy("enforce", ("other.test",), 86400)


async def attempt(
    office: PostOffice, authority: Path | None, sts: StsPolicy | None, *, sender: str = "a@example.test",
    require: bool = True, message: bytes = MESSAGE,
) -> Verdict:  # fmt: skip
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
    envelope = Envelope(sender=sender, recipients=(EnvelopeRecipient("d@remote.test"),), require_tls=require)
    try:
        with Spool(100_000, office.made.folder) as spool:
            spool.append(message)
            await files.write("m", spool)
        with files.read("m", len(message)) as queued:
            return (await transport.attempt("remote.test", envelope, queued)).verdicts[0]
    finally:
        await transport.close()
        files.close()


def offer(sink: ScriptedServer) -> None:
    sink.extensions = (*sink.extensions, "REQUIRETLS")


@pytest.mark.parametrize(
    ("authenticated", "sts", "trusted", "offered", "status"),
    [
        (False, TESTING, True, True, "2.0.0"),  # the policy's name and a certificate: enough, in testing too
        (True, None, True, True, "2.0.0"),  # the name by DNSSEC
        (False, None, True, True, "5.7.10"),  # nobody vouches for the name
        (False, ENFORCE_OTHER, True, True, "5.7.10"),
        (False, TESTING, False, True, "5.7.10"),  # the certificate of nobody we know
        (False, TESTING, True, False, "5.7.30"),
    ],
)
async def test_required_tls_goes_to_proved_servers_that_go_on_with_it(
    tmp_path: Path, authenticated: bool, sts: StsPolicy | None, trusted: bool, offered: bool, status: str
) -> None:
    async with server(tmp_path) as (sink, authority, _), post_office(tmp_path, sink.port) as office:
        if authenticated:
            office.authority.authenticate("remote.test", MX)
        if offered:
            offer(sink)
        verdict = await attempt(office, authority if trusted else None, sts)
        assert (verdict.status, len(sink.messages)) == (status, int(status == "2.0.0")), verdict.text
        assert any(line.endswith(" REQUIRETLS") for line in sink.lines) is (status == "2.0.0")


async def test_a_server_without_tls_is_refused_for_good(tmp_path: Path) -> None:
    async with server(tmp_path, tls=False) as (sink, authority, _), post_office(tmp_path, sink.port) as office:
        offer(sink)
        verdict = await attempt(office, authority, TESTING)
        assert (verdict.outcome, verdict.status) == ("failed", "5.7.10")


async def test_a_notice_of_such_mail_goes_on_without_it_rather_than_nowhere(tmp_path: Path) -> None:
    async with server(tmp_path) as (sink, authority, _), post_office(tmp_path, sink.port) as office:
        assert (await attempt(office, authority, None, sender="")).status == "2.0.0"
        offer(sink)
        assert (await attempt(office, authority, None, sender="")).status == "2.0.0"
        assert [line.endswith(" REQUIRETLS") for line in sink.lines if line.startswith("MAIL")] == [False, True]


async def test_tls_required_no_ignores_the_domains_policy(tmp_path: Path) -> None:
    policy = StsPolicy("enforce", (MX,), 86400)
    without = b"TLS-Required: No\r\n" + MESSAGE
    async with server(tmp_path, "wrong.test") as (sink, authority, _), post_office(tmp_path, sink.port) as office:
        assert (await attempt(office, authority, policy, require=False)).outcome == "deferred"
        assert (await attempt(office, authority, policy, require=False, message=without)).status == "2.0.0"
        assert sink.encrypted == [True]
        assert (await attempt(office, authority, policy, message=without)).status == "5.7.10"  # REQUIRETLS comes first
