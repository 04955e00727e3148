"""The host's certificate: of our own authority unless Settings or somebody else put another in its place."""

from datetime import datetime
from pathlib import Path

from mailstead.administration.certificates.certificates import Certificates
from mailstead.administration.certificates.wanted import folder_of, names_at
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.files import finish_installation
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores

TLS_FOLDER = "tls"


def certificate_path(settings: Settings, data: Path) -> Path:
    """The chain that services show."""
    return Path(settings.tls.certificate) if settings.tls.certificate else data / TLS_FOLDER / "certificate.pem"


def ensure_certificate(settings: Settings, data: Path, now: datetime | None = None) -> Path:
    """Finish what a crash cut off, make or renew what is ours; returns the path of our authority.

    Raises AuthorityError, OSError.
    """
    for name in names_at(data / TLS_FOLDER):
        finish_installation(folder_of(data / TLS_FOLDER, name))
    names = (host_name(settings), "localhost", "127.0.0.1", "::1")
    return ensure_local_authority(data / TLS_FOLDER, names, now)


def certificates(stores: Stores) -> Certificates:
    """The certificates of this installation."""
    return Certificates(stores.administration, stores.resolver, stores.data / TLS_FOLDER, host_name(stores.settings))
