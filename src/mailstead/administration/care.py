"""Care of one mailbox: checked, what was cut off finished, a damaged file set aside."""

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias
from mailstead.administration.opening import data_key
from mailstead.administration.rotation import finish_rotation
from mailstead.administration.slots import keep_keyring
from mailstead.stores.mailbox.errors import MailboxDamagedError


class Checked(msgspec.Struct, frozen=True):
    """What was found; `set_aside` is where the file went when it was damaged."""

    problems: tuple[str, ...] = ()
    set_aside: str = ""


async def check_mailbox(
    administration: Administration, actor: Actor, address: str, *, current: str | None = None
) -> Checked:
    """Check a mailbox's file. Raises LockedMailboxError, AuthenticationError, MailboxBusyError, OSError."""
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    mailboxes = administration.mailboxes
    with await data_key(administration, alias, current) as key:
        await keep_keyring(administration, alias)
        try:
            mailbox = await mailboxes.open(alias.mailbox_id, key)
            problems = tuple(await mailboxes.run(mailbox.check))
        except MailboxDamagedError as error:
            problems = (str(error),)
        aside = await mailboxes.set_aside_if_damaged(alias.mailbox_id, key) if problems else None
    if aside is not None:
        await administration.audit(actor, "mailbox.set-aside", alias.address, file=aside.name)
    return Checked(problems, str(aside or ""))
