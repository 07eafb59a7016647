"""Which articles: `year>=2010`, `words=osteosarcoma`; by what is found in them, `diagnosis=sarcoma`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from caseframe.errors import ConfigError
from caseframe.schema import Article
from caseframe.tables.choosing import CHOOSABLE, FindingCondition, parse_finding_condition

_CONDITION = re.compile(r"\s*(?P<key>[a-z_]+)\s*(?P<op>>=|<=|!=|=|>|<)\s*(?P<value>.+?)\s*\Z")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}
_TEXT_KEYS: dict[str, Callable[[Article], Iterable[str]]] = {
    "type": lambda article: article.publication_types,
    "language": lambda article: (article.language,),
    "journal": lambda article: (article.journal,),
    "mesh": lambda article: (heading.descriptor for heading in article.mesh),
    "keyword": lambda article: article.keywords,
    "pmid": lambda article: (article.pmid,),
}
KEYS = ("year", "words", *_TEXT_KEYS)


@dataclass(frozen=True)
class Condition:
    """One condition on an article."""

    key: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}{self.op}{self.value}"

    def __call__(self, article: Article) -> bool:
        """Whether the article meets it. Values compare whole, without regard to case; `words` looks into the text."""
        if self.key == "year":
            return article.year is not None and _COMPARE[self.op](article.year, int(self.value))
        if self.key == "words":
            pattern = rf"(?<!\w){re.escape(self.value)}(?!\w)"
            return bool(re.search(pattern, article.text, re.IGNORECASE)) == (self.op == "=")
        values = {value.casefold() for value in _TEXT_KEYS[self.key](article)}
        return (self.value.casefold() in values) == (self.op == "=")


def parse_condition(text: str) -> Condition:
    """Reads one condition; raises ConfigError for an unknown key, operator or value."""
    match = _CONDITION.match(text)
    if not match or match["key"] not in KEYS:
        raise ConfigError(
            f"condition {text!r}", f"Write KEY=VALUE, KEY one of {', '.join((*KEYS, *CHOOSABLE))}, e.g. year>=2010"
        )
    key, op, value = match["key"], match["op"], match["value"]
    if key == "year":
        if not value.isascii() or not value.isdigit():
            raise ConfigError(f"condition {text!r}: the year is no number", "Write e.g. year>=2010")
    elif op not in ("=", "!="):
        raise ConfigError(f"condition {text!r}: {key} takes = or !=", f"Write e.g. {key}={value}")
    return Condition(key, op, value)


def parse_conditions(texts: Iterable[str]) -> tuple[list[Condition], list[FindingCondition]]:
    """Reads conditions: those on articles, met before anything is extracted, and those on what is found.

    Raises ConfigError for an unknown key, operator or value.
    """
    on_articles: list[Condition] = []
    on_findings: list[FindingCondition] = []
    for text in texts:
        match = _CONDITION.match(text)
        if match and match["key"] in CHOOSABLE:
            on_findings.append(parse_finding_condition(text))
        else:
            on_articles.append(parse_condition(text))
    return on_articles, on_findings
