"""The peers' packages of the distribution; installing them starts nothing and asks nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd", "postfix", "radicale", "xandikos", "git")
_PROGRAMS = ("dovecot", "postfix", "radicale", "xandikos", "git")
_MODULES = ("imap", "pop3", "lmtp")  # each a package of its own
_SYSTEM = ("/usr/bin", "/usr/sbin", "/sbin")
_POLICY = Path("/usr/sbin/policy-rc.d")


def program(name: str) -> str:
    """Where a system program is. Raises FileNotFoundError."""
    found = shutil.which(name, path=os.pathsep.join((os.environ["PATH"], *_SYSTEM)))
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def _lacking() -> list[str]:
    folders = os.pathsep.join(_SYSTEM)
    lacking = [name for name in _PROGRAMS if shutil.which(name, path=folders) is None]
    return lacking + [name for name in _MODULES if not Path("/usr/lib/dovecot", name).exists()]


def peers_missing() -> str:
    """Why there are no peers on this machine; empty when there are. Their servers give up root, so they need it."""
    if lacking := _lacking():
        return f"not installed: {', '.join(lacking)}"
    return "" if os.geteuid() == 0 else "they start as root only"


def install_peers() -> None:
    """Install what lacks, as root on a system with apt. Raises CalledProcessError."""
    if not _lacking() or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES]
    try:
        answer = "postfix postfix/main_mailer_type select No configuration\n"
        subprocess.run(["debconf-set-selections"], input=answer.encode(), check=True)
        for command in (["apt-get", "update", "-q"], install):
            subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    finally:
        if ours:
            _POLICY.unlink()


if __name__ == "__main__":
    install_peers()
