"""Folders of a mailbox."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post, put

from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.mailbox import opened
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder

Path = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class FolderShown(msgspec.Struct, frozen=True):
    """A folder; `path` has "/" between levels, `size` is in octets."""

    id: str
    path: str
    special_use: str
    subscribed: bool
    messages: int
    unseen: int
    size: int
    uid_validity: int
    uid_next: int
    modify_index: int
    object: str = "folder"


class FolderWanted(msgspec.Struct, frozen=True):
    """A folder to be made, with its parents."""

    path: Path
    subscribed: bool = True


class FolderChange(msgspec.Struct, frozen=True):
    """What to change; what is left out stays."""

    path: Path | msgspec.UnsetType = msgspec.UNSET
    subscribed: bool | msgspec.UnsetType = msgspec.UNSET


def _shown(mailbox: Mailbox, folder: Folder, subscribed: set[str]) -> FolderShown:
    status = mailbox.status(folder.id)
    return FolderShown(
        folder.object_id,
        folder.name,
        folder.special_use,
        folder.name in subscribed,
        status.messages,
        status.unseen,
        status.size,
        status.uidvalidity,
        status.uidnext,
        status.highestmodseq,
    )


def _find(mailbox: Mailbox, identifier: str) -> Folder:
    """By id or path."""
    for folder in mailbox.folders():
        if folder.object_id == identifier:
            return folder
    try:
        return mailbox.folder(identifier)
    except NoSuchFolderError:
        raise NotFoundError("There is no such folder") from None


def _all(mailbox: Mailbox) -> list[FolderShown]:
    subscribed = mailbox.subscriptions()
    return [_shown(mailbox, folder, subscribed) for folder in mailbox.folders()]


def _one(mailbox: Mailbox, identifier: str) -> FolderShown:
    return _shown(mailbox, _find(mailbox, identifier), mailbox.subscriptions())


def _add(mailbox: Mailbox, wanted: FolderWanted) -> FolderShown:
    made = mailbox.create_folder(wanted.path)
    mailbox.subscribe(made.name, wanted.subscribed)
    return _one(mailbox, made.name)


def _change(mailbox: Mailbox, identifier: str, change: FolderChange) -> FolderShown:
    folder = _find(mailbox, identifier)
    name = folder.name
    if change.path is not msgspec.UNSET and change.path != name:
        mailbox.rename_folder(name, change.path)
        name = change.path
    if change.subscribed is not msgspec.UNSET:
        mailbox.subscribe(name, change.subscribed)
    return _one(mailbox, name)


def _remove(mailbox: Mailbox, identifier: str) -> FolderShown:
    gone = _one(mailbox, identifier)
    mailbox.delete_folder(gone.path)
    return gone


class FolderController(Controller):
    """/folders"""

    path = "/folders"
    tags = ("Folders",)
    opt = {"access": MAILBOX}

    @get("/", summary="Folders")
    async def list_all(
        self, identity: Identity, services: ApiServices, subscribed: bool | None = None
    ) -> list[FolderShown]:
        """All of them, or those that are subscribed or not, with their counts."""
        found = await services.mailboxes.run(_all, await opened(services, identity))
        return [one for one in found if subscribed in (None, one.subscribed)]

    @post("/", status_code=200, summary="Make a folder")
    async def add(self, data: FolderWanted, identity: Identity, services: ApiServices) -> FolderShown:
        """Its parents are made with it."""
        return await services.mailboxes.run(_add, await opened(services, identity), data)

    @get("/{folder_id:str}", summary="One folder")
    async def show(self, folder_id: str, identity: Identity, services: ApiServices) -> FolderShown:
        """By its id, or its path when that has one level."""
        return await services.mailboxes.run(_one, await opened(services, identity), folder_id)

    @put("/{folder_id:str}", summary="Rename a folder")
    async def change(
        self, folder_id: str, data: FolderChange, identity: Identity, services: ApiServices
    ) -> FolderShown:
        """Folders below it move along; its id stays."""
        return await services.mailboxes.run(_change, await opened(services, identity), folder_id, data)

    @delete("/{folder_id:str}", status_code=200, summary="Remove a folder with its messages")
    async def remove(self, folder_id: str, identity: Identity, services: ApiServices) -> FolderShown:
        """The messages can be undeleted for some days."""
        return await services.mailboxes.run(_remove, await opened(services, identity), folder_id)
