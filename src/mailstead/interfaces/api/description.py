"""The OpenAPI document beside what is made from the endpoints: security, and the problem that any of them may answer."""

from functools import lru_cache
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
    Server,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.routes import HTTPRoute

import mailstead

OCTETS = "octets"
"""The key in a handler's `opt` that says: the body is a file, which the handler reads as it comes."""

_OCTETS = "application/octet-stream"
_PROBLEM = "Problem"
_METHODS = ("get", "post", "put", "delete", "patch")


@get("/openapi.json", include_in_schema=False, sync_to_thread=False, media_type=MediaType.JSON)
def openapi_document(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The document, for anybody."""
    return Response(_encoded(request.app), media_type=MediaType.JSON)


@lru_cache(maxsize=2)
def _encoded(app: Any) -> bytes:
    return msgspec.json.encode(app.openapi_schema.to_schema())


def tell_problems(document: OpenAPI) -> None:
    """Let every operation answer with a problem, whatever the status."""
    media = OpenAPIMediaType(schema=Reference(ref=f"#/components/schemas/{_PROBLEM}"))
    problem = OpenAPIResponse(description="What went wrong", content={"application/json": media})
    for item in (document.paths or {}).values():
        for method in _METHODS:
            operation: Operation | None = getattr(item, method)
            if operation is not None:
                told = {status: one for status, one in (operation.responses or {}).items() if status < "400"}
                operation.responses = told | {"default": problem}


def tell_octets(app: Litestar) -> None:
    """Tell of bodies that are a file as it is, which handlers read themselves (`opt` has OCTETS)."""
    binary = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, content_media_type=_OCTETS))
    body = RequestBody(content={_OCTETS: binary}, description="The file as it is", required=True)
    paths = app.openapi_schema.paths or {}
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path_format in paths:
            for handler in route.route_handlers:
                for method in _METHODS if handler.opt.get(OCTETS) else ():
                    operation: Operation | None = getattr(paths[route.path_format], method)
                    if operation is not None and method.upper() in handler.http_methods:
                        operation.request_body = body


def openapi() -> OpenAPIConfig:
    """The document's head; what it says of endpoints comes from their types and docstrings."""
    return OpenAPIConfig(
        title="Mailstead",
        version=mailstead.__version__,
        description="Domains, aliases, mailboxes and mail of a Mailstead server.",
        path="/schema",  # at "/" Litestar would answer every unknown path with a page of its own
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        servers=[Server(url="/")],
        components=Components(
            schemas={_PROBLEM: _problem_schema()},
            security_schemes={
                "basic": SecurityScheme(
                    type="http",
                    scheme="basic",
                    description="A user's token with a blank password, or an address with its password.",
                ),
                "bearer": SecurityScheme(type="http", scheme="bearer", description="A user's token."),
            },
        ),
        security=[{"basic": []}, {"bearer": []}],
    )


def _problem_schema() -> Schema:
    text = Schema(type=OpenAPIType.STRING)
    field = Schema(type=OpenAPIType.OBJECT, properties={"name": text, "message": text}, required=["name", "message"])
    return Schema(
        title=_PROBLEM,
        type=OpenAPIType.OBJECT,
        properties={
            "statusCode": Schema(type=OpenAPIType.INTEGER),
            "error": text,
            "message": text,
            "fields": Schema(type=OpenAPIType.ARRAY, items=field),
        },
        required=["statusCode", "error", "message"],
    )
