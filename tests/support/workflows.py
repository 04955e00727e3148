"""The workflows that make releases: their steps, and their commands as the runner of the workflows runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
_TO_JSON = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)"


class Step(NamedTuple):
    """A step: `run` is its command, `uses` the action it calls; one of them is empty."""

    workflow: str
    name: str
    run: str
    uses: str


def steps() -> list[Step]:
    """All steps of all workflows, in order."""
    found = []
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        read = subprocess.run([sys.executable, "-c", _TO_JSON], input=text, capture_output=True, text=True, check=True)
        jobs: dict[str, dict[str, Any]] = json.loads(read.stdout)["jobs"]
        for job in jobs.values():
            for step in job.get("steps", ()):
                found.append(Step(path.name, step.get("name", ""), step.get("run", ""), step.get("uses", "")))
    return found


def command_of(name: str) -> str:
    """The command of the step of that name."""
    (found,) = (step.run for step in steps() if step.name == name)
    return found


def run_step(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As the runner does: by bash, which ends at the first failure."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def check_schema(schema: str, path: Path) -> None:
    """Hold a file to one of the schemas that check-jsonschema brings."""
    program = Path(sys.executable).with_name("check-jsonschema")
    ended = subprocess.run([program, "--builtin-schema", schema, path], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
