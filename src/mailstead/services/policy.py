"""Sending policy over an installation's stores: for services and for commands."""

from mailstead.mail.sending.policy import SendingPolicy
from mailstead.services.stores import Stores


def sending_policy(stores: Stores, hostname: str) -> SendingPolicy:
    """The rules of this installation."""
    return SendingPolicy(
        stores.directory,
        stores.documents,
        stores.bus,
        stores.resolver,
        stores.settings.sending,
        hostname,
        stores.clock,
        is_relayed=bool(stores.settings.server.relay_url),
    )
