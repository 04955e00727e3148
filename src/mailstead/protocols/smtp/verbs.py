"""All verbs in one table, and those that each kind of session has."""

from mailstead.protocols.smtp import authentication, envelope, hello, message, query
from mailstead.protocols.smtp.roles.role import Verb

_COMMON: dict[str, Verb] = {
    "MAIL": envelope.mail,
    "RCPT": envelope.rcpt,
    "DATA": message.data,
    "BDAT": message.bdat,
    "RSET": query.rset,
    "NOOP": query.noop,
    "QUIT": query.quit_,
    "HELP": query.help_,
    "VRFY": query.vrfy,
    "EXPN": query.expn,
    "STARTTLS": hello.starttls,
}
SMTP_VERBS: dict[str, Verb] = {"EHLO": hello.ehlo, "HELO": hello.helo} | _COMMON
SUBMISSION_VERBS: dict[str, Verb] = SMTP_VERBS | {"AUTH": authentication.auth}
LMTP_VERBS: dict[str, Verb] = {"LHLO": hello.ehlo} | _COMMON
