"""TLS contexts that follow the certificate files without dropping sessions."""

import ssl
from pathlib import Path

import structlog

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.tls import TlsSettings

log = structlog.get_logger("mailstead.tls")

_MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CIPHERS_12 = "ECDHE+AESGCM:ECDHE+CHACHA20"


class TLSContexts:
    """The server's current context and contexts for clients.

    `server()` looks at the files' times at most every `reload_interval` seconds; sessions that run keep the context
    they began with. A pair that cannot be loaded is logged and the old one stays.
    """

    def __init__(self, directory: Path, settings: TlsSettings, clock: Clock | None = None) -> None:
        self._certificate = Path(settings.certificate) if settings.certificate else directory / "certificate.pem"
        self._key = Path(settings.key) if settings.key else directory / "key.pem"
        self._settings = settings
        self._clock = clock or SystemClock()
        self._looked = self._clock.monotonic()
        self._seen = self._state()
        self._server = self._load()
        self._clients: dict[bool, ssl.SSLContext] = {}

    def server(self) -> ssl.SSLContext:
        """The context for accepted connections."""
        if self._clock.monotonic() - self._looked >= self._settings.reload_interval:
            self._looked = self._clock.monotonic()
            if self._state() != self._seen:
                self.reload()
        return self._server

    def reload(self) -> None:
        """Load the certificate files now; keeps the current context when they cannot be used."""
        seen = self._state()
        try:
            self._server = self._load()
        except (OSError, ssl.SSLError) as error:
            log.error("certificate not loaded, the old one stays", path=str(self._certificate), why=str(error))
        else:
            log.info("certificate loaded", path=str(self._certificate))
        self._seen = seen

    def client(self, verify: bool) -> ssl.SSLContext:
        """The context for connections we make; without `verify` any certificate is taken (RFC 7435)."""
        context = self._clients.get(verify)
        if context is None:
            context = ssl.create_default_context()
            context.minimum_version = _MINIMUM["1.2"]
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._clients[verify] = context
        return context

    def _state(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(self._file_state(path) for path in (self._certificate, self._key))

    @staticmethod
    def _file_state(path: Path) -> tuple[int, int] | None:
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _MINIMUM[self._settings.minimum]
        context.set_ciphers(_CIPHERS_12)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.load_cert_chain(self._certificate, self._key)
        return context
