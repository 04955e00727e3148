"""Errors of SPF records."""


class SpfSyntaxError(Exception):
    """The record, or an explanation, is not of the form of RFC 7208 §12; says where."""
