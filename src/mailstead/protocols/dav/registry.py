"""All that the server knows: methods, properties, reports, features."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import msgspec

from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.methods import acl as access_control
from mailstead.protocols.dav.methods import delete, get, lock, mkcol, propfind, proppatch, put, report, transfer
from mailstead.protocols.dav.names import a, c, d
from mailstead.protocols.dav.properties import acl, caldav, carddav, scheduling, webdav
from mailstead.protocols.dav.properties.definition import Property, PropertyTable
from mailstead.protocols.dav.reports.addressbook_query import addressbook_query
from mailstead.protocols.dav.reports.calendar_query import calendar_query
from mailstead.protocols.dav.reports.definition import Report
from mailstead.protocols.dav.reports.expand_property import expand_property
from mailstead.protocols.dav.reports.free_busy_query import free_busy_query
from mailstead.protocols.dav.reports.multiget import multiget
from mailstead.protocols.dav.reports.principals import (
    acl_principal_prop_set,
    principal_match,
    principal_property_search,
    principal_search_property_set,
)
from mailstead.protocols.dav.reports.sync_collection import sync_collection
from mailstead.protocols.dav.scheduling.outbox import is_outbox_post, outbox_post

Method = Callable[[Exchange, PropertyTable], Awaitable[Response]]

METHODS: Mapping[str, Method] = {
    "GET": get.get,
    "HEAD": get.get,
    "PUT": put.put,
    "DELETE": delete.delete,
    "COPY": transfer.copy,
    "MOVE": transfer.move,
    "PROPFIND": propfind.propfind,
    "PROPPATCH": proppatch.proppatch,
    "MKCOL": mkcol.mkcol,
    "MKCALENDAR": mkcol.mkcalendar,
    "LOCK": lock.lock,
    "UNLOCK": lock.unlock,
    "ACL": access_control.acl,
}
PROPERTIES: tuple[Property, ...] = (
    *webdav.PROPERTIES,
    *acl.PROPERTIES,
    *caldav.PROPERTIES,
    *carddav.PROPERTIES,
    *scheduling.PROPERTIES,
)
REPORTS: tuple[Report, ...] = (
    Report(d("sync-collection"), sync_collection),
    Report(d("expand-property"), expand_property),
    Report(d("principal-match"), principal_match),
    Report(d("principal-property-search"), principal_property_search),
    Report(d("principal-search-property-set"), principal_search_property_set),
    Report(d("acl-principal-prop-set"), acl_principal_prop_set),
    Report(c("calendar-query"), calendar_query, ("calendar", "inbox")),
    Report(c("calendar-multiget"), multiget, ("calendar", "inbox")),
    Report(c("free-busy-query"), free_busy_query, ("calendar",)),
    Report(a("addressbook-query"), addressbook_query, ("addressbook",)),
    Report(a("addressbook-multiget"), multiget, ("addressbook",)),
)
POSTS: tuple[tuple[Callable[[Exchange], bool], Method], ...] = (
    (lambda exchange: exchange.request.query == "add-member", put.add_member),
    (is_outbox_post, outbox_post),
)
"""POST handlers: the first whose test the request passes takes it."""
FEATURES: tuple[str, ...] = ("calendar-auto-schedule",)
"""What OPTIONS says besides of what the server can do."""


class Registry(msgspec.Struct, frozen=True):
    """Tables made ready for use."""

    methods: Mapping[str, Method]
    table: PropertyTable
    posts: tuple[tuple[Callable[[Exchange], bool], Method], ...]
    features: tuple[str, ...]


def registry() -> Registry:
    """All that is declared above."""
    by_name = {one.name: one for one in REPORTS}
    methods: dict[str, Method] = {**METHODS, "REPORT": partial(report.report, reports=by_name)}
    return Registry(methods, PropertyTable(PROPERTIES), POSTS, FEATURES)
