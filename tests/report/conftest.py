"""Invented cases for reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from caseframe.schema import Article, Attributes, Case, Extraction, Finding

TEXT = (
    "A {age}-year-old woman underwent hemisacrectomy for osteosarcoma of the sacrum. A titanium plate was placed. "
    "Infection was denied; local recurrence was seen later, and she was followed up for a time."
)
MakeCase = Callable[..., Extraction]


@pytest.fixture(scope="session")
def make_case() -> MakeCase:
    """An article with one patient: `recurred` and `failed` are months, `follow_up` too; None leaves a field out."""

    def make(
        pmid: int = 1,
        *,
        title: str = "Sacral osteosarcoma",
        age: float | None = 40,
        follow_up: float | None = None,
        recurred: float | None = None,
        recurrence: str | None = None,
        failed: float | None = None,
        year: int | None = 2015,
        text: str = TEXT,
        kind: str = "patient",
    ) -> Extraction:
        article = Article.build(
            title=title, abstract=[("Case", text.format(age=age))], pmid=str(pmid), year=year, journal="J Test"
        )

        def find(field: str, value: object, words: str, assertion: str = "present", **rest: object) -> Finding:
            start = article.text.find(words)
            begin = article.text.rfind(". ", 0, start) + 2 if ". " in article.text[:start] else start
            end = article.text.find(".", start) + 1 or len(article.text)
            sentence = article.text[begin:end]
            return Finding(
                field, value, words, start, start + len(words), assertion, sentence=sentence, section="Case", **rest
            )  # type: ignore[arg-type]

        findings = [
            find("sex", "female", "woman", confidence=0.99),
            find("diagnosis", "osteosarcoma", "osteosarcoma", code="ICDO3:9180/3", confidence=0.9),
            find("site", "sacrum", "sacrum", confidence=0.8),
            find("procedure", "hemisacrectomy", "hemisacrectomy", attributes=Attributes({"category": "resection"})),
            find("implant", "plate", "titanium plate", attributes=Attributes({"material": ("titanium",)})),
            find("complication", "infection", "Infection was denied", "absent", confidence=0.4),
        ]
        if age is not None:
            findings.append(find("age", age, f"{age}-year-old", unit="year"))
        if follow_up is not None:
            findings.append(find("follow_up", follow_up, "followed up", unit="month"))
        if recurrence or recurred is not None:
            days = None if recurred is None else recurred * 365 / 12
            findings.append(
                find("recurrence", "local recurrence", "local recurrence", recurrence or "present", when_days=days)
            )
        if failed is not None:
            findings.append(find("complication", "loosening", "plate", when_days=failed * 365 / 12))
        design = find("study_design", "case_report", "woman")
        return Extraction(article, (design,), (Case(1, kind, tuple(findings)),))  # type: ignore[arg-type]

    return make
