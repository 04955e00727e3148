"""The records a domain needs, with what of the host belongs to them."""

from pathlib import Path

import pytest

from mailstead.administration.certificates.wanted import standing
from mailstead.administration.dns_records import host_facts, own_sts_policy, records, zone_file
from mailstead.foundation.config.sections.mta_sts import MtaStsSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.mail.authentication.dane.record import parse_tlsa
from mailstead.mail.authentication.dane.verify import verify_dane
from mailstead.mail.authentication.mtasts.policy import format_policy, new_policy_id, parse_policy, policy_id
from mailstead.stores.directory.records import Domain

HOST = "mail.example.test"


def values(settings: Settings, domain: Domain) -> dict[tuple[str, str], str]:
    return {(one.name, one.type): one.value for one in records(domain, host_facts(settings, HOST))}


def test_the_host_has_its_records_in_its_own_domain_alone(tmp_path: Path) -> None:
    server = ServerSettings(data=str(tmp_path), addresses=("192.0.2.1", "2001:db8::1"))
    settings = Settings(server=server)
    found = values(settings, Domain(id="example.test", owner_id=""))
    assert (found[HOST, "A"], found[HOST, "AAAA"]) == ("192.0.2.1", "2001:db8::1")
    assert found["_dmarc.example.test", "TXT"].endswith("rua=mailto:mail-reports@example.test")
    assert (HOST, "A") not in values(settings, Domain(id="other.test", owner_id=""))
    assert (HOST, "A") not in values(settings, Domain(id="ample.test", owner_id=""))


def test_a_domains_own_source_is_in_its_spf_where_it_is_public(tmp_path: Path) -> None:
    domain = Domain(id="example.test", owner_id="", source=("10.0.0.7", "2a00:1450::1"))
    found = values(Settings(server=ServerSettings(data=str(tmp_path))), domain)
    assert found["example.test", "TXT"] == "v=spf1 mx ip6:2a00:1450::1 -all"


@pytest.mark.parametrize("mode", ["off", "testing", "enforce"])
def test_the_sts_record_announces_the_policy_that_is_served(tmp_path: Path, mode: str) -> None:
    sts = MtaStsSettings(publish=mode)  # type: ignore[arg-type]
    settings = Settings(server=ServerSettings(data=str(tmp_path)), mta_sts=sts)
    policy = own_sts_policy(settings, HOST)
    found = values(settings, Domain(id="example.test", owner_id=""))
    if mode == "off":
        assert policy is None
        assert ("_mta-sts.example.test", "TXT") not in found
        return
    assert policy is not None
    assert policy.mode == mode
    assert parse_policy(format_policy(policy)) == policy
    assert policy_id((found["_mta-sts.example.test", "TXT"],)) == new_policy_id(policy)


def test_the_tlsa_record_is_met_by_the_certificate_and_only_lasting_keys_have_one(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path / "data" / "tls", (HOST,))
    own = Settings(server=ServerSettings(data=str(tmp_path / "data")))
    assert standing(own, tmp_path / "data" / "tls", "").source == "own authority"
    place = (f"_25._tcp.{HOST}", "TLSA")
    assert place not in values(own, Domain(id="example.test", owner_id=""))
    folder = tmp_path / "data" / "tls"
    tls = TlsSettings(certificate=str(folder / "certificate.pem"), key=str(folder / "key.pem"))
    given = Settings(server=ServerSettings(data=str(tmp_path / "data")), tls=tls)
    record = parse_tlsa(values(given, Domain(id="example.test", owner_id=""))[place])
    assert record is not None
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    assert verify_dane((record,), [certificate.public_bytes(Encoding.DER)], (HOST,), 0.0) == ""
    assert f"_25._tcp.{HOST}. 3600 IN TLSA 3 1 1" in zone_file(
        Domain(id="example.test", owner_id=""), host_facts(given, HOST)
    )
