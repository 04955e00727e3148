import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailstead.foundation.tls.authority import AuthorityError, certificate_names, ensure_local_authority, write_durable
from mailstead.foundation.tls.pair import CertificatePair

NAMES = ("mail.example.test", "localhost", "127.0.0.1", "::1")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILES = ("ca.key", "ca.pem", "key.pem", "certificate.pem")


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def matches(folder: Path) -> bool:
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    return certificate(folder / "certificate.pem").public_key() == key.public_key()


def test_the_first_start_makes_an_authority_and_a_host_certificate(tmp_path: Path) -> None:
    path = ensure_local_authority(tmp_path / "tls", NAMES, NOW)
    authority, host = certificate(path), certificate(path.with_name("certificate.pem"))
    host.verify_directly_issued_by(authority)
    assert set(certificate_names(host)) == set(NAMES)
    assert isinstance(host.public_key(), ec.EllipticCurvePublicKey)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not host.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert {name: (path.with_name(name).stat().st_mode & 0o777) for name in FILES} == {
        "ca.key": 0o600,
        "ca.pem": 0o644,
        "key.pem": 0o600,
        "certificate.pem": 0o644,
    }
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    before = contents(tmp_path)
    ensure_local_authority(tmp_path, ("mail.example.test", "0:0:0:0:0:0:0:1"), NOW + timedelta(days=300))
    assert contents(tmp_path) == before


def test_a_new_name_makes_a_new_host_certificate_of_the_same_authority(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    before = contents(tmp_path)
    ensure_local_authority(tmp_path, (*NAMES, "bücher.example"), NOW)
    after = contents(tmp_path)
    assert [before[name] == after[name] for name in FILES] == [True, True, False, False]
    assert "xn--bcher-kva.example" in certificate_names(certificate(tmp_path / "certificate.pem"))


def test_the_host_certificate_is_renewed_before_it_expires(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    first = certificate(tmp_path / "certificate.pem")
    later = first.not_valid_after_utc - timedelta(days=29)
    ensure_local_authority(tmp_path, NAMES, later)
    renewed = certificate(tmp_path / "certificate.pem")
    assert renewed.not_valid_after_utc > later + timedelta(days=300)
    assert matches(tmp_path)


def test_the_authority_is_renewed_under_its_old_key(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    old = certificate(tmp_path / "ca.pem")
    later = old.not_valid_after_utc - timedelta(days=20)
    ensure_local_authority(tmp_path, NAMES, later)
    new, host = certificate(tmp_path / "ca.pem"), certificate(tmp_path / "certificate.pem")
    assert new.not_valid_after_utc > old.not_valid_after_utc
    host.verify_directly_issued_by(new)
    host.verify_directly_issued_by(old)
    assert host.not_valid_after_utc <= new.not_valid_after_utc


@pytest.mark.parametrize("lost", FILES)
def test_a_crash_between_two_files_is_mended(tmp_path: Path, lost: str) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    (tmp_path / lost).unlink()
    path = ensure_local_authority(tmp_path, NAMES, NOW)
    assert matches(tmp_path)
    if lost.startswith("ca."):
        ensure_local_authority(tmp_path, (*NAMES, "new.example.test"), NOW)
    CertificatePair(tmp_path / "certificate.pem", tmp_path / "key.pem").load("1.2")
    assert path.exists()


def test_a_key_that_belongs_to_another_certificate_is_replaced(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    other = ensure_local_authority(tmp_path / "other", NAMES, NOW).with_name("key.pem")
    (tmp_path / "key.pem").write_bytes(other.read_bytes())
    assert not matches(tmp_path)
    ensure_local_authority(tmp_path, NAMES, NOW)
    assert matches(tmp_path)


def test_somebody_elses_certificate_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    ensure_local_authority(other, ("elsewhere.example.test",), NOW)
    ensure_local_authority(tmp_path, NAMES, NOW)
    for name in ("certificate.pem", "key.pem"):
        (tmp_path / name).write_bytes((other / name).read_bytes())
    before = contents(tmp_path)
    ensure_local_authority(tmp_path, NAMES, NOW + timedelta(days=1000))
    assert contents(tmp_path) == before


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, NAMES, NOW)
    (tmp_path / "ca.key").write_text("junk")
    with pytest.raises(AuthorityError, match=r"ca\.key"):
        ensure_local_authority(tmp_path, NAMES, NOW)


def test_processes_that_start_at_once_end_with_one_authority(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(ensure_local_authority, [(tmp_path, NAMES)] * 4)
    certificate(tmp_path / "certificate.pem").verify_directly_issued_by(certificate(tmp_path / "ca.pem"))
    assert matches(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, ".lock"}


def test_a_durable_write_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_durable(path, b"one", mode=0o600)
    (tmp_path / f".key.{multiprocessing.current_process().pid}").write_text("left by a crash")
    write_durable(path, b"two", mode=0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
