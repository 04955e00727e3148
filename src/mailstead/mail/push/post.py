"""One push message to a push service (RFC 8030 §5)."""

import ssl
from collections.abc import Callable
from typing import Literal

from mailstead.foundation.clock import Clock
from mailstead.foundation.dns.resolving import Resolving
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.foundation.net.http.request import HttpRequest, send_request
from mailstead.foundation.net.http.url import HttpUrl, parse_url
from mailstead.foundation.net.reach import Reach
from mailstead.mail.push.encryption import encrypt
from mailstead.mail.push.vapid import Vapid
from mailstead.stores.push.subscriptions import PushSubscription

_ANSWER_LIMIT = 16 * 1024
_LIFETIME = "86400"  # seconds that a push service keeps a message for a browser that is away
Outcome = Literal["sent", "gone", "failed"]


class PushServices:
    """Posts to push services: over https alone, and to public addresses or networks that Settings allow."""

    def __init__(
        self,
        resolver: Resolving,
        context: Callable[[], ssl.SSLContext],
        vapid: Vapid,
        clock: Clock,
        *,
        allowed: tuple[str, ...],
        timeout: float,
    ) -> None:
        """`context` gives the TLS context that verifies hosts, `timeout` is in seconds."""
        self._reach = Reach(resolver, allowed)
        self._context = context
        self._vapid = vapid
        self._clock = clock
        self._timeout = timeout

    @property
    def public_key(self) -> str:
        """What browsers subscribe to."""
        return self._vapid.public_key

    async def check(self, endpoint: str) -> HttpUrl:
        """The endpoint's parts. Raises InvalidError, NotPublicError, NoSuchHostError, ResolutionError."""
        target = parse_url(endpoint)
        if not target.is_secure:
            raise InvalidError("A push service is reached over https")
        await self._reach.addresses(target.host)
        return target

    async def post(self, subscription: PushSubscription, plain: bytes) -> Outcome:
        """Send `plain`, encrypted; "gone" when the browser does not want it any more. Raises nothing."""
        try:
            target = await self.check(subscription.endpoint)
            answer = await send_request(
                HttpRequest(
                    method="POST",
                    host=target.host,
                    port=target.port,
                    path=target.path,
                    headers={
                        "TTL": _LIFETIME,
                        "Content-Encoding": "aes128gcm",
                        "Content-Type": "application/octet-stream",
                        "Authorization": self._vapid.authorization(subscription.endpoint, self._clock.now()),
                    },
                    body=(encrypt(plain, subscription.key, subscription.auth),),
                ),
                await self._reach.addresses(target.host),
                self._context(),
                timeout=self._timeout,
                size_limit=_ANSWER_LIMIT,
            )
        except (MailsteadError, OSError):
            return "failed"
        if 200 <= answer.status < 300:
            return "sent"
        return "gone" if answer.status in (404, 410) else "failed"
