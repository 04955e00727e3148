"""Updates as the server knows them: what the host's updater (deploy/update.sh) told, and what people ask it for.

Both are one file each in the data folder, left out of backups: they are of this host, and of the moment.
"""

from pathlib import Path
from typing import Literal

import msgspec

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.tls.authority import write_durable

FOLDER = "update"
_STATE, _REQUEST = "state.json", "request.json"
_STALE = 900.0  # an updater that looks for requests does so every two minutes

Action = Literal["", "now", "rollback"]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the updater tells; all empty when it only looks for requests."""

    outcome: str = ""
    text: str = ""
    version: str = ""
    previous: str = ""
    channel: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for; `version` is empty for the newest of the channel."""

    action: Action = ""
    version: str = ""
    by: str = ""
    at: float = 0.0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The last update, and whether the updater looks for requests; times in seconds since the epoch, 0 for never."""

    last: Told = Told()
    last_at: float = 0.0
    looked_at: float = 0.0
    pending: Request = Request()
    listens: bool = False


class _State(msgspec.Struct, frozen=True, kw_only=True):
    last: Told = Told()
    last_at: float = 0.0
    looked_at: float = 0.0


class Updating:
    """Updates of the installation in `data`."""

    def __init__(self, administration: Administration, data: Path) -> None:
        self._administration = administration
        self._folder = data / FOLDER

    def standing(self) -> Standing:
        """Where it stands. Raises OSError."""
        state, now = self._state(), self._administration.clock.now()
        return Standing(
            last=state.last,
            last_at=state.last_at,
            looked_at=state.looked_at,
            pending=self._request(),
            listens=now - state.looked_at < _STALE,
        )

    async def ask(self, actor: Actor, action: Action, version: str = "") -> Request:
        """Ask the updater of the host for an update or for the version before. Raises InvalidError when none listens."""
        require_admin(actor)
        if not self.standing().listens:
            raise InvalidError(
                "No updater of this host looks for requests: run deploy/update.sh there (docs/upgrade.md)"
            )
        request = Request(action=action, version=version, by=actor.name, at=self._administration.clock.now())
        self._write(_REQUEST, msgspec.json.encode(request))
        await self._administration.audit(actor, f"update.{action}", version or "newest")
        return request

    def exchange(self, told: Told) -> Request:
        """Take what the updater tells, and give it what is asked for, once. Raises OSError."""
        now, state = self._administration.clock.now(), self._state()
        state = msgspec.structs.replace(state, looked_at=now)
        if told.outcome:
            state = msgspec.structs.replace(state, last=told, last_at=now)
        self._write(_STATE, msgspec.json.encode(state))
        request = self._request() if not told.outcome else Request()
        if request.action:
            (self._folder / _REQUEST).unlink()
        return request

    def _state(self) -> _State:
        try:
            return msgspec.json.decode((self._folder / _STATE).read_bytes(), type=_State)
        except FileNotFoundError:
            return _State()

    def _request(self) -> Request:
        try:
            return msgspec.json.decode((self._folder / _REQUEST).read_bytes(), type=Request)
        except FileNotFoundError:
            return Request()

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_durable(self._folder / name, content, mode=0o600)
