"""Simple messages of the server's own (welcome, notices)."""

from email.message import EmailMessage
from email.policy import SMTP

from mailstead.formats.message.date import format_date


def text_message(*, sender: str, recipient: str, subject: str, text: str, message_id: str, now: float) -> bytes:
    """A message of one plain text, CRLF lines, UTF-8. `message_id` without angle brackets."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = format_date(now)
    message["Message-ID"] = f"<{message_id}>"
    message.set_content(text)
    return message.as_bytes()
