"""What a run was measured on, without names of hosts or folders."""

import datetime
import platform
import re
import subprocess
from pathlib import Path

import mailstead


def machine() -> list[str]:
    """Processor, memory, system, versions, date."""
    processors = Path("/proc/cpuinfo").read_text("utf-8")
    model = re.search(r"^model name\s*:\s*(.+)$", processors, re.MULTILINE)
    count = len(re.findall(r"^processor\s*:", processors, re.MULTILINE))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text("utf-8"))
    with_aes = " with AES instructions" if re.search(r"^flags.*\baes\b", processors, re.MULTILINE) else ""
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return [
        f"{count} processors ({model.group(1).strip() if model else platform.machine()}){with_aes}",
        f"{int(memory.group(1)) / 1024**2:.0f} GiB of memory" if memory else "memory unknown",
        f"{release}, Linux {platform.release().split('-')[0]}",
        f"Mailstead {mailstead.__version__}, Python {platform.python_version()}",
        *_peers(),
        f"measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
    ]


def _peers() -> list[str]:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package} ${Version}\n"]
    names = {"dovecot-core": "Dovecot", "postfix": "Postfix", "radicale": "Radicale", "xandikos": "Xandikos"}
    try:
        found = subprocess.run([*command, *names], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return []
    rows = [line.split() for line in found.splitlines() if line.startswith("ii")]
    return [f"{names[package]} {version} (the distribution's package)" for _, package, version in rows]
