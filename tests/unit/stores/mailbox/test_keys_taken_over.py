"""Threads that open one file together while its key changes or goes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import Kind, wrap
from mailstead.stores.mailbox.errors import MailboxBusyError, WrongKeyError
from mailstead.stores.mailbox.handle import Handle, MailboxConnection
from mailstead.stores.mailbox.rotation import rotate_file

SETTINGS = MailboxSettings()
SERVER: Kind = "server"


class Slow(Handle):
    """A handle whose first thread to be refused a key goes on only when another thread has opened the file."""

    def __init__(self, folder: Path, key: DataKey) -> None:
        super().__init__("one", folder, key, SETTINGS, lambda _name, _modseq: None, lambda _name: None)
        self.refused = threading.Semaphore(1)
        self.opened = threading.Event()

    def _connect(self, path: Path, key: DataKey) -> MailboxConnection:
        try:
            connection = super()._connect(path, key)
        except WrongKeyError:
            if self.refused.acquire(blocking=False):
                assert self.opened.wait(30)
            raise
        return connection


def read(handle: Slow) -> int:
    with handle.read() as connection:
        handle.opened.set()
        return len(list(connection.execute("SELECT name FROM folder")))


def made(folder: Path, key: DataKey) -> int:
    handle = Slow(folder, key)
    count = read(handle)
    handle.forget()
    return count


def test_two_threads_are_led_on_to_the_key_of_a_rotation_that_was_cut_off(tmp_path: Path) -> None:
    key, following = DataKey.generate(), DataKey.generate()
    count = made(tmp_path, key)
    slots = (wrap(key, SERVER, b"secret", label="", now=1.0),)
    rotate_file(tmp_path, key, following, slots, SETTINGS.cipher, SETTINGS.busy_timeout, lambda _step: None)
    handle = Slow(tmp_path, key)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(read, (handle, handle))) == [count, count]
    assert handle.key.raw() == following.raw()
    handle.forget()


def test_whoever_still_has_a_forgotten_mailbox_is_told_so(tmp_path: Path) -> None:
    handle = Slow(tmp_path, DataKey.generate())
    read(handle)
    handle.forget()
    with pytest.raises(MailboxBusyError):
        read(handle)
    handle.adopt(DataKey.generate())  # a rotation that was heard of too late brings no key back
    with pytest.raises(MailboxBusyError):
        handle.current_key()
