"""ENVELOPE and BODYSTRUCTURE in a form in which two servers can be compared.

Left out of the comparison, because servers may differ and clients do not care: the case of letters, the order of
parameters, a charset that is only the default, runs of white space (Dovecot joins what folding left), whether one language
is a string or a list.
"""

from support.dovecot_imap import Value

_DEFAULT = (b"charset", b"us-ascii")


def envelope_form(value: Value) -> Value:
    if isinstance(value, list):
        return [envelope_form(one) for one in value]
    return b" ".join(value.lower().split()) if isinstance(value, bytes) else value


def structure_form(body: Value) -> Value:
    """A body: a multipart as [[part, ...], subtype, parameters, ...], else the fields as they come."""
    assert isinstance(body, list)
    if isinstance(body[0], list):
        count = next(number for number, one in enumerate(body) if not isinstance(one, list))
        children: Value = [structure_form(child) for child in body[:count]]
        rest = body[count:]
        return [children, envelope_form(rest[0]), _parameters(rest[1]), *_extension(rest[2:])]
    fields = list(body)
    head: list[Value] = [*map(envelope_form, fields[:2]), _parameters(fields[2]), *map(envelope_form, fields[3:7])]
    tail = fields[7:]
    if fields[0] in (b"message", b"MESSAGE") and tail and isinstance(tail[0], list):
        head += [envelope_form(tail[0]), structure_form(tail[1]), tail[2]]
        tail = tail[3:]
    elif isinstance(fields[0], bytes) and fields[0].lower() == b"text":
        head.append(tail.pop(0))
    return [*head, envelope_form(tail[0]), *_extension(tail[1:])]


def _parameters(value: Value) -> Value:
    if not isinstance(value, list):
        return []
    pairs = [(envelope_form(name), envelope_form(text)) for name, text in zip(value[::2], value[1::2], strict=True)]
    shown: list[Value] = []
    for name, text in sorted(pairs, key=repr):
        if (name, text) != _DEFAULT:
            shown.append([name, text])
    return shown


def _extension(fields: list[Value]) -> list[Value]:
    disposition, language, location = fields
    if isinstance(disposition, list):
        disposition = [envelope_form(disposition[0]), _parameters(disposition[1])]
    if isinstance(language, bytes):
        language = [language]
    return [disposition, envelope_form(language), envelope_form(location)]
