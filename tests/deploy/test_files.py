"""The files of a deployment: valid, and true to the code."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import mailstead
from mailstead.foundation.config.load import load_settings, read_env_file
from mailstead.services.registry import SERVICES
from support.programs import require_program
from support.workflows import WORKFLOWS, check_schema

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy/docker-compose-self-hosted.yml"
EXTERNAL = ROOT / "deploy/docker-compose-external-stores.yml"
FOREIGN = {"mongodb", "redis", "router"}  # images of others


@pytest.mark.parametrize("path", [COMPOSE, EXTERNAL], ids=lambda path: path.name)
def test_the_compose_files_are_valid(path: Path) -> None:
    check_schema("vendor.compose-spec", path)


def understood(folder: Path, files: Sequence[Path], more: str = "") -> dict[str, Any]:
    """Compose files as docker-compose understands them, with an .env of what deploy/env.example names and `more`."""
    program = require_program("docker-compose")
    example = (ROOT / "deploy/env.example").read_text("utf-8")
    (folder / ".env").write_text(re.sub("=$", "=0123456789abcdef0123456789abcdef", example, flags=re.MULTILINE) + more)
    command: list[str | Path] = [program]
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
        command += ["--file", file.name]
    for profile in ("mail", "storage", "metrics"):
        command += ["--profile", profile]
    ended = subprocess.run([*command, "config"], cwd=folder, capture_output=True, text=True, check=True)
    script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    found = subprocess.run(
        [sys.executable, "-c", script], input=ended.stdout, capture_output=True, text=True, check=True
    )
    services: dict[str, Any] = json.loads(found.stdout)["services"]
    return services


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return understood(tmp_path_factory.mktemp("compose"), [COMPOSE])


def test_stores_that_run_elsewhere(tmp_path: Path, composed: dict[str, Any]) -> None:
    documents = "mongodb://u:p@db1,db2,db3/mail?replicaSet=rs0&tls=true&tlsCAFile=/etc/stores-ca.pem"
    bus = "rediss+sentinel://:p@r1,r2,r3/mail/0?ssl_ca_certs=/etc/stores-ca.pem"
    external = understood(tmp_path, [COMPOSE, EXTERNAL], f"DOCUMENTS_URL={documents}\nBUS_URL={bus}\n")
    assert set(external) == set(composed)
    for name in set(external) - FOREIGN:
        given = external[name]["environment"]
        settings = load_settings({key: str(value) for key, value in given.items()}, Path("/nonexistent"))
        assert (settings.server.documents_url, settings.server.bus_url) == (documents, bus), name
        assert any(
            str(volume).startswith("/") and "stores-ca.pem" in str(volume) for volume in external[name]["volumes"]
        )
    assert {external[name]["image"] for name in ("mongodb", "redis")} == {external["mx"]["image"]}


def test_every_service_is_composed(composed: dict[str, Any]) -> None:
    assert set(composed) == {service.name for service in SERVICES} | FOREIGN


def test_every_service_is_confined_and_proves_its_protocol(composed: dict[str, Any]) -> None:
    for name in set(composed) - FOREIGN:
        service = composed[name]
        assert service["command"] == ["serve", name]
        assert service["healthcheck"]["test"] == ["CMD", "mailstead", "health", name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]


def test_only_public_ports_are_published(composed: dict[str, Any]) -> None:
    published = {name for name, service in composed.items() if service.get("ports")}
    assert published == {"router", "smtp", "mx", "imap", "pop3", "managesieve"}


def test_the_environment_is_what_settings_allow(composed: dict[str, Any]) -> None:
    for name in set(composed) - FOREIGN:
        load_settings({key: str(value) for key, value in composed[name]["environment"].items()}, Path("/nonexistent"))


def test_what_must_be_set_is_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE.read_text("utf-8")))
    assert wanted == set(re.findall("^([A-Z_]+)=$", (ROOT / "deploy/env.example").read_text("utf-8"), re.MULTILINE))


def test_settings_of_the_image_are_allowed() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text("utf-8")
    found = dict(re.findall(r"(MAILSTEAD_[A-Z0-9_]+)=(\S+)", text))
    settings = load_settings(found, Path("/nonexistent"))
    assert (settings.server.bind, settings.port.mx, settings.port.imaps) == ("*", 25, 993)


def test_settings_without_containers_are_allowed_and_what_the_units_expect() -> None:
    found = read_env_file(ROOT / "deploy/mailstead.env.example")
    settings = load_settings(found, Path("/nonexistent"))
    image = dict(re.findall(r"(MAILSTEAD_PORT_[A-Z0-9]+)=(\S+)", (ROOT / "deploy/Dockerfile").read_text("utf-8")))
    for name in found.keys() & image.keys() - {"MAILSTEAD_PORT_HTTP", "MAILSTEAD_PORT_HTTPS"}:
        assert found[name] == image[name]
    assert (settings.port.http, settings.port.https, settings.server.bind) == (80, 443, "*")
    unit = (ROOT / "deploy/systemd/mailstead@.service").read_text("utf-8")
    assert f"MAILSTEAD_DATA={settings.server.data}\n" in unit


def test_the_version_has_one_place() -> None:
    for path in (ROOT / "pyproject.toml", ROOT / "deploy/Dockerfile", COMPOSE, *WORKFLOWS):
        assert mailstead.__version__ not in re.findall(r"\b\d+\.\d+\.\d+\b", path.read_text("utf-8")), path


def test_units_are_what_systemd_reads(tmp_path: Path) -> None:
    program = require_program("systemd-analyze")
    folder = tmp_path / "units"
    folder.mkdir()
    for unit in (ROOT / "deploy/systemd").iterdir():
        text = unit.read_text("utf-8").replace("/opt/mailstead/.venv/bin/mailstead", "/bin/true")
        (folder / unit.name).write_text(text, "utf-8")
    units = [folder / "mailstead@mx.service", folder / "mailstead.target"]
    ended = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
