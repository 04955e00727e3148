"""Screening as services use it: everything wired together."""

from pathlib import Path

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.derive import derive_key
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.screening.admission import Admission
from mailstead.mail.screening.judge import Judge
from mailstead.mail.screening.junk.features import Features
from mailstead.mail.screening.junk.learning import Learning
from mailstead.mail.screening.junk.model import JunkModel
from mailstead.mail.screening.reputation import Reputation
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.directory import Directory
from mailstead.stores.documents.interface import Documents

MODEL_FILE = "junk/model"


class Junk:
    """What is learned of junk in one process: features, the server's model, and who learns in the background."""

    def __init__(self, data: Path, secret: bytes, settings: Settings) -> None:
        """Raises ModelDamagedError, OSError."""
        self.features = Features(derive_key(secret, "junk"), settings.junk.features_limit)
        self.model = JunkModel(data / MODEL_FILE)
        self.learning = Learning(self.model)

    async def close(self) -> None:
        """Learn what waits, and let go."""
        await self.learning.close()
        self.model.close()


class Screening:
    """Admission of connections and senders, and judgement of messages; one for all sessions of a service."""

    def __init__(
        self,
        resolver: Resolving,
        directory: Directory,
        bus: Bus,
        documents: Documents,
        settings: Settings,
        hostname: str,
        clock: Clock,
        junk: Junk,
    ) -> None:
        self.reputation = Reputation(documents, clock)
        self.admission = Admission(resolver, directory, bus, documents, settings, hostname, clock, self.reputation)
        self.judge = Judge(
            directory, settings, clock, self.admission, self.reputation, junk.model, junk.features, junk.learning
        )

    async def close(self) -> None:
        """Write what is not written yet."""
        await self.reputation.close()
