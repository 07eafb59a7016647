"""The codes of a case's findings: each value linked to the concept it means, and the site that its words name beside.

A value that is another way to write a concept's name becomes that name, as where the lexicons list it: one thing is one
row of a pivot table. Any other value stays as it is and gets the code of what it is a kind of. Fields and assertions
never change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from caseframe.fields.sites import site_of_operation
from caseframe.lexicons.linking import POOLS, Linker
from caseframe.schema import Case, Extraction, Finding

# The words right before a finding, none beyond a comma or a bracket; and how sure a link by them is.
_AHEAD = re.compile(r"(?:[\w-]+ )+\Z")
_FAR = 48
_TOLD = 0.9
# Fields whose words can hold a site beside what they name.
_WITH_SITE = frozenset({"diagnosis", "comorbidity", "complication", "procedure"})


def linked(extraction: Extraction, linker: Linker) -> Extraction:
    """The same with the codes of what its findings mean."""
    text = extraction.article.text
    cases = tuple(Case(case.number, case.kind, _linked_all(case.findings, linker, text)) for case in extraction.cases)
    return Extraction(extraction.article, extraction.findings, cases)


def _linked_all(findings: Sequence[Finding], linker: Linker, text: str) -> tuple[Finding, ...]:
    sites = tuple(str(finding.value) for finding in findings if finding.field == "site")
    found = [_exact(_linked(finding, linker, sites), linker, text) for finding in findings]
    if any(new.value != old.value for new, old in zip(found, findings, strict=True)):
        return tuple(_once(found))
    return tuple(found)


def _linked(finding: Finding, linker: Linker, sites: tuple[str, ...]) -> Finding:
    value = finding.value
    if finding.field not in POOLS or not isinstance(value, str):
        return finding
    link = linker.link(finding.field, value, finding.text, sites if finding.field == "diagnosis" else ())
    site = _site_code(finding, linker)
    if finding.code and (link is None or link.how != "placed"):
        # The field module read a code from the words themselves, with what stands before them.
        score = link.score if link is not None and link.code == finding.code else 1.0
        name = link.name if link is not None and link.code == finding.code else value
        return replace(finding, link_name=name, link_score=score, site_code=site)
    if link is None or not link.code:
        known = link.preferred if link is not None else ""
        return replace(finding, value=known or value, site_code=site) if site or known else finding
    return replace(
        finding,
        value=link.preferred or value,
        code=link.code,
        link_name=link.name,
        link_score=link.score,
        site_code=site,
    )


def _exact(finding: Finding, linker: Linker, text: str) -> Finding:
    """A tumor with the code of the kind that the words before it tell: `villous` adenocarcinoma; the value stays."""
    if finding.field != "diagnosis" or not finding.code.startswith("ICDO3:"):
        return finding
    before = _AHEAD.search(text[max(0, finding.start - _FAR) : finding.start])
    found = linker.exacter(finding.code, before[0].lower(), finding.text) if before else None
    return replace(finding, code=found.code, link_name=found.name, link_score=_TOLD) if found else finding


def _site_code(finding: Finding, linker: Linker) -> str:
    """The code of the site in a finding's words, or of what the operation takes out; empty where there is none."""
    if finding.field not in _WITH_SITE:
        return ""
    for name in dict.fromkeys((finding.text, str(finding.value))):
        if (site := linker.site_in(name)) is not None:
            return site.code
    if finding.field == "procedure":
        terms = (site_of_operation(word) for word in str(finding.value).split())
        return next((term.code for term in terms if term is not None), "")
    return ""


def _once(findings: Iterable[Finding]) -> Iterable[Finding]:
    """One finding a field, value and assertion, the surest: two ways to write a name have become one."""
    kept: dict[tuple[object, ...], Finding] = {}
    for place, finding in enumerate(findings):
        key = (finding.field, finding.value, finding.assertion) if finding.field in POOLS else (place,)
        if key not in kept or finding.confidence > kept[key].confidence:
            kept[key] = finding
    return kept.values()
