"""The host's certificate: of our own authority unless Settings or somebody else put another in its place."""

from datetime import datetime
from pathlib import Path

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.services.hostname import host_name

TLS_FOLDER = "tls"


def certificate_path(settings: Settings, data: Path) -> Path:
    """The chain that services show."""
    return Path(settings.tls.certificate) if settings.tls.certificate else data / TLS_FOLDER / "certificate.pem"


def ensure_certificate(settings: Settings, data: Path, now: datetime | None = None) -> Path:
    """Make or renew what is ours; returns the path of our authority. Raises AuthorityError, OSError."""
    names = (host_name(settings), "localhost", "127.0.0.1", "::1")
    return ensure_local_authority(data / TLS_FOLDER, names, now)
