"""The lists of RAR and 7z archives, as rarfile and py7zr tell them; hostile octets come to an end.

The RAR files are from the tests of rarfile (ISC licence), the 7z files were made by py7zr.
"""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.archive.listing import HIDDEN, Listing
from mailstead.formats.archive.rar import RAR4, RAR5, list_rar
from mailstead.formats.archive.seven_zip import SEVEN_ZIP, list_seven_zip

ARCHIVES = Path(__file__).parents[3] / "data/archives"
SEVEN = ("readme.txt", "dir/setup.exe", "дела.docm", "more.zip")
SUB = ("sub/dir2/file2.txt", "sub/with space/long fn.txt", "sub/üȵĩöḋè/file.txt", "sub/dir1/file1.txt")


def listed(name: str) -> Listing:
    data = (ARCHIVES / name).read_bytes()
    return list_seven_zip(data, 1000) if name.endswith(".7z") else list_rar(data, 1000)


@pytest.mark.parametrize(
    ("name", "files", "is_locked", "is_hidden"),
    [
        ("plain.7z", SEVEN, False, False), ("locked.7z", SEVEN, True, False), ("hidden.7z", (), False, True),
        ("copied.7z", SEVEN, False, False), ("rar5-psw.rar", ("stest1.txt", "stest2.txt"), True, False),
        ("rar5-hpsw.rar", (), False, True), ("rar5-symlink-unix.rar", ("data_link", "data.txt", "random_link"), False, False),
        ("rar3-comment-psw.rar", ("file1.txt", "file2.txt"), True, False), ("rar3-comment-hpsw.rar", (), False, True),
    ],
)  # fmt: skip
def test_names(name: str, files: tuple[str, ...], is_locked: bool, is_hidden: bool) -> None:
    found = listed(name)
    assert tuple(one.name for one in found.files) == files
    assert {one.is_locked for one in found.files} <= {is_locked}
    assert found.is_hidden is is_hidden


@pytest.mark.parametrize("name", ["rar5-subdirs.rar", "rar3-subdirs.rar"])
def test_folders_are_left_out(name: str) -> None:
    found = [one.name.replace("\\", "/") for one in listed(name).files]
    assert sorted(found) == sorted(SUB)


def test_at_most_so_many() -> None:
    assert len(list_rar((ARCHIVES / "rar5-subdirs.rar").read_bytes(), 2).files) == 2
    assert len(list_seven_zip((ARCHIVES / "plain.7z").read_bytes(), 2).files) == 2


@pytest.mark.parametrize("path", sorted(ARCHIVES.iterdir()), ids=lambda path: path.name)
def test_what_is_cut_off_or_damaged_comes_to_an_end(path: Path) -> None:
    data = path.read_bytes()
    look = list_seven_zip if path.suffix == ".7z" else list_rar
    chance = random.Random(path.name)
    for end in range(0, len(data), 7):
        look(data[:end], 1000)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(RAR4), len(data))] = chance.randrange(256)
        assert len(look(bytes(damaged), 1000).files) <= 1000


@given(st.sampled_from([RAR4, RAR5, SEVEN_ZIP, b""]), st.binary(max_size=300))
def test_any_octets(start: bytes, rest: bytes) -> None:
    list_rar(start + rest, 100)
    list_seven_zip(start + rest, 100)


def test_what_is_none() -> None:
    assert list_rar(b"Rar!\x1a\x07\x02", 10) == HIDDEN
    assert list_seven_zip(SEVEN_ZIP + bytes(26), 10) == Listing()  # no file
