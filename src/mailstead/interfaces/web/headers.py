"""What every answer of the web tells the browser to forbid."""

from litestar.types import Message, Scope

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
LETTER_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self' data:",
        "style-src 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
"""For the frame that shows a message's HTML: nothing runs, nothing loads from elsewhere."""

_ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_YEAR = 365 * 86400


async def harden(message: Message, scope: Scope) -> None:
    """Add the headers that the answer does not set itself."""
    if message["type"] != "http.response.start":
        return
    present = {name.lower() for name, _ in message["headers"]}
    added = dict(_ALWAYS)
    added[b"content-security-policy"] = POLICY.encode()
    added[b"cache-control"] = b"no-store"
    if scope.get("scheme") == "https":
        added[b"strict-transport-security"] = b"max-age=%d" % _YEAR
    message["headers"] = [
        *message["headers"],
        *((name, value) for name, value in added.items() if name not in present),
    ]
