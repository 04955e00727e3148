"""Threads of messages (RFC 5256 §3), made from what the store knows of them; pure."""

import re
from collections.abc import Callable, Iterator, Sequence

from mailstead.stores.mailbox.search.ancestry import Threaded

_REPLY = re.compile(r"(?:\[[^\[\]]*\]\s*)*(?:re|fwd?)\s*(?:\[[^\[\]]*\]\s*)?:|\[fwd:|.*\(fwd\)\s*\Z", re.DOTALL)


class Node:
    """A message in its thread; without one a dummy."""

    __slots__ = ("children", "message", "parent")

    def __init__(self, message: Threaded | None = None) -> None:
        self.message = message
        self.parent: Node | None = None
        self.children: list[Node] = []

    def adopt(self, child: "Node") -> None:
        """Make `child` this one's, whoever had it."""
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def comes_from(self, other: "Node") -> bool:
        """Whether `other` is this one or stands above it."""
        if not other.children:
            return self is other
        node: Node | None = self
        while node is not None:
            if node is other:
                return True
            node = node.parent
        return False

    @property
    def shown(self) -> Threaded:
        """The message, or a dummy's first child's."""
        return self.message if self.message is not None else self.children[0].shown


def _moment(node: Node) -> tuple[int, int]:
    return node.shown.date, node.shown.uid


def ordered_subject(messages: Sequence[Threaded]) -> list[Node]:
    """ORDEREDSUBJECT: one thread for each base subject, by date, the first message above all others."""
    by_subject: dict[str, list[Threaded]] = {}
    for message in sorted(messages, key=lambda message: (message.date, message.uid)):
        by_subject.setdefault(message.base, []).append(message)
    roots = []
    for first, *others in by_subject.values():
        root = Node(first)
        for other in others:
            root.adopt(Node(other))
        roots.append(root)
    return roots


def by_references(messages: Sequence[Threaded]) -> list[Node]:
    """REFERENCES: threads by what messages answer to, then by subject."""
    roots = _pruned(_linked(messages))
    for root in roots:
        root.children.sort(key=_moment)
    roots.sort(key=_moment)
    roots = _gathered(roots)
    for root in roots:
        _sort_below(root)
    return sorted(roots, key=_moment)


def _linked(messages: Sequence[Threaded]) -> list[Node]:
    """Steps 1 and 2: everything linked to what it answers to; the nodes that have nobody above them."""
    nodes: dict[str, Node] = {}
    own: list[Node] = []
    for message in messages:
        node = nodes.get(message.identifier) if message.identifier else None
        if node is None or node.message is not None:  # without an identifier, or with one that another message has
            fresh = Node(message)
            if node is None and message.identifier:
                nodes[message.identifier] = fresh
            node = fresh
        else:
            node.message = message
        own.append(node)
        above: Node | None = None
        for identifier in message.ancestors:
            ancestor = nodes.get(identifier)
            if ancestor is None:
                ancestor = nodes[identifier] = Node()
            if above is not None and ancestor.parent is None and not above.comes_from(ancestor):
                above.adopt(ancestor)
            above = ancestor
        if above is None:
            if node.parent is not None:
                node.parent.children.remove(node)
                node.parent = None
        elif not above.comes_from(node):
            above.adopt(node)
    every = dict.fromkeys([*own, *nodes.values()])
    return [node for node in every if node.parent is None]


def _pruned(roots: list[Node]) -> list[Node]:
    """Step 3: dummies go; under the root one stays where it has several children."""
    kept: list[Node] = []
    for root in roots:
        for node in _below_first(root):
            _splice(node)
        if root.message is not None or len(root.children) > 1:
            kept.append(root)
        elif root.children:
            child = root.children[0]
            child.parent = None
            kept.append(child)
    return kept


def _below_first(root: Node) -> list[Node]:
    """The node and all below it, those below before those above; without recursion, for threads are deep."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.children
    return found[::-1]


def _splice(node: Node) -> None:
    """Put the children of dummies among the node's children in their place; dummies without children go."""
    spliced: list[Node] = []
    for child in node.children:
        if child.message is not None:
            spliced.append(child)
            continue
        for grandchild in child.children:
            grandchild.parent = node
        spliced += child.children
    node.children = spliced


def _is_reply(node: Node) -> bool:
    return node.message is not None and bool(_REPLY.match(node.message.subject.strip()))


def _gathered(roots: list[Node]) -> list[Node]:
    """Step 5: threads of one base subject become one."""
    table: dict[str, Node] = {}
    for root in roots:
        subject = root.shown.base
        held = table.get(subject) if subject else None
        replaces = (
            held is not None
            and held.message is not None
            and (root.message is None or (_is_reply(held) and not _is_reply(root)))
        )
        if subject and (held is None or replaces):
            table[subject] = root
    gone: set[Node] = set()
    made: list[Node] = []
    for root in roots:
        held = table.get(root.shown.base) if root.shown.base else None
        if held is None or held is root:
            continue
        if held.message is None and root.message is None:
            for child in list(root.children):
                held.adopt(child)
        elif held.message is None or (_is_reply(root) and not _is_reply(held)):
            held.adopt(root)
        else:
            base = root.shown.base
            dummy = Node()
            gone.add(held)
            dummy.adopt(held)
            dummy.adopt(root)
            table[base] = dummy
            made.append(dummy)
        gone.add(root)
    return [root for root in roots if root not in gone] + [dummy for dummy in made if dummy.parent is None]


def _sort_below(root: Node) -> None:
    """Step 6: siblings by date, the youngest set first."""
    for node in _below_first(root):
        node.children.sort(key=_moment)


ALGORITHMS: dict[str, Callable[[Sequence[Threaded]], list[Node]]] = {
    "ORDEREDSUBJECT": ordered_subject,
    "REFERENCES": by_references,
}


def thread_list(roots: Sequence[Node], number: Callable[[int], int]) -> bytes:
    """The threads as the THREAD response shows them (RFC 5256 §5): chains flat, branches in parentheses."""
    pieces: list[bytes] = []
    # What is still to be written: a node in its parentheses, or octets
    waiting: list[Node | bytes] = [piece for root in reversed(roots) for piece in (b")", root, b"(")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, bytes):
            pieces.append(item)
            continue
        pieces += _chain(item, number)
        last = _end(item)
        if last.children:
            branches = [piece for child in reversed(last.children) for piece in (b")", child, b"(")]
            if last.message is not None:
                pieces.append(b" ")
            waiting += branches
    return b"".join(pieces)


def _end(node: Node) -> Node:
    while len(node.children) == 1 and node.message is not None:
        node = node.children[0]
    return node


def _chain(node: Node, number: Callable[[int], int]) -> Iterator[bytes]:
    if node.message is None:
        return
    yield b"%d" % number(node.message.uid)
    while len(node.children) == 1:
        node = node.children[0]
        assert node.message is not None, "dummies stand under the root only"
        yield b" %d" % number(node.message.uid)
