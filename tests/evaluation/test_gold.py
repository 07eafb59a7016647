"""The reader of gold files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from caseframe.errors import GoldError
from caseframe.evaluation.gold import GoldArticle, GoldFinding, read_gold, read_texts
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
AGE = {"field": "age", "value": 34}


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def with_finding(**finding: object) -> dict[str, object]:
    return {"article_id": "pmid:3", "cases": [{"case": 1, "findings": [finding]}]}


def read_one(tmp_path: Path, line: object) -> GoldArticle:
    (article,) = read_gold(written(tmp_path / "gold.jsonl", line))
    return article


def test_reads_article_and_cases(tmp_path: Path) -> None:
    article = read_one(tmp_path, ARTICLE)
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


def test_an_article_knows_its_line_and_the_hash_of_its_text(tmp_path: Path) -> None:
    path = written(tmp_path / "gold.jsonl", "", {**ARTICLE, "text_sha256": "ab12"})
    (article,) = read_gold(path)
    assert (article.origin.file, article.origin.record, article.text_sha256) == (str(path), 2, "ab12")


def test_an_article_without_patients_has_no_findings_of_cases(tmp_path: Path) -> None:
    line = {"article_id": "pmid:2", "study_design": "other", "n_patients": None, "cases": []}
    assert read_one(tmp_path, line).findings == (GoldFinding("study_design", "other"),)


def test_a_code_stays_with_its_finding(tmp_path: Path) -> None:
    line = with_finding(field="diagnosis", value="chordoma", code="ICDO3:9370/3")
    assert read_one(tmp_path, line).findings[0].code == "ICDO3:9370/3"


def test_a_list_attribute_is_a_list_though_given_as_one_text(tmp_path: Path) -> None:
    line = with_finding(field="implant", value="stem", attributes={"fixation": "cemented"})
    assert read_one(tmp_path, line).findings[0].attributes["fixation"] == ("cemented",)


def test_a_score_that_is_no_number_stays_text(tmp_path: Path) -> None:
    line = with_finding(field="measurement", value="visual acuity", attributes={"number": "20/60", "maximum": 1})
    assert dict(read_one(tmp_path, line).findings[0].attributes) == {"number": "20/60", "maximum": 1}


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    second = {**ARTICLE, "article_id": "pmid:2"}
    assert len(list(read_gold(written(tmp_path / "gold.jsonl", ARTICLE, "", "  ", second)))) == 2
    second = {**TEXT, "article_id": "pmid:2"}
    assert len(list(read_texts(written(tmp_path / "texts.jsonl", TEXT, "", second)))) == 2


def test_articles_come_one_by_one(tmp_path: Path) -> None:
    gold = read_gold(written(tmp_path / "gold.jsonl", ARTICLE, "{"))
    assert next(gold).article_id == "pmid:1"
    with pytest.raises(GoldError, match="line 2"):
        next(gold)


def test_gold_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(ARTICLE).encode()))
    assert [article.article_id for article in read_gold(path)] == ["pmid:1"]


@pytest.mark.parametrize(
    ("line", "message", "cure"),
    [
        ("{", "no JSON", "Mend"),
        ("[]", "no JSON object", "one object"),
        ('{"article_id": "x", "article_id": "y"}', "'article_id' stands twice", "Mend"),
        ('{"article_id": "\\ud800"}', "surrogates not allowed", "Mend"),
        ({"cases": []}, "article_id", "docs/schema.md"),
        ({"article_id": " ", "cases": []}, "article_id", "docs/schema.md"),
        ({"article_id": "x", "casses": []}, "unknown key 'casses'", "cases"),
        ({"article_id": "x", "cases": {}}, "cases: {} is no list", "docs/schema.md"),
        ({"article_id": "x", "cases": [3]}, "case number 1: 3 is no JSON object", "docs/schema.md"),
        ({"article_id": "x", "cases": [{"case": 1}]}, "case 1: findings: None is no list", "docs/schema.md"),
        ({"article_id": "x", "cases": [{"findings": [AGE]}]}, "`case` is None", "Number the cases"),
        ({"article_id": "x", "cases": [{"case": 0, "findings": []}]}, "`case` is 0", "Number the cases"),
        ({"article_id": "x", "cases": [{"case": True, "findings": []}]}, "`case` is True", "Number the cases"),
        ({"article_id": "x", "cases": [{"case": 1, "findings": []}] * 2}, "two cases 1", "Number the cases"),
        ({"article_id": "x", "study_design": "trial"}, "study_design is 'trial'", "case_series"),
        ({"article_id": "x", "n_patients": 1.5}, "n_patients is 1.5", "a whole number"),
        ({"article_id": "x", "n_patients": True}, "n_patients is True", "a whole number"),
        ({"article_id": "x", "text_sha256": 5}, "text_sha256 is 5", "docs/schema.md"),
        (with_finding(value=3), "unknown field None", "diagnosis"),
        (with_finding(field="age"), "the value of age is None", "a number (years)"),
        (with_finding(field="age", value="34"), "the value of age is '34'", "a number (years)"),
        ('{"article_id": "x", "cases": [{"case": 1, "findings": [{"field": "age", "value": NaN}]}]}', "NaN", "Mend"),
        (
            '{"article_id": "x", "cases": [{"case": 1, "findings": [{"field": "age", "value": 1e999}]}]}',
            "inf",
            "number",
        ),
        (with_finding(field="sex", value="man"), "the value of sex is 'man'", "female, male, mixed"),
        (with_finding(field="diagnosis", value=3), "the value of diagnosis is 3", "words"),
        (with_finding(field="diagnosis", value=""), "the value of diagnosis is ''", "words"),
        (with_finding(field="n_patients", value=3), "belongs to the article", "beside `cases`"),
        (with_finding(field="diagnose", value="chordoma"), "unknown field 'diagnose'", "diagnosis, site"),
        (with_finding(field="diagnosis", value="x", assertion="denied"), "unknown assertion 'denied'", "absent"),
        (with_finding(field="diagnosis", value="x", assertoin="absent"), "unknown key 'assertoin'", "assertion"),
        (with_finding(field="diagnosis", value="x", text=4), "text is 4", "docs/schema.md"),
        (with_finding(field="diagnosis", value="x", attributes=["grade"]), "['grade'] is no JSON object", "schema.md"),
        (with_finding(field="diagnosis", value="x", attributes={"sise": 3}), "unknown attribute 'sise'", "size_cm"),
        (with_finding(field="imaging", value="x", attributes={"size": 3}), "unknown attribute 'size'", "none"),
        (with_finding(field="site", value="x", attributes={"laterality": "lft"}), "laterality is 'lft'", "bilateral"),
        (with_finding(field="implant", value="x", attributes={"material": [1]}), "material is [1]", "a list"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, message: str, cure: str) -> None:
    path = written(tmp_path / "gold.jsonl", ARTICLE, line)
    with pytest.raises(GoldError) as caught:
        list(read_gold(path))
    assert caught.value.message.startswith(f"{path}, line 2")
    assert message in caught.value.message
    assert cure in caught.value.cure


def test_a_bad_finding_is_told_by_case_and_number(tmp_path: Path) -> None:
    line = {"article_id": "x", "cases": [{"case": 7, "findings": [AGE, {"field": "age", "value": "old"}]}]}
    with pytest.raises(GoldError, match="line 1, case 7, finding 2"):
        read_one(tmp_path, line)


def test_an_article_given_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "gold.jsonl", ARTICLE, "", ARTICLE)
    with pytest.raises(GoldError, match=r"line 3: the article pmid:1 stands in line 1 already"):
        list(read_gold(path))
    path = written(tmp_path / "texts.jsonl", TEXT, TEXT)
    with pytest.raises(GoldError, match=r"texts\.jsonl, line 2: the article pmid:1 stands in line 1 already"):
        list(read_texts(path))


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    for read in (read_gold, read_texts):
        with pytest.raises(GoldError, match=r"empty\.jsonl is empty"):
            list(read(path))


def test_what_is_no_utf8_or_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_bytes(json.dumps(ARTICLE).encode() + b'\n{"article_id": "\xff"}\n')
    with pytest.raises(GoldError, match=r"gold\.jsonl, line 2: no UTF-8 at byte 16"):
        list(read_gold(path))
    with pytest.raises(GoldError, match=r"absent\.jsonl"):
        list(read_gold(tmp_path / "absent.jsonl"))
    path.write_bytes(gzip.compress(b"\n" * 5000)[:-9])
    with pytest.raises(GoldError, match=r"gold\.jsonl: The file is cut off"):
        list(read_gold(path))


def test_texts_become_articles(tmp_path: Path) -> None:
    (article,) = read_texts(written(tmp_path / "texts.jsonl", TEXT))
    assert article.text == "A sacrum of titanium\nA man had pain.\nHe walked."
    assert (article.article_id, article.pmid, article.pmcid, article.keywords) == ("pmid:1", "1", "", ("sacrum",))
    assert [(section.label, article.text[section.start : section.end]) for section in article.sections] == [
        ("", "A man had pain."),
        ("CASE", "He walked."),
    ]
    assert article.origin.record == 1


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        {"title": "no id"},
        {"article_id": "x", "sections": []},
        {**TEXT, "sections": [{"label": "no text"}]},
        {**TEXT, "sections": None},
        {**TEXT, "title": 5},
        {**TEXT, "title": "", "sections": []},
        {**TEXT, "text_sha256": "0" * 64},
    ],
)
def test_a_bad_text_is_named(tmp_path: Path, line: object) -> None:
    path = written(tmp_path / "texts.jsonl", {**TEXT, "article_id": "pmid:9"}, line)
    with pytest.raises(GoldError, match=r"texts\.jsonl, line 2"):
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
