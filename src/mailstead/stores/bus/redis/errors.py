"""The exceptions by which redis-py and the loop say that a connection is gone."""

from redis import exceptions

LOSSES: tuple[type[Exception], ...] = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
    exceptions.ReadOnlyError,
    OSError,
    RuntimeError,  # uvloop's word for a transport that was closed between two steps of redis-py
)
