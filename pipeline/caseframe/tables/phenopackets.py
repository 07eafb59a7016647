"""GA4GH Phenopackets v2 (ISO 4454): one JSON file a patient. Needs the extra `caseframe[phenopackets]`.

| field | becomes |
|---|---|
| age, sex, vital status | the subject |
| diagnosis, comorbidity | a disease; the first site is the primary site of the first diagnosis |
| symptom, complication, metastasis, recurrence | a phenotypic feature |
| procedure, therapy | a medical action: drugs are treatments, all else procedures |
| measurement | a measurement |

What is denied is `excluded`; what is only possible, planned, or told of relatives is left out, and so are groups
of patients. A value without a code gets one in the namespace `CASEFRAME`. Features and the packet refer to the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from caseframe._version import __version__
from caseframe.errors import OutputError
from caseframe.lexicons import builtin_entries
from caseframe.tables.evidence import Evidence, attributes_of
from caseframe.tables.files import file_stem, whole_file
from caseframe.tables.rows import Row

SCHEMA_VERSION = "2.0"
LOCAL = "CASEFRAME"
_AUTOMATIC = ("ECO:0000501", "evidence used in automatic assertion")
_SEX = {"female": "FEMALE", "male": "MALE"}
_VITAL = {"alive": "ALIVE", "dead": "DECEASED"}
_UCUM = {"%", "cm", "mm", "m", "mL", "L", "g", "kg", "mg", "min", "h", "d", "deg", "points"}
_FEATURES = ("symptom", "complication", "metastasis", "recurrence")
_DRUG_KINDS = {"drug", "class", "regimen", "chemotherapy"}
_RESOURCES = {
    "ICDO3": ("International Classification of Diseases for Oncology", "https://www.iacr.com.fr/", "3"),
    "DOID": ("Human Disease Ontology", "http://purl.obolibrary.org/obo/doid.owl", ""),
    "MAXO": ("Medical Action Ontology", "http://purl.obolibrary.org/obo/maxo.owl", ""),
    "ECO": ("Evidence and Conclusion Ontology", "http://purl.obolibrary.org/obo/eco.owl", ""),
    "UCUM": ("Unified Code for Units of Measure", "https://ucum.org/", ""),
    LOCAL: ("Canonical values of CaseFrame", "", __version__),
}


def write_phenopackets(records: Iterable[Evidence], folder: Path, *, created: datetime | None = None) -> int:
    """Writes a file for each patient told singly; gives their number. `created` is now if not given.

    Raises OutputError where the package `phenopackets` is missing.
    """
    schema = _schema()
    from google.protobuf.json_format import MessageToJson

    created = created or datetime.now(UTC).replace(microsecond=0)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for evidence in records:
        for case in evidence.cases:
            if case["kind"] == "patient":
                packet = _Packet(schema, evidence.article, case, evidence.of(case)).build(created)
                with whole_file(folder / f"{file_stem(str(case['case_id']))}.json") as stream:
                    stream.write(MessageToJson(packet, ensure_ascii=False, indent=2) + "\n")
                count += 1
    return count


def _schema() -> ModuleType:
    try:
        from phenopackets.schema import v2
    except ImportError:
        raise OutputError(
            "phenopackets cannot be written without their package", "Install it: pip install 'caseframe[phenopackets]'"
        ) from None
    return cast(ModuleType, v2)


def iso_age(years: float) -> str:
    """An age as ISO 8601: whole years and months, under a month days."""
    months = round(years * 12)
    if not months:
        return f"P{round(years * 365.25)}D"
    whole, rest = divmod(months, 12)
    return "P" + (f"{whole}Y" if whole else "") + (f"{rest}M" if rest else "")


class _Packet:
    """A phenopacket being built; keeps the namespaces that its codes are of."""

    def __init__(self, schema: ModuleType, article: Row, case: Row, findings: list[Row]) -> None:
        self.schema = schema
        self.article = article
        self.case = case
        self.findings = findings
        self.prefixes: set[str] = set()

    def build(self, created: datetime) -> Any:
        """The message; `created` is the time it bears."""
        s = self.schema
        packet = s.Phenopacket(
            id=str(self.case["case_id"]),
            subject=self._subject(),
            diseases=self._diseases(),
            phenotypic_features=[self._feature(row) for row in self._told(*_FEATURES)],
            medical_actions=self._actions(),
            measurements=[self._measurement(row) for row in self._told("measurement", assertions=("present",))],
        )  # fmt: skip
        packet.meta_data.CopyFrom(self._meta(created))
        return packet

    def _told(self, *fields: str, assertions: tuple[str, ...] = ("present", "absent")) -> Iterator[Row]:
        return (row for row in self.findings if row["field"] in fields and row["assertion"] in assertions)

    def _term(self, code: object, label: object, kind: object) -> Any:
        curie = str(code) if code else f"{LOCAL}:{kind}_{re.sub(r'[^a-z0-9]+', '_', str(label).lower()).strip('_')}"
        self.prefixes.add(curie.partition(":")[0])
        return self.schema.OntologyClass(id=curie, label=str(label).replace("_", " "))

    def _of(self, row: Row, label: str = "") -> Any:
        return self._term(row["code"], label or row["value"], row["field"])

    def _subject(self) -> Any:
        s = self.schema
        subject = s.Individual(id=str(self.case["case_id"]))
        subject.sex = s.Sex.Value(_SEX.get(str(self.case["sex"]), "UNKNOWN_SEX"))
        if isinstance(age := self.case["age"], int | float):
            subject.time_at_last_encounter.age.iso8601duration = iso_age(age)
        if status := _VITAL.get(str(self.case["vital_status"])):
            subject.vital_status.status = s.VitalStatus.Status.Value(status)
        return subject

    def _diseases(self) -> list[Any]:
        diseases = [
            self.schema.Disease(term=self._of(row), excluded=row["assertion"] == "absent")
            for row in [
                *self._told("diagnosis"),
                *self._told("comorbidity", assertions=("present", "absent", "historical")),
            ]
            if not str(row["code"]).startswith("MAXO:")  # an earlier operation, see _actions
        ]
        site = next(self._told("site", assertions=("present",)), None)
        if diseases and site:
            diseases[0].primary_site.CopyFrom(self._of(site))
        return diseases

    def _feature(self, row: Row) -> Any:
        s = self.schema
        metastasis = row["field"] == "metastasis"
        label = "any complication" if row["value"] == "any" else str(row["value"])
        feature = s.PhenotypicFeature(
            type=self._term("", "metastasis", "metastasis") if metastasis else self._of(row, label),
            excluded=row["assertion"] == "absent",
            description=str(row["text"]),
            evidence=[s.Evidence(evidence_code=self._term(*_AUTOMATIC, ""), reference=self._reference())],
        )
        if metastasis:
            feature.modifiers.append(self._of(row))
        return feature

    def _actions(self) -> list[Any]:
        s = self.schema
        actions = []
        earlier = (
            row
            for row in self._told("comorbidity", assertions=("present", "historical"))
            if str(row["code"]).startswith("MAXO:")
        )
        for row in [*self._told("procedure", "therapy", assertions=("present",)), *earlier]:
            if row["field"] == "therapy" and _kinds().get(str(row["value"])) in _DRUG_KINDS:
                actions.append(s.MedicalAction(treatment=s.Treatment(agent=self._of(row))))
            else:
                actions.append(s.MedicalAction(procedure=s.Procedure(code=self._of(row))))
        return actions

    def _measurement(self, row: Row) -> Any:
        s = self.schema
        attributes = attributes_of(row)
        measurement = s.Measurement(assay=self._of(row), description=str(row["text"]))
        number, unit = attributes.get("number"), str(attributes.get("unit") or "")
        if isinstance(number, int | float):
            code = f"UCUM:{unit}" if unit in _UCUM else "" if unit else "UCUM:1"
            measurement.value.quantity.value = float(number)
            measurement.value.quantity.unit.CopyFrom(self._term(code, unit or "no unit", "unit"))
        return measurement

    def _reference(self) -> Any:
        name = next((f"{prefix}:{self.article[key]}" for prefix, key in (("PMID", "pmid"), ("DOI", "doi"))
                     if self.article[key]), str(self.article["article_id"]))  # fmt: skip
        return self.schema.ExternalReference(id=name, description=str(self.article["title"] or ""))

    def _meta(self, created: datetime) -> Any:
        s = self.schema
        meta = s.MetaData(
            created_by=f"CaseFrame {__version__}",
            phenopacket_schema_version=SCHEMA_VERSION,
            external_references=[self._reference()],
            resources=[_resource(s, prefix) for prefix in sorted(self.prefixes)],
        )
        meta.created.FromDatetime(created)
        return meta


def _resource(schema: ModuleType, prefix: str) -> Any:
    name, url, version = _RESOURCES.get(prefix, (prefix, "", ""))
    iri = f"http://purl.obolibrary.org/obo/{prefix}_" if "purl.obolibrary.org" in url else url
    return schema.Resource(
        id=prefix.lower(), name=name, url=url, version=version, namespace_prefix=prefix, iri_prefix=iri
    )


@cache
def _kinds() -> dict[str, str]:
    """Therapy -> its kind in the shipped lexicon: drug, class, regimen, radiotherapy, other."""
    terms = {entry.term for entry in builtin_entries() if entry.term.field == "therapy"}
    return {term.preferred: str(term.attributes.get("kind", "")) for term in terms}
