"""Work that takes longer than a page may: begun by one request, looked at by others, known to this process alone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import MailsteadError, TemporaryError

log = structlog.get_logger("mailstead.web")
_KEPT, _KEPT_SECONDS = 500, 3600.0


class ChoreBusyError(TemporaryError):
    """The same is being done already."""

    http_status = 409
    public_text = "This is being done already"


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work; `result` is what it returned, `problem` what is told when it failed."""

    state: Literal["running", "done", "failed"]
    begun_at: float
    result: Any = None
    problem: str = ""


class Chores:
    """What is being done and what was, by owner and name; the last of each is kept for an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._chores: dict[tuple[str, str], Chore] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, owner: str, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Begin it. Raises ChoreBusyError when it runs, or too much does."""
        self._drop_old()
        key, now = (owner, name), self._clock.now()
        known = self._chores.get(key)
        if len(self._chores) >= _KEPT or (known is not None and known.state == "running"):
            work.close()
            raise ChoreBusyError
        self._chores[key] = Chore(state="running", begun_at=now)
        task = asyncio.get_running_loop().create_task(self._run(key, now, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def of(self, owner: str, name: str) -> Chore | None:
        """How it stands; None when it was not begun lately."""
        self._drop_old()
        return self._chores.get((owner, name))

    def forget(self, owner: str, name: str) -> None:
        """Keep nothing of it, unless it runs."""
        known = self._chores.get((owner, name))
        if known is not None and known.state != "running":
            del self._chores[owner, name]

    async def close(self) -> None:
        """Cut off what runs."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, key: tuple[str, str], begun_at: float, work: Coroutine[Any, Any, Any]) -> None:
        done = Chore(state="failed", begun_at=begun_at, problem=MailsteadError.public_text)
        try:
            done = Chore(state="done", begun_at=begun_at, result=await work)
        except MailsteadError as error:
            done = msgspec.structs.replace(done, problem=error.public_text)
        except OSError as error:
            log.error("work failed", name=key[1], why=str(error))
        finally:
            self._chores[key] = done

    def _drop_old(self) -> None:
        oldest = self._clock.now() - _KEPT_SECONDS
        for key, chore in list(self._chores.items()):
            if chore.state != "running" and chore.begun_at < oldest:
                del self._chores[key]
