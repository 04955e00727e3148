"""The name this host gives itself."""

import socket

from mailstead.foundation.config.settings import Settings


def host_name(settings: Settings) -> str:
    """`MAILSTEAD_HOSTNAME`, or the system's name; the literal of loopback where the system has none with a dot."""
    if settings.server.hostname:
        return settings.server.hostname
    name = socket.getfqdn()
    return name if "." in name and not name.endswith(".arpa") else "localhost.localdomain"
