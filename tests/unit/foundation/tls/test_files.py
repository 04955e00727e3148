"""A pair is put in place whole, or not at all."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mailstead.foundation.errors import InvalidError
from mailstead.foundation.tls import authority, files
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.files import check_pair, finish_installation, install_pair
from mailstead.foundation.tls.pair import CertificatePair


class Killed(BaseException):
    """The process ends here."""


def pair(folder: Path, name: str) -> tuple[bytes, bytes]:
    ensure_local_authority(folder, [name])
    return (folder / "certificate.pem").read_bytes(), (folder / "key.pem").read_bytes()


@pytest.mark.parametrize("writes", range(7))
def test_a_crash_at_any_step_leaves_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Two writes, a rename in each of them, and two renames; when `writes` is more, there is no crash."""
    old, new = pair(tmp_path / "old", "old.test"), pair(tmp_path / "new", "new.test")
    folder = tmp_path / "tls"
    install_pair(folder, *old)
    steps = iter(range(10))

    def stepping(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            if next(steps) == writes:
                raise Killed
            return original(*arguments, **named)

        return step

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_durable", stepping(authority.write_durable))
        patched.setattr(Path, "rename", stepping(Path.rename))
        with suppress(Killed):
            install_pair(folder, *new)
    finish_installation(folder)
    found = (folder / "certificate.pem").read_bytes(), (folder / "key.pem").read_bytes()
    assert found in {old, new}
    assert (found == new) == (writes >= 4)
    CertificatePair(folder / "certificate.pem", folder / "key.pem").load("1.2")
    assert not list(folder.glob("*.next"))


def test_what_is_no_pair_is_refused(tmp_path: Path) -> None:
    (chain, key), (other, _) = pair(tmp_path / "a", "a.test"), pair(tmp_path / "b", "b.test")
    host, issuer = chain.split(b"-----END CERTIFICATE-----\n")[:2]
    end = b"-----END CERTIFICATE-----\n"
    for wrong_chain, wrong_key, why in (
        (other, key, "not that of the first certificate"),
        (b"junk", key, "No certificate"),
        (chain, b"junk", "No private key"),
        (issuer + end + host + end, key, "not that of the first certificate"),
        (host + end + other, key, "not in order"),
    ):
        with pytest.raises(InvalidError, match=why):
            install_pair(tmp_path / "tls", wrong_chain, wrong_key)
    assert not (tmp_path / "tls").exists()
    assert check_pair(chain, key).issuer.rfc4514_string().startswith("CN=Mailstead local CA")
