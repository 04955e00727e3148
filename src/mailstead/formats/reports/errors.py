"""Errors of reports."""


class ReportError(Exception):
    """The octets are no report that could be read; says why."""
