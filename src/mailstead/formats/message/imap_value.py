"""Stored response data read back: ENVELOPE and the like as nested lists (RFC 9051 §7.5.2).

value = "(" *(value) ")" / quoted / literal / "NIL" / number
"""

import re
from typing import TypeAlias

Value: TypeAlias = "bytes | list[Value] | None"

_TOKEN = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|(NIL)|(\d+))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def read_value(data: bytes) -> Value:
    """One value. `data` is what this house wrote: ValueError for anything else."""
    stack: list[list[Value]] = [[]]
    place = 0
    while place < len(data):
        found = _TOKEN.match(data, place)
        if found is None:
            raise ValueError("no response data")
        place = found.end()
        match found.lastindex:
            case 1:
                stack.append([])
            case 2:
                done = stack.pop()
                stack[-1].append(done)
            case 3:
                stack[-1].append(_ESCAPED.sub(rb"\1", found[3]))
            case 4:
                end = place + int(found[4])
                stack[-1].append(data[place:end])
                place = end
            case 5:
                stack[-1].append(None)
            case _:
                stack[-1].append(found[6])
    if len(stack) != 1 or len(stack[0]) != 1:
        raise ValueError("no response data")
    return stack[0][0]
