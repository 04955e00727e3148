"""The framework alone: a Litestar handler on uvicorn that answers what it was given, without stores or credentials."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, get, post


@contextmanager
def bare_api(folder: Path, answers: dict[str, bytes]) -> Iterator[int]:
    """The port of a server that answers GET of each path, and POST /v1/emails, with the JSON of `answers`."""
    given = folder / "answers.json"
    given.write_bytes(msgspec.json.encode({path: msgspec.json.decode(body) for path, body in answers.items()}))
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, str(given), str(port)])
    try:
        _until_it_listens(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)  # it is another program: nothing tells when it listens
    raise RuntimeError("the bare handler does not listen")


def serve(given: Path, port: int) -> None:
    """Serve until ended."""
    answers: dict[str, Any] = msgspec.json.decode(given.read_bytes())

    @get("/v1/messages")
    async def listed() -> list[dict[str, Any]]:
        return answers["/v1/messages"]  # type: ignore[no-any-return]

    @get("/v1/messages/{message_id:str}")
    async def one(message_id: str) -> dict[str, Any]:  # noqa: ARG001 as the real one has it
        return answers["/v1/messages/one"]  # type: ignore[no-any-return]

    @post("/v1/emails", status_code=200)
    async def send(data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 read, and no more
        return answers["/v1/emails"]  # type: ignore[no-any-return]

    app = Litestar([listed, one, send], openapi_config=None, logging_config=None)
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="error", access_log=False)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
