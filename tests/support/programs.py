"""System programs that tests need: found, or the test is skipped by name, or failed where nothing may be skipped."""

import os
import shutil
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[2]
_SET_UP = {"mongod": _REPOSITORY / ".cache/mongod/fiftyone/db/bin/mongod"}  # by script/test
_SYSTEM_FOLDERS = os.pathsep.join(["/usr/sbin", "/sbin", "/usr/local/sbin"])


def find_program(name: str) -> Path | None:
    """Where `name` is: MAILSTEAD_TEST_<NAME>, what script/test set up, PATH, the system's folders."""
    named = os.environ.get(f"MAILSTEAD_TEST_{name.upper().replace('-', '_')}")
    if named:
        return Path(named)
    if name in _SET_UP and _SET_UP[name].is_file():
        return _SET_UP[name]
    found = shutil.which(name) or shutil.which(name, path=_SYSTEM_FOLDERS)
    return None if found is None else Path(found)


def require_program(name: str) -> Path:
    """Where `name` is; the test is skipped without it, and fails without it where CI=true."""
    found = find_program(name)
    if found is not None:
        return found
    reason = f"{name} is not installed on this machine"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
