"""COMPRESS=DEFLATE: both directions, bounded, on a whole session."""

import asyncio
import zlib
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.net.connection import Connection
from mailstead.protocols.imap.compression import Compression
from mailstead.protocols.imap.errors import ClosedError
from support.imap_dialogue import imap_server
from support.installation import installation


async def test_input_is_inflated_a_piece_at_a_time() -> None:
    connection, compression = Connection("c", "imap"), Compression()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    connection.data_received(deflate.compress(bytes(10_000_000)) + deflate.flush(zlib.Z_SYNC_FLUSH))
    connection.eof_received()
    total = 0
    while piece := await compression.read(connection, 5):
        assert len(piece) <= 64 * 1024
        total += len(piece)
    assert total == 10_000_000


async def test_what_is_not_compressed_ends_the_session() -> None:
    connection = Connection("c", "imap")
    connection.data_received(b"a NOOP\r\n")
    with pytest.raises(ClosedError):
        await Compression().read(connection, 5)


async def test_a_session_goes_on_compressed(tmp_path: Path) -> None:
    settings = Settings(server=ServerSettings(insecure_auth=True))
    async with installation(tmp_path, settings) as made, imap_server(made) as (port, _):
        await made.deliver("alice@example.test", b"Subject: hello\r\n\r\n" + b"text\r\n" * 5000)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        password = made.passwords["alice@example.test"]
        writer.write(f"a LOGIN alice@example.test {password}\r\n".encode())
        await reader.readline()
        assert (await reader.readline()).startswith(b"a OK")
        writer.write(b"b COMPRESS DEFLATE\r\n")
        assert (await reader.readline()).startswith(b"b OK")
        deflate, inflate = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)

        async def ask(line: bytes, end: bytes) -> tuple[bytes, int]:
            writer.write(deflate.compress(line + b"\r\n") + deflate.flush(zlib.Z_SYNC_FLUSH))
            told, octets = b"", 0
            while end not in told:
                data = await reader.read(65536)
                assert data, told
                octets += len(data)
                told += inflate.decompress(data)
            return told, octets

        assert b"* 1 EXISTS" in (await ask(b"c SELECT INBOX", b"\r\nc OK"))[0]
        told, octets = await ask(b"d FETCH 1 BODY[]", b"\r\nd OK")
        assert told.count(b"text\r\n") == 5000
        assert octets < 3000
        assert (await ask(b"e COMPRESS DEFLATE", b"\r\n"))[0].startswith(b"e NO [COMPRESSIONACTIVE]")
        assert (await ask(b"f IDLE", b"\r\n"))[0].startswith(b"+ ")
        assert b"f OK" in (await ask(b"DONE", b"\r\n"))[0]
        assert b"g OK" in (await ask(b"g LOGOUT", b"g OK"))[0]
        writer.close()
