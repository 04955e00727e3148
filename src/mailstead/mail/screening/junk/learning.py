"""Learning of the server's model, off the loop: one thing after the other, in one thread."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from mailstead.mail.screening.junk.model import JunkModel

log = structlog.get_logger("mailstead.screening")
_WAITING_LIMIT = 200


class _Lesson(NamedTuple):
    features: Sequence[int]
    junk: bool
    forget: bool


class Learning:
    """Takes lessons and has them learned in the background; of too many at once the rest is not learned."""

    def __init__(self, model: JunkModel) -> None:
        self._model = model
        self._waiting: deque[_Lesson] = deque()
        self._task: asyncio.Task[None] | None = None

    def soon(self, features: Sequence[int], *, junk: bool, forget: bool = False) -> bool:
        """Learn a message, or take back what was learned of it; False when too much waits already."""
        if len(self._waiting) >= _WAITING_LIMIT:
            return False
        self._waiting.append(_Lesson(features, junk, forget))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
        return True

    async def _work(self) -> None:
        try:
            while self._waiting:
                lesson = self._waiting.popleft()
                await asyncio.to_thread(self._learn, lesson)
        finally:
            self._task = None

    def _learn(self, lesson: _Lesson) -> None:
        try:
            self._model.learn(lesson.features, junk=lesson.junk, forget=lesson.forget)
        except OSError as error:
            log.warning("not learned", why=str(error))

    async def close(self) -> None:
        """Learn what waits."""
        if self._task is not None:
            await asyncio.wait((self._task,))
