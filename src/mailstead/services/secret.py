"""The server secret: from Settings, or made once and kept in the data folder."""

import os
import secrets
from pathlib import Path

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import PermanentError

_SECRET_OCTETS = 32


class DataFolderError(PermanentError):
    """The data folder cannot be made or written to."""

    public_text = "MAILSTEAD_DATA cannot be used"


def data_directory(settings: Settings) -> Path:
    """The data folder, made when missing and readable by its owner only. Raises DataFolderError."""
    data = Path(settings.server.data).absolute()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise DataFolderError(detail=f"{data} is not a folder") from None
    except OSError as error:
        raise DataFolderError(detail=f"{data}: {error.strerror}") from error
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        raise DataFolderError(detail=f"{data} is not this user's to read and write")
    return data


def server_secret(settings: Settings) -> bytes:
    """The secret that server slots, DKIM keys and queue files are wrapped under.

    Without `MAILSTEAD_SECRET` it is DATA/secret (0600), made at first start; a crash while it is made leaves either no
    file or a whole one, and of two processes that make it at once both end with the same one.
    """
    if settings.server.secret:
        return settings.server.secret.encode()
    data = data_directory(settings)
    path = data / "secret"
    if not path.exists():
        temporary = data / f"secret.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(_SECRET_OCTETS).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # unlike rename, link never replaces what another process made first
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        folder = os.open(data, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path.read_bytes().strip()
