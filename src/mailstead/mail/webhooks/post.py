"""One attempt to deliver to a webhook."""

import ssl
from collections.abc import Callable, Sequence

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.webhook import WebhookSettings
from mailstead.foundation.dns.resolving import Resolving
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.http.request import HttpRequest, send_request
from mailstead.foundation.net.http.url import parse_url
from mailstead.foundation.net.reach import Reach
from mailstead.mail.webhooks.signature import signature_headers

_ANSWER_LIMIT = 64 * 1024
_WORDS_LIMIT = 200
_FOR_LATER = (408, 409, 425, 429)  # of the 400s, what may be different the next time


class HookAnswer(msgspec.Struct, frozen=True):
    """What came of an attempt; `status` is 0 when there was no answer. `is_final`: another attempt does not help."""

    is_delivered: bool
    is_final: bool
    status: int
    text: str


class Hooks:
    """Posts to webhooks. `context` gives the TLS context that verifies hosts."""

    def __init__(
        self, resolver: Resolving, context: Callable[[], ssl.SSLContext], settings: WebhookSettings, clock: Clock
    ) -> None:
        self._reach = Reach(resolver, settings.private_networks)
        self._context = context
        self._settings = settings
        self._clock = clock

    async def post(self, url: str, key: bytes, body: Sequence[bytes], *, identifier: str) -> HookAnswer:
        """POST a JSON `body` (in pieces), signed with `key`; `identifier` is the same for all attempts. Raises nothing.

        Delivered is what is answered with 200 to 299. A redirect, and what the 400s say but for busy and slow, is final.
        """
        try:
            target = parse_url(url)
            if not target.is_secure and not self._settings.plain_http:
                return HookAnswer(False, True, 0, "Webhooks are delivered over https only")
            addresses = await self._reach.addresses(target.host)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Mailstead",
                **signature_headers(key, body, identifier=identifier, now=self._clock.now()),
            }
            answer = await send_request(
                HttpRequest(
                    method="POST", host=target.host, port=target.port, path=target.path, headers=headers, body=body
                ),
                addresses,
                self._context() if target.is_secure else None,
                timeout=self._settings.timeout,
                size_limit=_ANSWER_LIMIT,
            )
        except TimeoutError:
            return HookAnswer(False, False, 0, f"No answer within {self._settings.timeout:g} s")
        except OSError as error:
            return HookAnswer(False, False, 0, f"No connection: {error}")
        except MailsteadError as error:
            return HookAnswer(False, not error.temporary, 0, str(error))
        words = " ".join(answer.body[: 4 * _WORDS_LIMIT].decode("utf-8", "replace").split())[:_WORDS_LIMIT]
        text = f"HTTP {answer.status} {words}".rstrip()
        if 200 <= answer.status < 300:
            return HookAnswer(True, True, answer.status, text)
        if 300 <= answer.status < 400:
            return HookAnswer(False, True, answer.status, f"HTTP {answer.status}, and redirects are not followed")
        final = 400 <= answer.status < 500 and answer.status not in _FOR_LATER
        return HookAnswer(False, final, answer.status, text)
