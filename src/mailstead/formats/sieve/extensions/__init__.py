"""All extensions in one table; commands, tests and tags are looked up in what it makes of them."""

from mailstead.formats.sieve.extensions import answering, filing, language, messages, programming
from mailstead.formats.sieve.extensions.registry import Registry

REGISTRY = Registry(
    (
        language.BASE,
        language.FILEINTO,
        language.ENVELOPE,
        language.ENCODED_CHARACTER,
        *language.COMPARATORS,
        filing.REJECT,
        filing.EREJECT,
        filing.COPY,
        filing.IMAP4FLAGS,
        filing.MAILBOX,
        filing.SPECIAL_USE,
        filing.FCC,
        messages.BODY,
        messages.DATE,
        messages.INDEX_EXTENSION,
        messages.RELATIONAL,
        messages.REGEX,
        messages.SUBADDRESS,
        messages.EDITHEADER,
        messages.MIME_EXTENSION,
        messages.FOREVERYPART,
        messages.EXTRACTTEXT,
        messages.REPLACE,
        messages.ENCLOSE,
        messages.SPAMTEST,
        messages.SPAMTESTPLUS,
        messages.VIRUSTEST,
        answering.VACATION,
        answering.VACATION_SECONDS,
        answering.ENOTIFY,
        answering.DUPLICATE,
        programming.VARIABLES,
        programming.INCLUDE,
        programming.EXTLISTS,
        programming.ENVIRONMENT,
        programming.IHAVE,
    )
)
