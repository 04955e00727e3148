"""deploy/helm: the objects it makes, by a renderer of the tests' own (`helm template` is not had here)."""

import re
from typing import Any

import pytest

from mailstead.foundation.config.sections.port import PortSettings
from mailstead.services.registry import SERVICES
from support.chart import render
from support.container_engine import ROOT

CHART = ROOT / "deploy/helm/mailstead"


@pytest.fixture
def objects() -> dict[tuple[str, str], dict[str, Any]]:
    settings = {"MAILSTEAD_LOG_LEVEL": "debug"}
    found = render(CHART, "post", {"hostname": "mail.example.test", "settings": settings})
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def test_every_service_is_a_container_that_proves_its_protocol(objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    pod = objects["StatefulSet", "post"]["spec"]["template"]["spec"]
    containers = {one["name"]: one for one in pod["containers"]}
    assert set(containers) == {service.name for service in SERVICES}
    for name, container in containers.items():
        assert container["args"] == ["serve", name]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["exec"]["command"] == ["mailstead", "health", name]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {one["name"]: one["value"] for one in container["env"]} == {
            "MAILSTEAD_HOSTNAME": "mail.example.test",
            "MAILSTEAD_LOG_LEVEL": "debug",
        }
        assert container["envFrom"] == [{"secretRef": {"name": "mailstead"}}]
    assert pod["securityContext"]["runAsUser"] == 2500


def test_mailboxes_have_a_volume(objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    spec = objects["StatefulSet", "post"]["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Gi"}}}
    assert spec["serviceName"] == "post-pods"
    named = render(CHART, "post", {"storage": {"size": "1Gi", "className": "fast"}})
    (claim,) = next(one for one in named if one["kind"] == "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"


def test_services_lead_to_the_ports_of_the_image(objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    text = (ROOT / "deploy/Dockerfile").read_text("utf-8")
    ports = {name.lower(): int(port) for name, port in re.findall(r"MAILSTEAD_PORT_([A-Z0-9]+)=(\d+)", text)}
    ports |= {"sieve": PortSettings().sieve or 0, "metrics": PortSettings().metrics or 0}
    for name in ("post", "post-pods"):
        service = objects["Service", name]
        assert service["spec"]["selector"] == objects["StatefulSet", "post"]["spec"]["selector"]["matchLabels"]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] == ports[port["name"]], port
