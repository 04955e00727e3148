"""TLS contexts that follow the certificate files without dropping sessions.

The host's own certificate is the pair that Settings name, or `certificate.pem` and `key.pem` in the folder. Each
subfolder with two such files is one more certificate, shown to clients that ask for one of its names (RFC 6066 §3); a
wildcard of one never comes before another's very name.
"""

import ssl
from pathlib import Path

import structlog

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.tls.pair import CertificateError, CertificatePair, FileState

log = structlog.get_logger("mailstead.tls")

_CERTIFICATE, _KEY = "certificate.pem", "key.pem"

State = dict[CertificatePair, tuple[FileState | None, FileState | None]]


class TLSContexts:
    """The server's current context and contexts for clients.

    `server()` looks at the files' times at most every `reload_interval` seconds; sessions that run keep the context
    they began with. A pair that cannot be loaded is logged, and what was loaded of it before stays in use.
    """

    def __init__(self, directory: Path, settings: TlsSettings, clock: Clock | None = None) -> None:
        """Raises CertificateError when the host's own certificate cannot be used."""
        self._directory = directory
        self._settings = settings
        self._own = CertificatePair(
            Path(settings.certificate) if settings.certificate else directory / _CERTIFICATE,
            Path(settings.key) if settings.key else directory / _KEY,
        )
        self._clock = clock or SystemClock()
        self._looked = self._clock.monotonic()
        self._seen: State = {self._own: self._own.state()}
        self._loaded: dict[CertificatePair, ssl.SSLContext] = {self._own: self._load(self._own)}
        self._names: dict[str, ssl.SSLContext] = {}
        self._clients: dict[bool, ssl.SSLContext] = {}
        self.reload()

    @property
    def own(self) -> CertificatePair:
        """Where the host's own certificate lies."""
        return self._own

    def server(self) -> ssl.SSLContext:
        """The context for accepted connections."""
        if self._clock.monotonic() - self._looked >= self._settings.reload_interval:
            self._looked = self._clock.monotonic()
            if self._state() != self._seen:
                self.reload()
        return self._loaded[self._own]

    def reload(self) -> None:
        """Load all pairs whose files changed; keeps what is in use where that fails."""
        state = self._state()
        loaded: dict[CertificatePair, ssl.SSLContext] = {}
        names: dict[str, ssl.SSLContext] = {}
        for pair, files in state.items():
            context = self._loaded.get(pair)
            try:
                if context is None or files != self._seen.get(pair):
                    context = self._load(pair)
                    log.info("certificate loaded", path=str(pair.certificate))
                names |= dict.fromkeys(self._names_of(pair), context)
            except CertificateError as error:
                log.error(
                    "certificate not loaded", path=str(pair.certificate), why=str(error), kept=context is not None
                )
                names |= {name: known for name, known in self._names.items() if known is context}
            if context is not None:
                loaded[pair] = context
        self._seen, self._loaded, self._names = state, loaded, names
        self._clients.clear()

    def client(self, verify: bool) -> ssl.SSLContext:
        """The context for connections we make; without `verify` any certificate is taken (RFC 7435 §3)."""
        context = self._clients.get(verify)
        if context is None:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            elif self._settings.authorities:
                context.load_verify_locations(self._settings.authorities)
            self._clients[verify] = context
        return context

    def _state(self) -> State:
        folders = sorted(self._directory.iterdir()) if self._directory.is_dir() else []
        pairs = [CertificatePair(folder / _CERTIFICATE, folder / _KEY) for folder in folders if folder.is_dir()]
        return {self._own: self._own.state()} | {pair: pair.state() for pair in pairs if pair.certificate.exists()}

    def _load(self, pair: CertificatePair) -> ssl.SSLContext:
        context = pair.load(self._settings.minimum)
        if pair == self._own:
            context.sni_callback = self._choose
        return context

    def _names_of(self, pair: CertificatePair) -> list[str]:
        names = pair.names()
        return names if pair == self._own else [*names, pair.certificate.parent.name.lower()]

    def _choose(self, session: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Show the certificate for `name`, the host's own when there is none."""
        if not name:
            return
        asked = name.lower()
        context = self._names.get(asked) or self._names.get(f"*.{asked.partition('.')[2]}")
        if context is not None:
            session.context = context
