"""The story of docs/api.md, run as it stands there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dns_authority import dns_authority
from support.mailstead_server import MailsteadServer, mailstead_server
from support.smtp_sink import Sink, smtp_sink

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[MailsteadServer]:
    zone = {
        "elsewhere.test": {"MX": "10 mx.elsewhere.test.", "TXT": "v=spf1 ip4:127.0.0.1 -all"},
        "mx.elsewhere.test": {"A": "127.0.0.1"},
    }
    with dns_authority(zone) as authority:
        settings = {"MAILSTEAD_DNS_SERVERS": authority.address, "MAILSTEAD_QUEUE_REMOTE_PORT": str(sink.port)}
        with mailstead_server(tmp_path_factory.mktemp("story"), settings) as running:
            yield running


@pytest.mark.needs("curl", "jq")
def test_the_story_goes_as_it_is_told(server: MailsteadServer, sink: Sink) -> None:
    (story,) = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "docs/api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    api, mx = server.address("api"), server.address("mx")
    known = {
        "API": f"http://{api[0]}:{api[1]}/v1",
        "MX": f"{mx[0]}:{mx[1]}",
        "ADMIN": f"admin@example.test:{server.password('admin')}",
    }
    ended = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", story],
        env=server.environment | known,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "carol@elsewhere.test: sent 250" in ended.stdout
    sender, recipients, octets = sink.messages[0]
    assert (sender, recipients) == ("hello@story.test", ["carol@elsewhere.test"])
    assert b"In-Reply-To: <q1@elsewhere.test>" in octets
    assert b"DKIM-Signature:" in octets
