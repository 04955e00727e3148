"""A program on a terminal of its own, as a person sees and answers it."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_LONGEST = 120.0


class Terminal:
    """What the program showed so far is in `shown`, without colours."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._process = process
        self._read = 0
        self.shown = ""

    def answer(self, question: str, answer: str) -> None:
        """Wait until `question` (a regular expression) is shown after what was answered last, then type."""
        deadline = time.monotonic() + _LONGEST
        while not (found := re.compile(question).search(self.shown, self._read)):
            assert self._take(deadline), f"{question!r} was not asked:\n{self.shown}"
        self._read = found.end()
        os.write(self._descriptor, f"{answer}\n".encode())

    def ended(self) -> int:
        """The exit code, when the program has ended."""
        deadline = time.monotonic() + _LONGEST
        while self._take(deadline):
            pass
        return self._process.wait(_LONGEST)

    def _take(self, deadline: float) -> bool:
        """More of what is shown; False at the end."""
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing happens:\n{self.shown}"
        try:
            octets = os.read(self._descriptor, 65536)
        except OSError:  # how a terminal says that nobody writes to it any more
            return False
        self.shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", octets.decode("utf-8", "replace")).replace("\r", "")
        return bool(octets)


@contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program on a terminal of 200 columns; it is killed at the end if it still runs."""
    ours, theirs = pty.openpty()
    wide = {"TERM": "xterm", "COLUMNS": "200"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, **wide}, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)
