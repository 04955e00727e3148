"""Attachments: by name, by content, in archives; hostile archives cost what Settings allow."""

import base64
import io
import zipfile
from pathlib import Path

import pytest

from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.sections.attachments import AttachmentsSettings
from mailstead.mail.screening.attachments.inspect import inspect_attachments
from mailstead.mail.screening.view import View

ARCHIVES = Path(__file__).parents[3] / "data/archives"


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return made.getvalue()


def locked(data: bytes) -> bytes:
    """The same archive with the encryption bit of every entry set."""
    return data.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    )


def attached(*files: tuple[str, bytes]) -> bytes:
    pieces = [b'From: a@b.test\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n']
    for name, data in files:
        pieces.append(
            b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename*=utf-8''"
            + "".join(f"%{octet:02X}" for octet in name.encode()).encode()
            + b"\r\n\r\n"
            + base64.encodebytes(data).replace(b"\n", b"\r\n")
        )
    return b"".join([*pieces, b"--b--\r\n"])


def found(*files: tuple[str, bytes], **settings: object) -> list[tuple[str, str]]:
    chosen = AttachmentsSettings(**settings)  # type: ignore[arg-type]
    view = View(attached(*files), Bounds(), 65536)
    return [(one.found, one.words) for one in inspect_attachments(view, chosen)]


@pytest.mark.parametrize(
    ("name", "data", "kind", "words"),
    [
        ("photo.jpg", b"\xff\xd8\xff", "", ""),
        ("report.pdf", b"%PDF-1.4 /Root", "", ""),
        ("list.zip", zipped(("a.txt", b"text"), ("b/c.csv", b"1,2")), "", ""),
        ("setup.EXE", b"anything", "executable", '"setup.EXE" is a program or script (.exe)'),
        ("setup.exe. ", b"anything", "executable", '"setup.exe. " is a program or script (.exe)'),
        ("run.js", b"x", "executable", '"run.js" is a program or script (.js)'),
        ("invoice.pdf.exe", b"x", "executable", '"invoice.pdf.exe" is a program that hides what it is'),
        ("invoice\u202efdp.exe", b"x", "executable", '"invoice?fdp.exe" is a program that hides what it is'),
        ("holiday.jpg", b"MZ\x90\x00" + bytes(60), "executable", '"holiday.jpg" is a Windows program'),
        ("notes", b"\x7fELF\x02", "executable", '"notes" is a Linux program'),
        ("a.zip", zipped(("x.scr", b"x")), "executable", '"a.zip/x.scr" is a program or script (.scr)'),
        ("a.zip", zipped(("x.txt", b"MZ" + bytes(99))), "executable", '"a.zip/x.txt" is a Windows program'),
        (
            "a.zip",
            zipped(("b.zip", zipped(("x.vbs", b"x")))),
            "executable",
            '"a.zip/b.zip/x.vbs" is a program or script (.vbs)',
        ),
        ("a.docm", b"x", "macro", '"a.docm" is an Office document with macros'),
        ("a.docx", zipped(("word/vbaProject.bin", b"x")), "macro", '"a.docx" is an Office document with macros'),
        (
            "old.doc",
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "_VBA_PROJECT".encode("utf-16-le"),
            "macro",
            '"old.doc" is an Office document with macros',
        ),
        ("a.zip", locked(zipped(("x.txt", b"x" * 50))), "encrypted", '"a.zip" is an archive behind a password'),
        ("a.pdf", b"%PDF-1.7\n/Encrypt 5 0 R", "encrypted", '"a.pdf" is a document behind a password'),
    ],
)
def test_what_is_told_of_an_attachment(name: str, data: bytes, kind: str, words: str) -> None:
    assert found((name, data)) == ([(kind, words)] if kind else [])


def test_a_program_in_a_locked_archive_is_told_by_its_name() -> None:
    kinds = found(("a.zip", locked(zipped(("x.exe", b"x" * 50)))))
    assert [kind for kind, _ in kinds] == ["executable", "encrypted"]


def test_extensions_of_settings() -> None:
    assert found(("a.weird", b"x")) == []
    assert found(("a.weird", b"x"), extensions=("weird",))[0][0] == "executable"


def test_a_bomb_of_zeros_is_not_unpacked() -> None:
    inner = zipped(*((f"{number}.zip", zipped(("zeros", bytes(2_000_000)))) for number in range(20)))
    assert len(inner) < 300_000
    kinds = found(("bomb.zip", zipped(("inner.zip", inner))), archive_size=100_000)
    assert {kind for kind, _ in kinds} == {"bomb"}
    assert kinds[0][1].endswith("unpacks to more than is looked at")


def test_a_bomb_of_many_files() -> None:
    many = zipped(*((f"{number}.txt", b"") for number in range(3000)))
    assert found(("many.zip", many)) == [("bomb", '"many.zip" holds too many files')]
    some = zipped(*((f"{number}.txt", b"") for number in range(60)))
    assert found(("a.zip", some), ("b.zip", some), archive_entries=100)[0][0] == "bomb"


def test_archives_in_archives_end() -> None:
    data = zipped(("x.txt", b"x"))
    for _ in range(10):
        data = zipped(("a.zip", data))
    assert found(("a.zip", data))[0][0] == "bomb"


@pytest.mark.parametrize("cut", [10, 60, 120])
def test_damaged_archives_are_taken_for_what_their_names_say(cut: int) -> None:
    data = zipped(("x.txt", b"some text" * 10))
    assert found(("a.zip", data[:cut])) == []
    assert found(("a.zip", data[:30] + b"\xff" * 20 + data[50:])) in ([], [("executable", "")])


def test_archives_of_methods_that_take_memory_are_not_opened() -> None:
    data = zipped(("x.txt", b"MZ" + bytes(100)), method=zipfile.ZIP_LZMA)
    assert found(("a.zip", data)) == []


def test_a_thousand_attachments() -> None:
    assert len(found(*((f"{number}.exe", b"x") for number in range(1000)))) == 10


def archive(name: str) -> bytes:
    return (ARCHIVES / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "plain.7z",
            [
                ("executable", '"plain.7z/dir/setup.exe" is a program or script (.exe)'),
                ("macro", '"plain.7z/дела.docm" is an Office document with macros'),
                ("encrypted", '"plain.7z/more.zip" is an archive in one that is not unpacked'),
            ],
        ),
        (
            "locked.7z",
            [
                ("executable", '"locked.7z/dir/setup.exe" is a program or script (.exe)'),
                ("macro", '"locked.7z/дела.docm" is an Office document with macros'),
                ("encrypted", '"locked.7z" is an archive behind a password'),
            ],
        ),
        ("hidden.7z", [("encrypted", '"hidden.7z" is an archive behind a password, or cannot be read')]),
        ("rar5-subdirs.rar", []),
        ("rar3-subdirs.rar", []),
        ("rar5-psw.rar", [("encrypted", '"rar5-psw.rar" is an archive behind a password')]),
        ("rar5-hpsw.rar", [("encrypted", '"rar5-hpsw.rar" is an archive behind a password, or cannot be read')]),
    ],
)
def test_rar_and_7z_are_told_by_the_names_in_them(name: str, wanted: list[tuple[str, str]]) -> None:
    assert found((name, archive(name))) == wanted
    inside = found(("outer.zip", zipped((name, archive(name)))))
    assert [kind for kind, _ in inside] == [kind for kind, _ in wanted]


def test_a_7z_of_which_the_end_lacks_cannot_be_read() -> None:
    cut = archive("plain.7z")[:-40]
    assert found(("a.7z", cut)) == [("encrypted", '"a.7z" is an archive behind a password, or cannot be read')]


def test_files_of_all_archives_count() -> None:
    assert ("bomb", '"b.7z" holds too many files') in found(
        ("a.7z", archive("plain.7z")), ("b.7z", archive("plain.7z")), archive_entries=6
    )
