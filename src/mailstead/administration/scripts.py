"""Filter scripts of a mailbox: put, read, list, activate, rename, remove, each recorded."""

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias
from mailstead.foundation.errors import InvalidError
from mailstead.stores.directory.records import Alias
from mailstead.stores.scripts.scripts import ScriptSet


async def _owner(administration: Administration, actor: Actor, address: str) -> Alias:
    alias = await find_alias(administration, actor, address)
    if not alias.mailbox_id:
        raise InvalidError(f"{alias.address} has no mailbox")
    return alias


async def list_scripts(administration: Administration, actor: Actor, address: str) -> ScriptSet:
    """All scripts of a mailbox. Raises NotFoundError, PermissionDeniedError, InvalidError without a mailbox."""
    alias = await _owner(administration, actor, address)
    return await administration.scripts.all_of(alias.mailbox_id)


async def get_script(administration: Administration, actor: Actor, address: str, name: str) -> bytes:
    """A script as it was put. Raises as list_scripts does."""
    alias = await _owner(administration, actor, address)
    return await administration.scripts.content(alias.mailbox_id, name)


async def put_script(administration: Administration, actor: Actor, address: str, name: str, content: bytes) -> None:
    """Keep a script, in place of one of that name. Raises InvalidScriptError, ScriptQuotaError, too."""
    alias = await _owner(administration, actor, address)
    await administration.scripts.put(alias.mailbox_id, name, content)
    await administration.audit(actor, "script.put", alias.address, name=name, octets=len(content))


async def activate_script(administration: Administration, actor: Actor, address: str, name: str) -> None:
    """Make a script the one that runs; none for ""."""
    alias = await _owner(administration, actor, address)
    await administration.scripts.activate(alias.mailbox_id, name)
    await administration.audit(actor, "script.activate", alias.address, name=name)


async def rename_script(administration: Administration, actor: Actor, address: str, old: str, new: str) -> None:
    """Give a script another name. Raises AlreadyExistsError, too."""
    alias = await _owner(administration, actor, address)
    await administration.scripts.rename(alias.mailbox_id, old, new)
    await administration.audit(actor, "script.rename", alias.address, old=old, new=new)


async def remove_script(administration: Administration, actor: Actor, address: str, name: str) -> None:
    """Remove a script. Raises ActiveScriptError for the active one."""
    alias = await _owner(administration, actor, address)
    await administration.scripts.remove(alias.mailbox_id, name)
    await administration.audit(actor, "script.remove", alias.address, name=name)
