"""Postfix for a minute on loopback: as the mail exchanger before a Dovecot, or as a relay with a queue."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.install import program
from benchmarks.peers.ready import wait_for_port
from support.ports import free_port

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {folder}
maillog_file = {folder}/postfix.log
myhostname = {hostname}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
alias_maps =
local_recipient_maps =
"""
_MASTER = """
127.0.0.1:{port} inet n - n - 100 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - 20 lmtp
smtp unix - - n - 20 smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
pickup unix n - n 60 1 pickup
"""


class Postfix:
    """A Postfix that can be told more, stopped and started."""

    def __init__(self, folder: Path, port: int, hostname: str) -> None:
        self._hostname = hostname
        self.folder = folder
        self.port = port
        self._settings: dict[str, str] = {}

    def configure(self, settings: dict[str, str]) -> None:
        """Write main.cf with these settings besides the common ones and those of earlier calls."""
        self._settings |= settings
        lines = "".join(f"{name} = {value}\n" for name, value in self._settings.items())
        (self.folder / "config" / "main.cf").write_text(
            _MAIN.format(folder=self.folder, hostname=self._hostname) + lines
        )

    def run(self, *command: str, check: bool = True) -> None:
        """`postfix COMMAND` on this configuration."""
        arguments = [program("postfix"), "-c", str(self.folder / "config"), *command]
        subprocess.run(arguments, check=check, stdout=sys.stderr)

    def start(self) -> None:
        """Return when it listens."""
        self.run("start")
        wait_for_port(self.port)


@contextmanager
def postfix(
    folder: Path, settings: dict[str, str], port: int = 0, *, hostname: str = "mail.example.test"
) -> Iterator[Postfix]:
    """A running Postfix with `settings` besides the common ones, on a free port unless told; stopped at the end."""
    owner = pwd.getpwnam("postfix")
    for name in ("queue", "data", "config"):
        (folder / name).mkdir(parents=True)
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    made = Postfix(folder, port or free_port(), hostname)
    (folder / "config" / "master.cf").write_text(_MASTER.format(port=made.port))
    made.configure(settings)
    made.start()
    try:
        yield made
    finally:
        made.run("stop", check=False)


def to_dovecot(lmtp: Path) -> dict[str, str]:
    """Settings of a mail exchanger that hands everything for example.test to `lmtp`."""
    return {
        "virtual_mailbox_domains": "example.test",
        "virtual_mailbox_maps": "static:all",
        "virtual_transport": f"lmtp:unix:{lmtp}",
        "lmtp_destination_concurrency_limit": "20",
    }
