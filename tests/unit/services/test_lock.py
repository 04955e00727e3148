"""One process per service and data folder."""

import os
from pathlib import Path

import pytest

from mailstead.services.lock import AlreadyRunningError, lock_holder, service_lock


def test_who_holds_a_lock_is_known_while_it_is_held(tmp_path: Path) -> None:
    assert lock_holder(tmp_path, "imap") is None
    with service_lock(tmp_path, ("imap", "pop3")):
        assert lock_holder(tmp_path, "imap") == os.getpid()
        assert lock_holder(tmp_path, "mx") is None
    assert lock_holder(tmp_path, "imap") is None


def test_a_second_one_is_refused_and_leaves_the_first_its_lock(tmp_path: Path) -> None:
    with service_lock(tmp_path, ("imap",)):
        with (
            pytest.raises(AlreadyRunningError, match=f"as process {os.getpid()}"),
            service_lock(tmp_path, ("pop3", "imap")),
        ):
            pass
        assert lock_holder(tmp_path, "imap") == os.getpid()
        assert lock_holder(tmp_path, "pop3") is None
