"""Structured logs: lines for people or JSON, never with secrets or bodies."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from mailstead.foundation.config.settings import Settings

_SECRET_WORDS = (
    "password",
    "secret",
    "token",
    "authorization",
    "private_key",
    "data_key",
    "credential_text",
    "response",
)
_HIDDEN = "(hidden)"


def _scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values whose name tells of a secret, and raw bytes, which may be a message."""
    for name, value in event.items():
        if isinstance(value, bytes | bytearray | memoryview):
            event[name] = f"({len(value)} bytes)"
        elif any(word in name for word in _SECRET_WORDS):
            event[name] = _HIDDEN
    return event


def configure_logging(settings: Settings) -> None:
    """Send all logs, those of libraries too, to standard error in the form that Settings asks for."""
    level = getattr(logging, settings.server.log_level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _scrub,
    ]
    renderer: structlog.typing.Processor
    if settings.server.log_format == "json":
        renderer = structlog.processors.JSONRenderer()
        shared.append(structlog.processors.format_exc_info)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mailstead").setLevel(level)
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
