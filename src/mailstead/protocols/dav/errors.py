"""What a request is refused with: an HTTP status and, where a standard names one, a precondition as DAV:error."""

from mailstead.foundation.errors import PermanentError
from mailstead.protocols.dav.names import DECLARATIONS
from mailstead.protocols.dav.xml.writer import element


class DavError(PermanentError):
    """A refusal (RFC 4918 §16); `condition` is the precondition's name, `content` the XML within it."""

    def __init__(
        self,
        status: int,
        text: str,
        condition: str = "",
        content: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        closes: bool = False,
    ) -> None:
        super().__init__(text)
        self.http_status = status
        self.condition = condition
        self.content = content
        self.headers = headers
        self.closes = closes  # what is left of the request is not read

    def document(self) -> bytes:
        """The answer's content, empty when no precondition is named."""
        if not self.condition:
            return b""
        body = element(self.condition, self.content)
        return f'<?xml version="1.0" encoding="utf-8"?>\n<D:error{DECLARATIONS}>{body}</D:error>\n'.encode()
