"""The loader of gold files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caseframe.errors import BrokenFile
from caseframe.evaluation.gold import GoldFinding, read_gold, read_texts
from caseframe.schema import FIELDS, Attributes

IMPLANT = {
    "field": "implant",
    "value": "prosthesis",
    "text": "customized titanium prosthesis",
    "assertion": "present",
    "attributes": {"material": ["titanium"], "manufacture": ["3d_printed", "custom_made"], "site": "sacrum"},
}
ARTICLE = {
    "article_id": "pmid:1",
    "study_design": "case_report",
    "n_patients": 1,
    "cases": [
        {"case": 1, "findings": [IMPLANT, {"field": "age", "value": 34}]},
        {"case": 2, "findings": [{"field": "complication", "value": "infection", "assertion": "absent"}]},
    ],
}
TEXT = {
    "article_id": "pmid:1",
    "pmid": "1",
    "pmcid": None,
    "title": "A sacrum of titanium",
    "sections": [{"label": None, "text": "A man had pain."}, {"label": "CASE", "text": "He walked."}],
    "keywords": ["sacrum"],
}


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_reads_article_and_cases(tmp_path: Path) -> None:
    (article,) = read_gold(written(tmp_path / "gold.jsonl", ARTICLE))
    assert article.article_id == "pmid:1"
    assert article.findings == (
        GoldFinding("study_design", "case_report"),
        GoldFinding("n_patients", 1),
        GoldFinding(
            "implant",
            "prosthesis",
            "customized titanium prosthesis",
            "present",
            Attributes({"material": ("titanium",), "manufacture": ("3d_printed", "custom_made"), "site": "sacrum"}),
            case=1,
        ),
        GoldFinding("age", 34, case=1),
        GoldFinding("complication", "infection", assertion="absent", case=2),
    )


def test_an_article_without_patients_has_no_findings_of_cases(tmp_path: Path) -> None:
    line = {"article_id": "pmid:2", "study_design": "other", "n_patients": None, "cases": []}
    (article,) = read_gold(written(tmp_path / "gold.jsonl", line))
    assert article.findings == (GoldFinding("study_design", "other"),)


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    assert len(list(read_gold(written(tmp_path / "gold.jsonl", ARTICLE, "", "  ", ARTICLE)))) == 2
    assert len(list(read_texts(written(tmp_path / "texts.jsonl", TEXT, "", TEXT)))) == 2


def with_finding(**finding: object) -> dict[str, object]:
    return {"article_id": "pmid:3", "cases": [{"case": 1, "findings": [finding]}]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "Expecting property name"),
        ("[]", "list"),
        ({"cases": []}, "article_id"),
        ({"article_id": "pmid:3", "cases": [{"case": 1}]}, "findings"),
        ({"article_id": "pmid:3", "cases": [{"findings": [{"field": "age", "value": 3}]}]}, "case"),
        (with_finding(value=3), "field"),
        (with_finding(field="age"), "value"),
        (with_finding(field="diagnose", value="chordoma"), "unknown field 'diagnose'"),
        (with_finding(field="diagnosis", value="chordoma", assertion="denied"), "unknown assertion 'denied'"),
        (with_finding(field="diagnosis", value="chordoma", attributes=["grade"]), "list"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, message: str) -> None:
    path = written(tmp_path / "gold.jsonl", ARTICLE, line)
    with pytest.raises(BrokenFile) as caught:
        list(read_gold(path))
    assert f"{path}, line 2" in caught.value.message
    assert message in caught.value.message
    assert "docs/schema.md" in caught.value.cure


def test_texts_become_articles(tmp_path: Path) -> None:
    (article,) = read_texts(written(tmp_path / "texts.jsonl", TEXT))
    assert article.text == "A sacrum of titanium\nA man had pain.\nHe walked."
    assert (article.article_id, article.pmid, article.pmcid, article.keywords) == ("pmid:1", "1", "", ("sacrum",))
    assert [(section.label, article.text[section.start : section.end]) for section in article.sections] == [
        ("", "A man had pain."),
        ("CASE", "He walked."),
    ]
    assert article.origin.record == 1


@pytest.mark.parametrize("line", ["{", "[]", {"title": "no id"}, {**TEXT, "sections": [{"text": "no label"}]}])
def test_a_bad_text_is_named(tmp_path: Path, line: object) -> None:
    path = written(tmp_path / "texts.jsonl", TEXT, line)
    with pytest.raises(BrokenFile, match=r"texts\.jsonl, line 2"):
        list(read_texts(path))


@pytest.mark.data
@pytest.mark.parametrize("name", ["casefields_train", "casefields_dev"])
def test_genuine_gold_speaks_of_its_texts(data_dir: Path, name: str) -> None:
    texts = {article.article_id: article for article in read_texts(data_dir / name / "texts.jsonl")}
    gold = list(read_gold(data_dir / name / "gold.jsonl"))
    assert {article.article_id for article in gold} == set(texts)
    for article in gold:
        for finding in article.findings:
            assert finding.text in texts[article.article_id].text
            assert set(finding.attributes) <= set(FIELDS[finding.field].attributes), finding
