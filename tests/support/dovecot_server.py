"""A whole Dovecot on a port of its own, with Maildirs of the test's own; any user, one password."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port

PASSWORD = "an-old-password"
_START_SECONDS = 30


@contextmanager
def dovecot_server(folder: Path, mail: Path) -> Iterator[int]:
    """The port of a server of the Maildir `mail`, which is given to nobody; both must be everybody's to enter."""
    folder.mkdir()
    port = free_port()
    root = os.geteuid() == 0
    user = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
    own = pwd.getpwuid(os.getuid()).pw_name
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        f"base_dir = {folder}/run\nlog_path = {folder}/log\nprotocols = imap\nssl = no\n"
        f"default_internal_user = {'dovecot' if root else own}\ndefault_login_user = {'dovenull' if root else own}\n"
        "disable_plaintext_auth = no\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n"
        f"mail_location = maildir:{mail}\n"
        "namespace inbox {\n  inbox = yes\n  separator = .\n  prefix = INBOX.\n"
        "  mailbox Gesendet {\n    special_use = \\Sent\n  }\n}\n"
        f"service imap-login {{\n  chroot =\n  inet_listener imap {{\n    address = 127.0.0.1\n    port = {port}\n  }}\n"
        "  inet_listener imaps {\n    port = 0\n  }\n}\n"
        "service anvil {\n  chroot =\n}\n"
        f"passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n"
        f"userdb {{\n  driver = static\n  args = uid={user.pw_uid} gid={user.pw_gid} home={mail}\n}}\n"
    )
    if root:
        for path in (mail, *mail.rglob("*")):
            shutil.chown(path, user.pw_uid, user.pw_gid)
    with subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", configuration]) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(port):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.02)  # the condition is that it answers; there is nothing to be woken by
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(4) == b"* OK"
    except OSError:
        return False
