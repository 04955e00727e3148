"""Structured logs: lines for people or JSON, one record per event, never with secrets or bodies.

Whatever a peer sent may end up in a value. So values whose name tells of a secret are hidden, octets are only counted,
control characters are escaped (a peer cannot forge a line or colour a terminal), and tracebacks show no variables.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from mailstead.foundation.config.settings import Settings

HIDDEN = "(hidden)"
_SECRET = re.compile(
    r"password|secret|token|authorization|credential_text|cookie|(^|_)(key|keys|response)$", re.IGNORECASE
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DEPTH = 4
_OWN = frozenset({"exc_info", "stack_info", "exception", "stack", "_record", "_from_structlog"})


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _shown(name: str, value: object, depth: int) -> object:
    if _SECRET.search(name):
        return HIDDEN
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} octets)"
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if depth == 0:
        return "(more)"
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", inner, depth - 1) for inner in value]
    return str(value)


def scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets and count octets, in nested values too."""
    for name, value in event.items():
        if name not in _OWN:
            event[name] = _shown(name, value, _DEPTH)
    return event


def escape_controls(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write control characters as Python does; JSON has its own way."""
    for name, value in event.items():
        if name not in _OWN and not isinstance(value, bool | int | float):
            event[name] = _CONTROL.sub(_escape, str(value))
    return event


def _traceback_text(exc_info: Any) -> str:
    return "".join(traceback.format_exception(*exc_info)).rstrip("\n")


def _write_traceback(stream: TextIO, exc_info: Any) -> None:
    """Indented, so that no line of it looks like a record."""
    for line in _traceback_text(exc_info).split("\n"):
        stream.write(f"\n    {_CONTROL.sub(_escape, line)}")


def configure_logging(settings: Settings) -> None:
    """Send all logs, those of libraries and warnings too, to standard error in the form that Settings asks for."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        scrub,
    ]
    renderers: list[structlog.typing.Processor]
    if settings.server.log_format == "json":
        renderers = [structlog.processors.ExceptionRenderer(_traceback_text), structlog.processors.JSONRenderer()]
    else:
        renderers = [
            escape_controls,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=_write_traceback
            ),
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mailstead").setLevel(settings.server.log_level.upper())
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
