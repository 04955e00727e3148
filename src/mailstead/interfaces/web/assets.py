"""Files of the web: each under a URL with a hash of its content, so that browsers may keep it for ever."""

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from mailstead.interfaces.api.access import OPEN

STATIC = Path(__file__).parent / "static"
_HASH = 12
_FOREVER = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """A file in memory; `packed` is its content under gzip where that is smaller by much."""

    content: bytes
    type: str
    packed: bytes = b""


class Assets:
    """All files of `static`, read once."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._assets: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                content = path.read_bytes()
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                url = f"{hashlib.sha256(content).hexdigest()[:_HASH]}/{name}"
                packed = gzip.compress(content, mtime=0)
                self._assets[url] = Asset(content, kind, packed if len(packed) < len(content) * 0.9 else b"")
                self._urls[name] = f"/static/{url}"

    def url(self, name: str) -> str:
        """The URL of a file by its name under `static`."""
        return self._urls[name]

    def find(self, path: str) -> Asset | None:
        """The file of a URL's path after /static/."""
        return self._assets.get(path.lstrip("/"))


@get("/static/{path:path}", opt={"access": OPEN}, sync_to_thread=False, include_in_schema=False)
def serve_asset(request: Request[Any, Any, Any], path: str, assets: Assets) -> Response[bytes]:
    """A file, to be kept for ever under this URL. Pages themselves are never compressed: they hold secrets beside what
    others may have written into them."""
    asset = assets.find(path)
    if asset is None:
        raise NotFoundException
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.type, headers=headers)
