"""Dovecot with IMAP, POP3 and LMTP for a minute on loopback."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.install import program
from benchmarks.peers.ready import wait_for_port
from support.ports import free_port

PASSWORD = "benchmark"

# Stock but for: durable writes (mail_fsync = always, as Mailstead syncs each commit), login processes that are kept
# (service_count = 0, faster than stock), and limits raised to the number of connections.
_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp pop3
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
listen = 127.0.0.1
mail_location = {format}:{folder}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
default_client_limit = 4000
default_process_limit = 2000
mail_fsync = always
mail_max_userip_connections = 0
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%n allow_all_users=yes
}}
service lmtp {{
  unix_listener {folder}/run/bench-lmtp {{
    mode = 0666
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service imap {{
  process_limit = 2000
}}
service pop3-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot:
    """A running Dovecot; any user name logs in with PASSWORD."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], imap: int, imaps: int, pop3: int) -> None:
        self.folder = folder
        self.process = process
        self.imap = imap
        self.imaps = imaps
        self.pop3 = pop3
        self.lmtp = folder / "run" / "bench-lmtp"


@contextmanager
def dovecot(folder: Path, mailbox_format: str, certificate: Path | None = None) -> Iterator[Dovecot]:
    """Start it in an empty `folder`; `certificate` is a file with chain and key, without it there is no TLS."""
    owner = pwd.getpwnam("nobody")
    for name in ("run", "state", "mail"):
        (folder / name).mkdir(parents=True)
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    imap, pop3 = free_port(), free_port()
    imaps = free_port() if certificate else 0
    pair = f"ssl_cert = <{certificate}\nssl_key = <{certificate}" if certificate else ""
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            ssl="yes" if certificate else "no",
            certificate=pair,
            format=mailbox_format,
            password=PASSWORD,
            imap=imap,
            imaps=imaps,
            pop3=pop3,
        )
    )
    with (folder / "output").open("wb") as output:
        command = [program("dovecot"), "-F", "-c", str(configuration)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for_port(imap)
        wait_for_port(pop3)
        yield Dovecot(folder, process, imap, imaps, pop3)
    finally:
        process.terminate()
        process.wait(30)
