"""The records that flow through CaseFrame and the registry of the fields it fills.

Every record is immutable. Character offsets always count Unicode code points in `Article.text`, half-open, so that
`article.text[finding.start:finding.end] == finding.text`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Literal, TypeVar, overload

from caseframe import markup

T = TypeVar("T")
AttributeValue = str | int | float | tuple[str, ...]
Assertion = Literal["present", "absent", "possible", "hypothetical", "historical", "family"]
ASSERTIONS: tuple[Assertion, ...] = ("present", "absent", "possible", "hypothetical", "historical", "family")


class Attributes(Mapping[str, AttributeValue]):
    """An immutable, hashable, picklable mapping, in the order of its keys' names."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, AttributeValue] | Iterable[tuple[str, AttributeValue]] = ()) -> None:
        self._items = tuple(sorted(dict(items).items())) if items else ()

    def __getitem__(self, key: str) -> AttributeValue:
        for name, value in self._items:
            if name == key:
                return value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._items])

    def __contains__(self, key: object) -> bool:
        return key in [name for name, _ in self._items]

    @overload
    def get(self, key: str, /) -> AttributeValue | None: ...

    @overload
    def get(self, key: str, /, default: AttributeValue | T) -> AttributeValue | T: ...

    def get(self, key: str, /, default: object = None) -> object:
        """The value of a key, else `default`; without the exception that `Mapping.get` raises and catches."""
        for name, value in self._items:
            if name == key:
                return value
        return default

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __reduce__(self) -> tuple[type[Attributes], tuple[tuple[tuple[str, AttributeValue], ...]]]:
        return (Attributes, (self._items,))

    def __repr__(self) -> str:
        return f"Attributes({dict(self._items)!r})"


NO_ATTRIBUTES = Attributes()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read: file or URL (`!member` in an archive), its number from 1 (0: all of it), the format."""

    file: str
    record: int
    format: str = ""

    def __str__(self) -> str:
        return f"{self.file}, record {self.record}" if self.record else self.file


@dataclass(frozen=True, slots=True)
class Section:
    """A labelled stretch of an article's text; the label is the source's own and is no part of the text."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MeshHeading:
    """A MeSH descriptor with its unique id, whether it is a major topic, and its qualifiers."""

    descriptor: str
    ui: str = ""
    major: bool = False
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherAbstract:
    """A further abstract (another language, a plain-language summary). It is kept but never enters the text."""

    text: str
    language: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """A bibliographic record and its text: title, a newline, abstract, and, where asked for, a newline and the body.

    Make one with `Article.build`, which composes the text and the section offsets.
    """

    article_id: str
    title: str = ""
    abstract: str = ""
    body: str = ""
    sections: tuple[Section, ...] = ()
    pmid: str = ""
    pmcid: str = ""
    doi: str = ""
    version: int = 1
    vernacular_title: str = ""
    other_abstracts: tuple[OtherAbstract, ...] = ()
    authors: tuple[str, ...] = ()
    journal: str = ""
    year: int | None = None
    date: str = ""
    """Publication date as far as known: `2017`, `2017-03`, `2017-03-21`."""
    language: str = ""
    """ISO 639-2 code as PubMed gives it (`eng`); empty where unknown."""
    publication_types: tuple[str, ...] = ()
    mesh: tuple[MeshHeading, ...] = ()
    keywords: tuple[str, ...] = ()
    origin: Origin = Origin("", 0)
    text: str = field(init=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", "\n".join(part for part in (self.title, self.abstract, self.body) if part))

    @property
    def sha256(self) -> str:
        """Hash of the text, UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def build(
        cls,
        *,
        title: str = "",
        abstract: Iterable[tuple[str, str]] = (),
        body: Iterable[tuple[str, str]] = (),
        pmid: str = "",
        pmcid: str = "",
        doi: str = "",
        origin: Origin = Origin("", 0),
        **rest: object,
    ) -> Article:
        """Makes an article from labelled parts `(label, text)`; parts without text are dropped, white space is folded.

        The id is the first there is of `pmid:`, `pmcid:`, `doi:`, else the file and record it came from.
        """
        title = fold_space(title)
        sections: list[Section] = []
        position = len(title) + 1 if title else 0
        joined = []
        for parts in (abstract, body):
            texts = []
            for label, raw in parts:
                text = fold_space(raw)
                if not text:
                    continue
                sections.append(Section(fold_space(label), position, position + len(text)))
                position += len(text) + 1
                texts.append(text)
            joined.append("\n".join(texts))
        given = rest.pop("article_id", "")
        article_id = str(given) or article_id_of(pmid=pmid, pmcid=pmcid, doi=doi, origin=origin)
        return cls(
            article_id=article_id,
            title=title,
            abstract=joined[0],
            body=joined[1],
            sections=tuple(sections),
            pmid=pmid,
            pmcid=pmcid,
            doi=doi,
            origin=origin,
            **rest,  # type: ignore[arg-type]
        )


def fold_space(text: str) -> str:
    """Any run of white space becomes one blank; none at the ends."""
    # Most texts are so already; to see that is quicker than to take them apart.
    if text.isascii() and text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]:
        return text
    return " ".join(text.split())


def article_id_of(*, pmid: str = "", pmcid: str = "", doi: str = "", origin: Origin) -> str:
    """The stable id of an article: its PMID, else PMCID, else DOI, else its place."""
    if pmid:
        return f"pmid:{pmid}"
    if pmcid:
        return f"pmcid:{pmcid}"
    if doi:
        return f"doi:{doi.lower()}"
    return f"{origin.file}#{origin.record}"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A PubMed update file's word that a PMID is withdrawn."""

    article_id: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that could not be read or processed: where, what and why. It ends as a line of `failures.jsonl`."""

    origin: Origin
    stage: Literal["read", "process", "write"]
    error: str
    """Class of the error, e.g. `BrokenRecord`."""
    message: str
    cure: str = ""
    article_id: str = ""


Record = Article | Deletion | Failure
"""What a source yields."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing said of a case, with the words that say it."""

    field: str
    value: str | int | float
    text: str
    start: int
    end: int
    assertion: Assertion = "present"
    code: str = ""
    unit: str = ""
    when_days: float | None = None
    """Days from the index operation (negative is before it)."""
    attributes: Attributes = NO_ATTRIBUTES
    confidence: float = 1.0
    source: str = ""
    """Component and version, e.g. `fields.procedures/0.1.0`."""
    sentence: str = ""
    section: str = ""
    cue: tuple[int, int] | None = None
    """Offsets of the words that decided the assertion, if any ("without")."""
    link_name: str = ""
    """Preferred name of the concept whose code this is: the value's own, or what it is a kind of."""
    link_score: float | None = None
    """How sure the link to that concept is, 0 to 1; None without a code."""
    site_code: str = ""
    """Code of the site that the words name beside what they name: `femoral neck fracture`, `nephrectomy`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One patient, or the cohort of a series, with its findings in the order of the text."""

    number: int
    kind: Literal["patient", "cohort"] = "patient"
    findings: tuple[Finding, ...] = ()

    def _repr_html_(self) -> str:
        """The findings with their sentences, for notebooks."""
        return f"<p><b>Case {self.number}, {self.kind}</b></p>{_html_table(self.findings)}"


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that was found in one article: its own findings (design, number of patients) and its cases."""

    article: Article
    findings: tuple[Finding, ...] = ()
    cases: tuple[Case, ...] = ()

    def only(self, fields: Container[str]) -> Extraction:
        """The same without the findings of other fields."""
        return self._where(lambda finding: finding.field in fields)

    def at_least(self, confidence: float) -> Extraction:
        """The same without the findings that are less sure."""
        return self._where(lambda finding: finding.confidence >= confidence)

    def _where(self, keep: Callable[[Finding], bool]) -> Extraction:
        cases = tuple(replace(case, findings=tuple(filter(keep, case.findings))) for case in self.cases)
        return Extraction(self.article, tuple(filter(keep, self.findings)), cases)

    def _repr_html_(self) -> str:
        """The text with its findings marked, then the cases, for notebooks."""
        text = markup.marked_text(self.article.text, ((f.start, f.end, f.field) for _, f in self))
        return text + "".join(case._repr_html_() for case in self.cases)

    def __iter__(self) -> Iterator[tuple[Case | None, Finding]]:
        """Every finding with its case (None for the article's own)."""
        for finding in self.findings:
            yield None, finding
        for case in self.cases:
            for finding in case.findings:
                yield case, finding


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An attribute that findings of a field can carry."""

    description: str
    type: Literal["text", "number", "list"] = "text"
    choices: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of the case-report form."""

    name: str
    label: str
    description: str
    level: Literal["article", "case"] = "case"
    many: bool = True
    type: Literal["term", "choice", "number", "integer"] = "term"
    unit: str = ""
    choices: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeSpec] = field(default_factory=dict)


_LATERALITY = AttributeSpec("side of the body", choices=("left", "right", "bilateral", "midline"))
_STATISTIC = AttributeSpec("what the number is for a cohort", choices=("mean", "median", "minimum", "maximum"))
_WHEN = AttributeSpec("time from the index operation", "number", unit="day")

CATEGORIES = (
    "resection", "amputation", "curettage", "reconstruction", "fixation", "fusion", "arthroplasty", "osteotomy",
    "grafting", "decompression", "embolization", "biopsy", "revision", "other",
)  # fmt: skip
BEHAVIORS = ("benign", "uncertain", "in_situ", "malignant", "metastatic")

FIELDS: dict[str, FieldSpec] = {
    spec.name: spec
    for spec in (
        FieldSpec(
            "study_design",
            "Study design",
            "One patient or a few described singly is a case report, a group reported together a case series; reviews, "
            "trials, comparative cohorts and laboratory work are other.",
            level="article",
            many=False,
            type="choice",
            choices=("case_report", "case_series", "other"),
        ),
        FieldSpec(
            "n_patients",
            "Patients",
            "Patients the article reports on, not those it cites from elsewhere.",
            level="article",
            many=False,
            type="integer",
        ),
        FieldSpec(
            "age",
            "Age",
            "Age of the patient, months and days converted; for a cohort the mean, else the median.",
            many=False,
            type="number",
            unit="year",
            attributes={"statistic": _STATISTIC},
        ),
        FieldSpec(
            "sex",
            "Sex",
            "From nouns (woman, boy), F or M, or the pronoun used of the patient.",
            many=False,
            type="choice",
            choices=("female", "male", "mixed"),
        ),
        FieldSpec(
            "diagnosis",
            "Diagnosis",
            "The conditions this episode treats; a tumour carries its ICD-O-3 morphology code.",
            attributes={
                "behavior": AttributeSpec("behaviour of a tumour", choices=BEHAVIORS),
                "grade": AttributeSpec("grade as given"),
                "stage": AttributeSpec("stage as given (Enneking, Campanacci, AJCC, TNM)"),
                "size_cm": AttributeSpec("largest diameter", "number", unit="cm"),
                "primary_or_recurrent": AttributeSpec("whether it came back", choices=("primary", "recurrent")),
            },
        ),
        FieldSpec(
            "site",
            "Site",
            "Where the diagnosis sits or the operation is done, with the ICD-O-3 topography code where there is one.",
            attributes={"laterality": _LATERALITY},
        ),
        FieldSpec(
            "metastasis",
            "Metastasis",
            "Site of spread, or distant metastasis; “no metastasis” is an absent finding.",
        ),
        FieldSpec(
            "comorbidity",
            "Comorbidity",
            "Other conditions of the patient; earlier operations too, as historical.",
        ),
        FieldSpec(
            "symptom",
            "Symptom",
            "Presenting symptoms and signs.",
            attributes={"duration_days": AttributeSpec("how long it had lasted", "number", unit="day")},
        ),
        FieldSpec(
            "procedure",
            "Procedure",
            "Operations and interventions done on this patient, endoscopy and biopsy among them.",
            attributes={
                "category": AttributeSpec("kind of operation", choices=CATEGORIES),
                "approach": AttributeSpec("surgical approach (posterior, endoscopic, minimally invasive)"),
                "levels": AttributeSpec("vertebral levels, e.g. L3-S1"),
                "laterality": _LATERALITY,
            },
        ),
        FieldSpec(
            "margin",
            "Margin",
            "Resection margin.",
            type="choice",
            choices=("R0", "wide", "negative", "marginal", "R1", "positive", "intralesional"),
        ),
        FieldSpec(
            "implant",
            "Implant",
            "One finding a device; the value is its head term (prosthesis, cage, plate, stent).",
            attributes={
                "material": AttributeSpec("titanium, PEEK, cobalt-chromium, allograft …", "list"),
                "manufacture": AttributeSpec(
                    "how it was made", "list", choices=("3d_printed", "custom_made", "modular", "off_the_shelf")
                ),
                "features": AttributeSpec("porous mesh, dense strut …", "list"),
                "site": AttributeSpec("where it sits"),
                "brand": AttributeSpec("brand or maker"),
                "fixation": AttributeSpec("cemented, cementless, screws, up to L3 …", "list"),
            },
        ),
        FieldSpec(
            "therapy",
            "Therapy",
            "Chemotherapy, radiotherapy, a drug by its INN name, or another treatment that is no operation.",
            attributes={
                "timing": AttributeSpec("place in the plan", choices=("neoadjuvant", "adjuvant", "palliative")),
                "duration_days": AttributeSpec("how long it was given", "number", unit="day"),
                "dose": AttributeSpec("amount", "number"),
                "dose_unit": AttributeSpec("unit of the dose"),
                "cycles": AttributeSpec("number of cycles", "number"),
            },
        ),
        FieldSpec("imaging", "Imaging", "One finding a modality: ct, mri, radiograph, pet_ct, bone_scan, ultrasound …"),
        FieldSpec(
            "measurement",
            "Measurement",
            "A score or quantity: msts, vas, odi, harris_hip, blood_loss, operative_time, range_of_motion …",
            attributes={
                "number": AttributeSpec("what was measured", "number"),
                "unit": AttributeSpec("its unit"),
                "maximum": AttributeSpec("best possible score", "number"),
                "statistic": _STATISTIC,
                "phase": AttributeSpec(
                    "when it was taken", choices=("preoperative", "postoperative", "last_follow_up")
                ),
            },
        ),
        FieldSpec(
            "outcome",
            "Outcome",
            "How the patient did: bone fusion, walking, pain relief, return to work …",
            attributes={
                "quality": AttributeSpec("how well", choices=("excellent", "good", "fair", "poor")),
                "when_days": _WHEN,
            },
        ),
        FieldSpec(
            "complication",
            "Complication",
            "Signs that arise after treatment; a denial is an absent finding, “no complications” is `any`, absent.",
            attributes={"laterality": _LATERALITY, "when_days": _WHEN},
        ),
        FieldSpec(
            "recurrence",
            "Recurrence",
            "Final state of the disease treated here: local recurrence, present or absent.",
            many=False,
            type="choice",
            choices=("local recurrence",),
            attributes={"when_days": _WHEN},
        ),
        FieldSpec(
            "vital_status",
            "Vital status",
            "Alive where the person’s state is told at a stated later time, or survived; dead.",
            many=False,
            type="choice",
            choices=("alive", "dead"),
        ),
        FieldSpec(
            "disease_status",
            "Disease status",
            "Only where stated or entailed.",
            many=False,
            type="choice",
            choices=("no_evidence_of_disease", "alive_with_disease", "died_of_disease", "died_of_other_cause"),
        ),
        FieldSpec(
            "follow_up",
            "Follow-up",
            "The longest time after treatment at which the patient’s state is told; for a cohort mean, else median.",
            many=False,
            type="number",
            unit="month",
            attributes={"statistic": _STATISTIC},
        ),
    )
}
CASE_FIELDS: tuple[str, ...] = tuple(name for name, spec in FIELDS.items() if spec.level == "case")
ARTICLE_FIELDS: tuple[str, ...] = tuple(name for name, spec in FIELDS.items() if spec.level == "article")


def _html_table(findings: Iterable[Finding]) -> str:
    order = {name: place for place, name in enumerate(FIELDS)}
    rows = [
        (
            escape(FIELDS[each.field].label if each.field in FIELDS else each.field),
            escape(f"{each.value} {each.unit}".rstrip()),
            escape(each.assertion),
            markup.marked_words(each.sentence or each.text, each.text),
            f"{each.confidence:.2f}",
        )
        for each in sorted(findings, key=lambda finding: order.get(finding.field, len(order)))
    ]
    return markup.table(("Field", "Value", "Assertion", "Words", "Confidence"), rows)
