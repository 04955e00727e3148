import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog

from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.logging import HIDDEN, configure_logging

Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Configures logging into a text; afterwards everything is as before."""
    root, own = logging.getLogger(), logging.getLogger("mailstead")
    before = (list(root.handlers), root.level, own.level, structlog.get_config())

    def begin(form: Literal["human", "json"] = "json", level: Literal["debug", "info"] = "info") -> io.StringIO:
        text = io.StringIO()
        monkeypatch.setattr(sys, "stderr", text)
        configure_logging(Settings(server=ServerSettings(log_format=form, log_level=level)))
        return text

    yield begin
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])
    structlog.reset_defaults()
    structlog.configure(**before[3])


def logger() -> Any:
    return structlog.get_logger("mailstead.test")


def records(text: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_a_record_is_one_line_of_json(configure: Configure) -> None:
    text = configure()
    logger().info("message accepted", size=10, peer="192.0.2.1", remark="two\nlines")
    (record,) = records(text)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "message accepted",
        "level": "info",
        "logger": "mailstead.test",
        "size": 10,
        "peer": "192.0.2.1",
        "remark": "two\nlines",
    }


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "SECRET",
        "server_secret",
        "api_token",
        "Authorization",
        "key",
        "data_key",
        "response",
    ],
)
def test_secrets_are_hidden_by_their_name(configure: Configure, name: str) -> None:
    text = configure()
    logger().info("login", **{name: "hunter2", "detail": {"inner": [{name: "hunter2"}]}})
    assert "hunter2" not in text.getvalue()
    assert records(text)[0][name] == HIDDEN


def test_octets_are_counted_and_never_shown(configure: Configure) -> None:
    text = configure()
    logger().info("message", body=b"Subject: secret plans", parts=[b"abc", memoryview(b"ab")])
    assert records(text)[0]["body"] == "(21 octets)"
    assert records(text)[0]["parts"] == ["(3 octets)", "(2 octets)"]


@pytest.mark.parametrize("form", ["human", "json"])
def test_an_exception_is_part_of_its_record_and_shows_no_variables(
    configure: Configure, form: Literal["human", "json"]
) -> None:
    text = configure(form)

    def fail(word: str) -> None:
        raise ValueError("first\n2026-01-01T00:00:00Z [info     ] forged \x1b[31m")

    try:
        fail("2retnuh"[::-1])
    except ValueError:
        logger().exception("session crashed", connection="01ABC")
    shown = text.getvalue()
    assert "hunter2" not in shown
    assert "\x1b" not in shown
    assert "ValueError: first" in shown
    if form == "json":
        (record,) = records(text)
        assert "Traceback" in record["exception"]
    else:
        first, *others = shown.splitlines()
        assert "session crashed" in first
        assert "connection=01ABC" in first
        assert all(line.startswith("    ") for line in others)


def test_a_peer_cannot_forge_a_line_or_colour_the_terminal(configure: Configure) -> None:
    text = configure("human")
    logger().info("hello\nforged", peer="\x1b[31mred", name="a\r\nb\u2028c")
    shown = text.getvalue()
    assert shown.count("\n") == 1
    assert not any(character in shown for character in "\x1b\r\u2028")


def test_logs_and_warnings_of_libraries_come_the_same_way(configure: Configure) -> None:
    text = configure()
    logging.getLogger("library").warning("careful with %s", "this")
    logging.getLogger("library").info("chatter")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("deprecated", stacklevel=1)
    events = [(record["logger"], record["level"]) for record in records(text)]
    assert events == [("library", "warning"), ("py.warnings", "warning")]
    assert records(text)[0]["event"] == "careful with this"


def test_the_level_of_settings_decides(configure: Configure) -> None:
    text = configure()
    logger().debug("detail")
    assert text.getvalue() == ""
    text = configure(level="debug")
    structlog.get_logger("mailstead.other").debug("detail")
    assert records(text)[0]["event"] == "detail"
