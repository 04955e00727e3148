"""What went wrong, in the reader's language. The texts are made where the errors are, in English; here they are named
for the catalogs, those with names and numbers inside as forms."""

import re

from mailstead.interfaces.web.language import Language


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


TEXTS = frozenset(
    (
        _("A backup is being made, verified or restored already"),
        _("A certificate and its key are two files in PEM"),
        _("A day is written as 2026-12-31"),
        _("A name is one line of text"),
        _("A quota is a whole number of megabytes"),
        _("A recipient is needed"),
        _("A rule's texts are one line each"),
        _("A vacation ends after it begins"),
        _("A vacation reply needs a text"),
        _("Already exists"),
        _("An address or the subject cannot be written into a message"),
        _("An alias without a mailbox needs forwarding targets"),
        _("At most 20 browsers are told of new mail"),
        _("Authentication failed"),
        _("Certificates are being obtained already"),
        _("Changed in the meantime"),
        _("Choose a file first"),
        _("Choose a provider and give its key"),
        _("Choose messages or a folder first"),
        _("Credentials are taken over HTTPS only"),
        _("Give a key: a file, or its text"),
        _("Invalid value"),
        _("Limit reached"),
        _("Log in with the account password to see this"),
        _("Mail waits 0 to 3600 seconds"),
        _("Mailbox exists"),
        _("Mailbox is busy"),
        _("Mailbox is damaged"),
        _("Mailbox is full"),
        _("Mailbox names have no control characters"),
        _("No message waits to be sent as that"),
        _("No such mailbox"),
        _("Nobody takes the role from himself"),
        _("Not a mailbox name"),
        _("Not a valid address"),
        _("Not allowed"),
        _("Not found"),
        _("Only those who administer the domain may make this alias"),
        _("Rate limit exceeded"),
        _("Other imports or exports of this mailbox are under way"),
        _("Refused"),
        _("Something went wrong on this server"),
        _("Temporarily unavailable"),
        _("The active script cannot be removed: make another one active, or none"),
        _("The answer is one of 250, 450 and 550"),
        _("The code is wrong"),
        _("The file is too large"),
        _("The host has no address"),
        _("The host's address is not a public one"),
        _("The import or export is not in a state for this"),
        _("The current password is wrong"),
        _("The day's sending limit is used up"),
        _("The domain may not send to others yet"),
        _("The last key of a mailbox cannot be removed"),
        _("The list names an address that is none"),
        _("The mailbox is locked: give a current password or the recovery code"),
        _("The message has no From field with an address"),
        _("The message is not there any more"),
        _("The message is to be sent too far in the future"),
        _("The message is too large"),
        _("The message was sent already"),
        _("The other server does not answer"),
        _("The passkey was not accepted"),
        _("The recipient is on the suppression list"),
        _("The request is too long"),
        _("The request names no address"),
        _("The rule is not complete"),
        _("The time to come back at is past, or more than two years away"),
        _("The time to send at is past, or more than a year away"),
        _("The backup is damaged"),
        _("There is a second factor already"),
        _("There is no such invite, or it has ended"),
        _("There is no second factor that waits to be proved"),
        _("This cannot be done with messages"),
        _("This is being done already"),
        _("This cannot be done with queued mail"),
        _("This cannot be done with scripts"),
        _("This cannot be done with users"),
        _("This form was not sent from a page of this server. Go back, reload the page and try again."),
        _("This is no message's number"),
        _("This is no time to come back at"),
        _("This is no time to send at"),
        _("This link is no longer valid. Start the server again for a new one."),
        _("This mailbox cannot be deleted"),
        _("Too many failed logins, try again later"),
        _("You may not send as this address"),
    )
)
FORMS = (
    _("Another mailbox is {} already"),
    _("At most {} forwarding targets"),
    _("At most {} passkeys"),
    _("At most {} passwords"),
    _("At most {} recipients"),
    _("At most {} rules"),
    _("At most {} tokens"),
    _("Each sender is answered once in 1 to {} days"),
    _("The folder {} cannot be made: {}"),
    _("The name {} is taken"),
    _("The password needs {} characters or more"),
    _("There are at most {} scripts"),
    _("There is a user {} already"),
    _("There is an alias {} already"),
    _("There is no alias {}"),
    _("There is no domain {} here"),
    _("There is no user {}"),
    _("{} has no mailbox"),
    _("{} is a member already"),
    _("{} is locked already"),
    _("{} has no password {}"),
    _("{} is served already"),
    _("{} owns {}: give them to somebody else first (domain set --owner)"),
    _("{}: not an address"),
)
"""`{}` stands for a name, a number or a reason; the first form that fits counts."""

_FORMS = tuple((re.compile(re.escape(form).replace(r"\{\}", "(.+)")), form) for form in FORMS)


def told(language: Language, text: str) -> str:
    """The text in the language; as it stands when nobody translated it."""
    if text in TEXTS:
        return language.gettext(text)
    for pattern, form in _FORMS:
        found = pattern.fullmatch(text)
        if found is not None:
            return language.gettext(form).format(*found.groups())
    return language.gettext(text)
