"""A server that was started for a replica set and waits for its first configuration.

MongoDB has transactions and change streams in replica sets only, so a single server has to be made a set of one. That is
done here, at the first start, where it can do no harm: the URL names this one server and the set, and the server itself
says that it never had a configuration.
"""

import asyncio
import time
from typing import Any

import structlog
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import OperationFailure
from pymongo.uri_parser import parse_uri

from mailstead.foundation.config.sections.documents import DocumentsSettings

log = structlog.get_logger("mailstead.documents")

_ALREADY_INITIALIZED = 23
_PAUSE = 0.02  # seconds between looks at an election, which takes some tens of milliseconds


async def settle(url: str, settings: DocumentsSettings) -> None:
    """Make the one server of `url` a set of one member if it waits for that, and wait until such a set has its primary.

    Waits at most `operation_timeout`, as for any election; URLs of several servers, or of no set, are left alone. Raises
    what pymongo raises.
    """
    parsed = parse_uri(url)
    options = {name: value for name, value in parsed["options"].items() if name.lower() != "replicaset"}
    wanted = next((value for name, value in parsed["options"].items() if name.lower() == "replicaset"), None)
    if len(parsed["nodelist"]) != 1 or not wanted:
        return
    ((host, port),) = parsed["nodelist"]
    milliseconds = int(settings.connect_timeout * 1000)
    options |= {"serverSelectionTimeoutMS": milliseconds, "connectTimeoutMS": milliseconds}
    async with AsyncMongoClient[dict[str, Any]](
        host, port, username=parsed["username"], password=parsed["password"], directConnection=True, **options
    ) as client:
        hello = await client.admin.command("hello")
        if "setName" not in hello and hello.get("isreplicaset"):
            await _initiate(client, wanted, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
            hello = await client.admin.command("hello")
        until = time.monotonic() + settings.operation_timeout
        while _elects(hello) and time.monotonic() < until:
            await asyncio.sleep(_PAUSE)
            hello = await client.admin.command("hello")


async def _initiate(client: AsyncMongoClient[dict[str, Any]], name: str, member: str) -> None:
    try:
        await client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": member}]})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise
    else:  # and not by another process, which was faster
        log.info("replica set initiated", name=name, member=member)


def _elects(hello: dict[str, Any]) -> bool:
    """Whether a set of one member, or one whose configuration is being read, has no primary yet."""
    return bool(
        (hello.get("setName") or hello.get("isreplicaset"))
        and len(hello.get("hosts", ())) <= 1
        and not hello.get("isWritablePrimary")
    )
