"""The workflows: valid, and every command in them run as the runner would, or named with the reason why not."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import mailstead
from support.workflows import ROOT, WORKFLOWS, check_schema, command_of, run_step, steps

TAG = f"v{mailstead.__version__}"
# a step of a workflow: the test that runs its command
RUN = {
    "The release is named as the code says": "test_a_release_is_named_as_the_code_says",
    "The changelog tells of it": "test_release_notes_are_the_changelogs",
    "Release notes from the changelog": "test_release_notes_are_the_changelogs",
    "Sign what was pushed": "test_what_a_release_signs",
    "Generated documents are what the code says": "test_generated_documents_are_compared",
}
NOT_RUN = {"Lint and all tests": "it is .ci/run, which runs this very test"}
# actions are GitHub's and others' programs: what stands for each here
ACTIONS = {
    "actions/checkout": "the tests run in a checkout",
    "actions/setup-python": "the tests run on the Python that there is",
    "docker/setup-qemu-action": "for arm64, which is not built here",
    "docker/setup-buildx-action": "tests/deploy/test_containers.py builds with the engine's own builder",
    "docker/login-action": "no registry is reached from here",
    "docker/metadata-action": "it joins the tags that the workflow lists; test_the_tags_of_a_release reads them",
    "docker/build-push-action": "tests/deploy/test_containers.py builds the same file; nothing is pushed",
    "sigstore/cosign-installer": "a stand-in writes down what would be signed",
}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_they_are_valid(path: Path) -> None:
    check_schema("vendor.github-workflows", path)


def test_every_command_is_run_or_says_why_not() -> None:
    assert {step.name for step in steps() if step.run} == RUN.keys() | NOT_RUN.keys()
    assert all(callable(globals().get(test)) for test in RUN.values())
    assert command_of("Lint and all tests").split()[-1] == ".ci/run"
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_every_action_has_a_stand_in_and_a_version() -> None:
    used = [step.uses.partition("@") for step in steps() if step.uses]
    assert {name for name, _, _ in used} == ACTIONS.keys()
    assert all(version.startswith("v") for _, _, version in used)


def test_the_tags_of_a_release() -> None:
    text = (ROOT / ".github/workflows/docker-image-build-publish.yml").read_text("utf-8")
    assert "type=raw,value=${{ github.event.release.tag_name }}\n" in text
    assert "type=raw,value=latest,enable=${{ !github.event.release.prerelease }}\n" in text
    assert "platforms: linux/amd64,linux/arm64\n" in text
    assert "  release:\n    types: [published]\n" in text


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """What the steps of a release look at, with a changelog that tells of two versions."""
    for name in ("script/release-notes", "src/mailstead/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    text = f"# Changelog\n\n## Unreleased\n\n- c\n\n## {mailstead.__version__} (2026-12-01)\n\n- b\n\n## 0.0.1\n\n- a\n"
    (tmp_path / "CHANGELOG.md").write_text(text)
    return tmp_path


def stand_in(folder: Path, name: str, script: str) -> str:
    """The PATH on which a program of that name is a script of ours."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"{path.parent}:{os.environ['PATH']}"


def test_a_release_is_named_as_the_code_says(release: Path) -> None:
    command = command_of("The release is named as the code says")
    assert run_step(command, release, TAG=TAG).returncode == 0
    assert run_step(command, release, TAG="v99.0.0").returncode != 0


def test_release_notes_are_the_changelogs(release: Path) -> None:
    command = command_of("The changelog tells of it")
    assert run_step(command, release, TAG=TAG).stdout.strip() == "- b"
    assert run_step(command, release, TAG="v0.0").returncode != 0
    path = stand_in(release, "gh", 'echo "$@" && cat "$5"')
    edited = run_step(command_of("Release notes from the changelog"), release, TAG=TAG, GH_TOKEN="t", PATH=path)
    assert edited.stdout.split("\n", 1) == [f"release edit {TAG} --notes-file notes.md", "\n- b\n\n"]


def test_what_a_release_signs(release: Path) -> None:
    path = stand_in(release, "cosign", 'echo "$@"')
    signed = run_step(
        command_of("Sign what was pushed"), release, PATH=path, IMAGE="ghcr.io/Some/One", DIGEST="sha256:12"
    )
    assert signed.stdout == "sign --yes ghcr.io/some/one@sha256:12\n"


def test_generated_documents_are_compared(tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    copy_tracked(folder)
    document = folder / "docs/cli.md"
    true = document.read_text("utf-8")
    document.write_text(f"{true}\nA command that there is not.\n", "utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@example.test", "commit", "--quiet", "--message", "x")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / ".git/info/exclude").write_text("/.venv\n")
    path = stand_in(tmp_path, "sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')
    ended = run_step(command_of("Generated documents are what the code says"), folder, PATH=path)
    assert ended.returncode != 0
    assert "-A command that there is not." in ended.stdout, ended.stderr
    assert document.read_text("utf-8") == true
    assert git(folder, "diff", "--name-only").split() == ["docs/cli.md"]  # all others are as the code says


def copy_tracked(folder: Path) -> None:
    """The files of this checkout as they are now."""
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def git(folder: Path, *arguments: str | Sequence[str]) -> str:
    """Output of a git command there."""
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
