"""A server that was started for a replica set and waits for its first configuration.

MongoDB has transactions and change streams in replica sets only, so a single server has to be made a set of one. That is
done here, at the first start, where it can do no harm: the URL names this one server and the set, and the server itself
says that it never had a configuration.
"""

from typing import Any

import structlog
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import OperationFailure
from pymongo.uri_parser import parse_uri

from mailstead.foundation.config.sections.documents import DocumentsSettings

log = structlog.get_logger("mailstead.documents")

_ALREADY_INITIALIZED = 23


async def initiate(url: str, settings: DocumentsSettings) -> bool:
    """Make the one server of `url` a set of one member if it waits for that; whether it is one now.

    Raises what pymongo raises.
    """
    parsed = parse_uri(url)
    options = {name: value for name, value in parsed["options"].items() if name.lower() != "replicaset"}
    wanted = next((value for name, value in parsed["options"].items() if name.lower() == "replicaset"), None)
    if len(parsed["nodelist"]) != 1 or not wanted:
        return False
    ((host, port),) = parsed["nodelist"]
    milliseconds = int(settings.connect_timeout * 1000)
    options |= {"serverSelectionTimeoutMS": milliseconds, "connectTimeoutMS": milliseconds}
    async with AsyncMongoClient[dict[str, Any]](
        host, port, username=parsed["username"], password=parsed["password"], directConnection=True, **options
    ) as client:
        hello = await client.admin.command("hello")
        if "setName" in hello or not hello.get("isreplicaset"):
            return False
        member = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            await client.admin.command("replSetInitiate", {"_id": wanted, "members": [{"_id": 0, "host": member}]})
        except OperationFailure as error:
            if error.code != _ALREADY_INITIALIZED:  # another process was faster
                raise
        log.info("replica set initiated", name=wanted, member=member)
    return True
