"""Postfix and Dovecot of this machine, each with a configuration and folders of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {"postfix": "postfix", "dovecot": "dovecot-core", "smtp-source": "postfix"}
EXTRA_PACKAGES = ("dovecot-lmtpd", "dovecot-pop3d")
PASSWORD = "benchmark"  # of a server that lives for a minute on loopback


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed: run as root, or install {PACKAGES.get(name, name)}")
    return found


def install_peers() -> None:
    """Install what lacks, as root; the packages' own services are not started."""
    lacking = [name for name in PACKAGES if shutil.which(name, path="/usr/bin:/usr/sbin") is None]
    if not lacking:
        return
    if os.geteuid() != 0:
        raise SystemExit(f"not installed: {', '.join(lacking)}; run this as root once")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    packages = sorted({*PACKAGES.values(), *EXTRA_PACKAGES})
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    try:
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    finally:
        if ours:
            policy.unlink()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def dovecot(folder: Path, pop3_port: int, *, mailbox_format: str = "sdbox") -> Iterator[Path]:
    """Dovecot with LMTP on a unix socket and POP3; gives the socket's path. Every user has PASSWORD."""
    owner = pwd.getpwnam("nobody")
    for name in ("run", "state", "mail"):
        (folder / name).mkdir(parents=True)
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    lmtp = folder / "run" / "bench-lmtp"
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = lmtp pop3
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
mail_location = {mailbox_format}:{folder}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
mail_fsync = always
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%n allow_all_users=yes
}}
service lmtp {{
  unix_listener {lmtp} {{
    mode = 0666
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""
    )
    command = [program("dovecot"), "-F", "-c", str(configuration)]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for_port(pop3_port)
        yield lmtp
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def postfix(folder: Path, port: int, lmtp: Path) -> Iterator[None]:
    """Postfix on `port` that hands everything for example.test to `lmtp`."""
    owner = pwd.getpwnam("postfix")
    for name in ("queue", "data", "config"):
        (folder / name).mkdir(parents=True)
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    configuration = folder / "config"
    (configuration / "main.cf").write_text(
        f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {folder}
maillog_file = {folder}/postfix.log
myhostname = mail.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:{lmtp}
lmtp_destination_concurrency_limit = 20
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
alias_maps =
local_recipient_maps =
"""
    )
    (configuration / "master.cf").write_text(
        f"""
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
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
pickup unix n - n 60 1 pickup
"""
    )
    subprocess.run([program("postfix"), "-c", str(configuration), "start"], check=True, stdout=sys.stderr)
    try:
        wait_for_port(port)
        yield
    finally:
        subprocess.run([program("postfix"), "-c", str(configuration), "stop"], check=False, stdout=sys.stderr)
