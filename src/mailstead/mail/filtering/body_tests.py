"""Tests of what follows the header: body, size."""

from collections.abc import Iterator

from mailstead.formats.message.charset import decode
from mailstead.formats.message.html import html_to_text
from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_content
from mailstead.formats.message.structure import MESSAGE_TYPES
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.run import Run


def size(run: Run, operation: Operation) -> bool:
    """RFC 5228 §5.9."""
    limit: int = operation.values["limit"]
    octets = run.message.size
    if run.root:
        part = run.message.part(run.root)
        octets = part.body_end - part.header_start
    return octets > limit if operation.values["relation"] == "over" else octets < limit


def body(run: Run, operation: Operation) -> bool:
    """RFC 5173; never sets match variables (§6)."""
    transform = operation.values.get("transform", "text")
    if transform == "raw":
        sources = iter((_raw(run),))
    elif transform == "content":
        wanted = tuple(text.lower() for text in run.texts(operation, "content"))
        sources = _of_types(run, wanted)
    else:
        sources = _texts(run)
    return run.matches(operation, sources, run.texts(operation, "keys"), keep_match=False)


def _raw(run: Run) -> str:
    limit = run.settings.body_limit
    if run.root:
        part = run.message.part(run.root)
        return decode(run.message.raw[part.body_start : min(part.body_end, part.body_start + limit)])
    return decode(run.message.body(limit))


def _numbers(run: Run) -> list[int]:
    return [run.root, *run.message.children(run.root)]


def part_text(run: Run, number: int) -> str:
    """A leaf's content as text, markup left out, at most the limit."""
    part = run.message.part(number)
    end = min(part.body_end, part.body_start + run.settings.body_limit)
    octets = decode_content(run.message.raw[part.body_start : end], part.encoding)
    text = decode(octets, part.charset)
    return html_to_text(text) if part.type == "text/html" else text


def _texts(run: Run) -> Iterator[str]:
    """RFC 5173 §5.3: all text parts, decoded."""
    left = run.settings.body_limit
    for number in _numbers(run):
        if run.message.part(number).type.startswith("text/") and left > 0:
            text = part_text(run, number)[:left]
            left -= len(text)
            yield text


def _is_wanted(part: Part, wanted: tuple[str, ...]) -> bool:
    """RFC 5173 §5.2: a type with "/" is one type, without it a whole main type, "" everything."""
    main = part.type.partition("/")[0]
    return any(text in ("", part.type, main) for text in wanted)


def _of_types(run: Run, wanted: tuple[str, ...]) -> Iterator[str]:
    """RFC 5173 §5.2: leaves decoded but not stripped of markup; of multiparts what stands outside their parts."""
    left = run.settings.body_limit
    for number in _numbers(run):
        part = run.message.part(number)
        if left <= 0 or not _is_wanted(part, wanted):
            continue
        raw = run.message.raw
        if part.is_multipart:
            text = _around(run, number)
        elif part.type in MESSAGE_TYPES:
            inner = next(iter(run.message.children(number)), None)
            end = part.body_end if inner is None else run.message.part(inner).body_start
            text = decode(raw[part.body_start : min(end, part.body_start + left)])
        else:
            content = raw[part.body_start : min(part.body_end, part.body_start + left)]
            text = decode(decode_content(content, part.encoding), part.charset)
        left -= len(text)
        yield text[: run.settings.body_limit]


def _around(run: Run, number: int) -> str:
    """The prologue and epilogue of a multipart."""
    part = run.message.part(number)
    inside = run.message.nearest(number)
    if not inside:
        return ""
    before = run.message.raw[part.body_start : run.message.part(inside[0]).header_start]
    after = run.message.raw[run.message.part(inside[-1]).body_end : part.body_end]
    prologue = before.rpartition(b"--")[0]
    epilogue = after.partition(b"--")[2].partition(b"--")[2]
    return decode(prologue) + decode(epilogue)
