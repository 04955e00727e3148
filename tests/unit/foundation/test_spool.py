from pathlib import Path

import pytest

from mailstead.foundation.spool import Spool


@pytest.mark.parametrize("size", [10, 5000])
def test_all_octets_at_once_and_the_first(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * 20
    with Spool(1000, tmp_path) as spool:
        spool.append(content[:size])
        plain = spool.octets()
        spool.prepend(b"head")
        prepended = spool.octets()
        replaced = spool.replaced(6, b"new").octets()
        assert spool.start(7) == b"head" + content[:3]
        assert spool.start(10**6) == b"head" + content[:size]
    assert plain[:] == content[:size]
    assert prepended[:] == b"head" + content[:size]
    assert replaced[:] == b"new" + content[2:size]
