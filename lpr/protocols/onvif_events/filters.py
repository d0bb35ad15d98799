"""Which events a subscriber wants: topic expressions and message content filters. Pure.

Source: ONVIF Core 9.5.5 ("Message Content Filter", the grammar of the dialect ItemFilter) and 9.6.3 ("Topic Filter",
the dialect ConcreteSet), WS-Topics 1.3 (the dialect Concrete). Bounded: the length of an expression, the number of its
tests and how deep it is nested. May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

X = TypeVar("X")

CONCRETE: Final = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
CONCRETE_SET: Final = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
ITEM_FILTER: Final = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"
TOPICS_NAMESPACE: Final = "http://www.onvif.org/ver10/topics"
MAX_LENGTH: Final = 4096
MAX_TESTS: Final = 64
MAX_DEPTH: Final = 16
MAX_PATHS: Final = 64

Reason: TypeAlias = Literal["dialect", "malformed", "not supported", "content"]


class FilterError(ValueError):
    """``reason``: "dialect" (of a topic expression) is unknown, the expression is "malformed", its topics are "not
    supported", or the message "content" filter can't be taken. The text is for people."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a message, from whichever group. ``value``: None for an ElementItem."""

    name: str
    value: str | None


Topic: TypeAlias = tuple[str, ...]
"""Names from the root, the first with its namespace: ("{http://…/topics}RuleEngine", "Recognition", …)."""

Items: TypeAlias = Sequence[Item]


@dataclass(frozen=True, slots=True)
class Filter:
    """What passes all of ``tests`` is wanted; none: everything is."""

    tests: tuple[Callable[[Topic, Items], bool], ...] = ()

    def wants(self, topic: Topic, items: Items) -> bool:
        """Whether a message is wanted."""
        return all(test(topic, items) for test in self.tests)

    def both(self, other: Filter) -> Filter:
        """What passes this and ``other``."""
        return Filter(self.tests + other.tests)


# --- topics --------------------------------------------------------------------------------------------


def topic_of(text: str, namespaces: Mapping[str, str] | None = None) -> Topic:
    """``tns1:RuleEngine/…`` as a topic. ``namespaces``: prefix -> namespace; "tns1" is known without. Raises
    FilterError."""
    names = text.split("/")
    if not all(_NAME.fullmatch(name) for name in names):
        raise FilterError("malformed", f"{text[:80]!r} is no topic")
    prefix, colon, root = names[0].rpartition(":")
    known = {"tns1": TOPICS_NAMESPACE, **(namespaces or {})}
    namespace = known.get(prefix) if colon else known.get("", "")
    if namespace is None:
        raise FilterError("malformed", f"the prefix {prefix[:32]} of a topic is not declared")
    return f"{{{namespace}}}{root}", *(name.rpartition(":")[2] for name in names[1:])


_NAME = re.compile(r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*")


def topic_filter(text: str, dialect: str, namespaces: Mapping[str, str], offered: Collection[Topic]) -> Filter:
    """The filter of a TopicExpression. ``offered``: the topics that there are. Raises FilterError."""
    if dialect not in (CONCRETE, CONCRETE_SET):
        raise FilterError(
            "dialect", f"the topic dialect {dialect[:128]!r} is not known; there are {CONCRETE_SET} and {CONCRETE}"
        )
    if len(text) > MAX_LENGTH:
        raise FilterError("malformed", f"the topic expression is longer than {MAX_LENGTH} characters")
    paths = ["".join(path.split()) for path in text.split("|")]
    if len(paths) > MAX_PATHS or (dialect == CONCRETE and len(paths) > 1):
        raise FilterError("malformed", "the topic expression has too many paths")
    wanted: list[tuple[Topic, bool]] = []
    for path in paths:
        subtree = path.endswith("//.")
        if subtree and dialect == CONCRETE:
            raise FilterError("malformed", "the dialect Concrete has no sub-trees")
        wanted.append((topic_of(path.removesuffix("//."), namespaces), subtree))

    def test(topic: Topic, items: Items) -> bool:
        del items
        return any(topic[: len(path)] == path if subtree else topic == path for path, subtree in wanted)

    if not any(test(topic, ()) for topic in offered):
        raise FilterError("not supported", f"there are no events of the topic {text.strip()[:128]!r} here")
    return Filter((test,))


# --- content -------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:(?P<path>//\s*(?:[A-Za-z_][\w.-]*:)?(?:SimpleItem|ElementItem))|(?P<attribute>@(?:Name|Value))"""
    r"""|(?P<text>"[^"]*"|'[^']*')|(?P<word>and|or|not|boolean)\b|(?P<sign>[()\[\]=]))"""
)
_Test: TypeAlias = Callable[[Items], bool]
_ItemTest: TypeAlias = Callable[[Item], bool]


def content_filter(text: str, dialect: str) -> Filter:
    """The filter of a MessageContent expression, ``boolean(//tt:SimpleItem[@Name="…" and @Value="…"])`` and so on.

    Raises FilterError.
    """
    if dialect != ITEM_FILTER:
        raise FilterError("content", f"the content dialect {dialect[:128]!r} is not known; there is {ITEM_FILTER}")
    parser = _Parser(_tokens(text))
    found = parser.expression(0)
    parser.end()

    def test(topic: Topic, items: Items) -> bool:
        del topic
        return found(items)

    return Filter((test,))


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > MAX_LENGTH:
        raise FilterError("content", f"the content filter is longer than {MAX_LENGTH} characters")
    text = text.strip().translate(_QUOTES)
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(
                "content", f"the content filter is not understood from {text[position : position + 40]!r} on"
            )
        assert match.lastgroup is not None
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


_QUOTES = str.maketrans({"“": '"', "”": '"'})
"""ONVIF's own examples are printed with these."""


class _Parser:
    """The grammar of ItemFilter by recursive descent; "and" binds more than "or"."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._tests = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise FilterError("content", f"the content filter goes on with {self._tokens[self._at][1][:40]!r}")

    def expression(self, depth: int) -> _Test:
        return self._joined(depth, self._primary)

    def _joined(self, depth: int, part: Callable[[int], Callable[[X], bool]]) -> Callable[[X], bool]:
        if depth > MAX_DEPTH:
            raise FilterError("content", f"the content filter is nested more than {MAX_DEPTH} deep")
        choices: list[list[Callable[[X], bool]]] = [[part(depth)]]
        while (word := self._word("and", "or")) is not None:
            if word == "or":
                choices.append([])
            choices[-1].append(part(depth))

        def joined(thing: X) -> bool:
            return any(all(test(thing) for test in choice) for choice in choices)

        return joined

    def _primary(self, depth: int) -> _Test:
        if self._word("not") is not None:
            inner = self._enclosed("(", ")", lambda: self.expression(depth + 1))
            return lambda items: not inner(items)
        if self._word("boolean") is not None:
            return self._enclosed("(", ")", self._path)
        return self._enclosed("(", ")", lambda: self.expression(depth + 1))

    def _path(self) -> _Test:
        kind, text = self._next()
        if kind != "path":
            raise FilterError("content", f"the content filter has {text[:40]!r} where //tt:SimpleItem is expected")
        simple = text.endswith("SimpleItem")
        test = self._enclosed("[", "]", lambda: self._joined(1, self._attribute))
        return lambda items: any((item.value is not None) == simple and test(item) for item in items)

    def _attribute(self, depth: int) -> _ItemTest:
        if self._word("not") is not None:
            inner = self._enclosed("(", ")", lambda: self._joined(depth + 1, self._attribute))
            return lambda item: not inner(item)
        if self._peek() == ("sign", "("):
            return self._enclosed("(", ")", lambda: self._joined(depth + 1, self._attribute))
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise FilterError("content", f"the content filter has more than {MAX_TESTS} tests")
        (kind, attribute), (_, sign), (text_kind, text) = self._next(), self._next(), self._next()
        if kind != "attribute" or sign != "=" or text_kind != "text":
            raise FilterError("content", 'the content filter needs tests like @Name="…"')
        value = text[1:-1]
        if attribute == "@Name":
            return lambda item: item.name == value
        return lambda item: item.value == value

    def _enclosed(self, opening: str, closing: str, inner: Callable[[], X]) -> X:
        self._expect(opening)
        found = inner()
        self._expect(closing)
        return found

    def _expect(self, sign: str) -> None:
        kind, text = self._next()
        if (kind, text) != ("sign", sign):
            raise FilterError("content", f"the content filter has {text[:40]!r} where {sign} is expected")

    def _word(self, *words: str) -> str | None:
        kind, text = self._peek()
        if kind == "word" and text in words:
            self._at += 1
            return text
        return None

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "its end")

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self._at += 1
        return found
