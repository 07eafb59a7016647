"""Reports: the tables hold the figures, both files are safe with any text, and the same data gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any, get_args

import pytest
from lxml import html

from caseframe.evaluation import report
from caseframe.evaluation.records import FIELD_MODES, SPAN_MODES, Cause
from caseframe.evaluation.report import write_comparison, write_report
from caseframe.evaluation.report_tables import CAUSES
from caseframe.pages.text import inert

SENTENCE = "After wide resection of the ilium she had a foot drop, but no infection."
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a | b\nc `d` **e** [f](http://evil.example/g) $h$",
    "\u202egnorts\u202c \u200f\x00 'single' \"double\" &amp; \ud800",
    "<!-- ]]> -->",
)


def side(who: str, type_: str | None, **said: Any) -> dict[str, Any]:
    """The columns of one side; absent without a type."""
    names = ("value", "text", "start", "end", "assertion", "case", "attributes")
    columns = {f"{who}_{name}": said.get(name) for name in names}
    return {f"{who}_type": type_, **columns}


def said(words: str, sentence: str = SENTENCE, **more: Any) -> dict[str, Any]:
    """What a side says of words that stand in a sentence at offset 1000 of its article."""
    start = 1000 + sentence.index(words)
    more = {"value": words, "assertion": "present", "case": 1, "attributes": "{}", **more}
    return {"text": words, "start": start, "end": start + len(words), **more}


def item(
    gold: dict[str, Any] | None = None,
    predicted: dict[str, Any] | None = None,
    *,
    dataset: str = "dev",
    system: str = "rules",
    cause: str = "",
    matched: bool = False,
    sentence: str = SENTENCE,
    article: str = "pmid:7",
    confidence: float = 0.75,
) -> dict[str, Any]:
    """A row of items.parquet; each side is a field and what `said` gives."""
    sides = {"gold": gold or {"type": None}, "predicted": predicted or {"type": None}}
    flat = {key: value for who, given in sides.items() for key, value in side(who, given.pop("type"), **given).items()}
    return {
        "dataset": dataset,
        "system": system,
        "article_id": article,
        "type": flat["gold_type"] or flat["predicted_type"],
        "matched": matched,
        "exact": matched and not cause,
        "cause": cause,
        **flat,
        "predicted_confidence": confidence if flat["predicted_type"] else None,
        "sentence": sentence,
        "sentence_start": 1000,
    }


def some_items(dataset: str = "dev", system: str = "rules") -> list[dict[str, Any]]:
    where = {"dataset": dataset, "system": system}
    return [
        item({"type": "site", **said("ilium")}, {"type": "site", **said("ilium")}, matched=True, **where),
        item(
            {"type": "procedure", **said("wide resection")},
            {"type": "procedure", **said("resection of the ilium")},
            matched=True,
            cause="boundary",
            **where,
        ),
        item({"type": "complication", **said("foot drop")}, cause="missed_term", **where),
        item(
            {"type": "complication", **said("no infection", value="infection", assertion="absent")},
            {"type": "complication", **said("infection", attributes='{"laterality": "left"}')},
            cause="wrong_assertion",
            **where,
        ),
        item(None, {"type": "symptom", **said("drop")}, cause="spurious", **where),
    ]


def row(modes: tuple[str, ...], gold: int, predicted: int, matched: int, *, fields: bool) -> dict[str, Any]:
    precision, recall = (matched / total if total else 0.0 for total in (predicted, gold))
    f1 = 2 * matched / (gold + predicted) if gold + predicted else 0.0
    figures: dict[str, Any] = {"gold": gold, "predicted": predicted}
    for number, mode in enumerate(modes):
        less = 1 - number / 10
        figures |= {
            f"{mode}_matched": matched,
            f"{mode}_precision": precision * less,
            f"{mode}_recall": recall * less,
            f"{mode}_f1": f1 * less,
            f"{mode}_f1_low": f1 * less * 0.9,
            f"{mode}_f1_high": min(1.0, f1 * less * 1.1),
        }
    if fields:
        figures |= {"filled_right": recall, "filled_wrong": (1 - recall) / 4, "left_empty": 3 * (1 - recall) / 4}
    return figures


def field_metrics() -> dict[str, Any]:
    def of(*counts: int) -> dict[str, Any]:
        return row(FIELD_MODES, *counts, fields=True)

    macro = {key: value for key, value in of(50, 50, 36).items() if "f1" in key}
    points = [
        {"threshold": 1 - n / 50, "precision": 0.97 - n / 500, "recall": n / 60, "filled": n / 50} for n in range(1, 46)
    ]
    at_90 = {"threshold": 0.3, "precision": 0.9, "recall": 0.58, "filled": 0.7}
    return {
        "field": {
            "micro": of(200, 180, 150),
            "micro_case": of(180, 165, 135),
            "macro": macro,
            "site": of(80, 75, 66),
            "procedure": of(70, 70, 56),
            "complication": of(50, 30, 28),
            "symptom": of(0, 5, 0),
            "margin": of(0, 0, 0),
        },
        "assertion": {
            "accuracy": 0.96,
            "pairs": 156,
            "absent": {
                "gold": 20,
                "predicted": 18,
                "relaxed_precision": 0.833,
                "relaxed_recall": 0.75,
                "relaxed_f1": 0.789,
            },
        },
        "attribute": {
            "micro": {"accuracy": 0.8, "right": 40, "wrong": 2, "missing": 6, "spurious": 2},
            "procedure.category": {"accuracy": None, "right": 0, "wrong": 0, "missing": 0, "spurious": 0},
        },
        "patient": {"accuracy": 0.98, "pairs": 140},
        "calibration": {
            "ece": 0.041,
            "brier": 0.155,
            "bins": [
                {"low": 0.5, "high": 0.6, "count": 20, "confidence": 0.56, "accuracy": 0.5},
                {"low": 0.8, "high": 0.9, "count": 90, "confidence": 0.86, "accuracy": 0.9},
            ],
        },
        "risk_coverage": {"at_precision_90": at_90, "at_precision_95": None, "curve": points},
        "errors": {"boundary": 1, "missed_term": 1, "wrong_assertion": 1, "spurious": 1},
    }


def result(metrics: dict[str, Any], *, dataset: str = "dev", system: str = "rules", kind: str = "fields") -> dict:
    return {
        "dataset": dataset,
        "system": system,
        "kind": kind,
        "articles": 88,
        "sha256": "0123456789abcdef" * 4,
        "seconds": 2.0,
        "words": 20_000,
        "alignment": {"annotations": 1224, "unaligned": 3, "notes": {"discontinuous, taken whole": 12}},
        "metrics": metrics,
    }


def span_metrics() -> dict[str, Any]:
    one = row(SPAN_MODES, 90, 60, 45, fields=False)
    return {"span": {"micro": one, "macro": {"overlap_f1": 0.6}, "Sign_symptom": one}, "errors": {"missed_term": 45}}


def evaluation(*results: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "caseframe": "0.2.0",
        "versions": {"python": "3.11.2", "spacy": "3.8.7"},
        "date": "2025-03-01",
        "seconds": 4.0,
        "config": {"systems": [{"name": "rules", "model": None, "run": None, "command": []}]},
        "results": list(results),
    }


def written(folder: Path, metrics: dict[str, Any], items: list[dict[str, Any]]) -> tuple[html.HtmlElement, str]:
    """The page, parsed, and the text of the Markdown report."""
    write_report(folder, metrics, items)
    return read_back(folder, "report")


def read_back(folder: Path, name: str) -> tuple[html.HtmlElement, str]:
    """A page, parsed (no-break spaces as blanks), and the text of its Markdown."""
    content = (folder / f"{name}.html").read_text(encoding="utf-8").replace("\xa0", " ")
    page = html.document_fromstring(content.encode(), parser=html.HTMLParser(encoding="utf-8"))
    return page, (folder / f"{name}.md").read_text(encoding="utf-8")


def table(page: html.HtmlElement, caption: str) -> list[list[str]]:
    """The cells of the table whose caption begins so, its header first."""
    (found,) = [each for each in page.iter("table") if each.findtext("caption").startswith(caption)]
    return [[cell.text_content() for cell in line] for line in found.iter("tr")]


def embedded(page: html.HtmlElement) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.get_element_by_id("items-data").text)
    return data


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[html.HtmlElement, str]:
    """Two systems on a data set of fields, one of them on a data set of spans too."""
    metrics = evaluation(
        result(field_metrics()),
        result(span_metrics(), dataset="corpus", kind="spans"),
        result(field_metrics(), system="other"),
    )
    items = [*some_items(), *some_items(system="other"), *some_items("corpus")]
    return written(tmp_path_factory.mktemp("report"), metrics, items)


def test_one_table_compares_all_systems_on_all_data_sets(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    header, *rows = table(page, "All systems on all data sets (in brackets the 95 % interval)")
    assert [cells[:2] for cells in rows] == [["dev", "rules"], ["dev", "other"], ["corpus", "rules"]]
    told = dict(zip(header, rows[0], strict=True))
    assert told["Gold"] == "200" and told["Precision"] == "0.833" and told["Recall"] == "0.750"
    assert told["F1"] == "0.789 (0.711–0.868)" and told["Strict F1"] == "0.711 (0.639–0.782)"
    assert told["Words/s"] == "10,000"
    assert dict(zip(header, rows[2], strict=True))["Macro F1"] == "0.600"


def test_the_head_says_what_was_evaluated(usual: tuple[html.HtmlElement, str]) -> None:
    page, markdown = usual
    rows = table(page, "Data sets")[1:]
    assert rows[0] == ["dev", "fields", "88", "20,000", "1,224", "3", "discontinuous, taken whole: 12", "0123456789ab"]
    assert table(page, "Systems")[1] == ["rules", "the shipped pipeline", "dev", "2.0", "10,000"]
    for text in (page.text_content(), markdown):
        assert "2025-03-01" in text and "CaseFrame 0.2.0, python 3.11.2, spacy 3.8.7" in text
        assert "at 90 % precision the run fills 70 % of the cells" in text
        assert "dev: 3 annotations could not be brought onto the text" in text


def test_fields_are_scored_one_a_row_with_shares_of_cells(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    header, *rows = table(page, "rules on dev: scores by field")
    assert [cells[0] for cells in rows[:4]] == ["site", "procedure", "complication", "symptom"], "margin is empty"
    assert [cells[0] for cells in rows[4:]] == ["all of the case (micro)", "all (micro)", "mean of the types (macro)"]
    told = dict(zip(header, rows[2], strict=True))
    assert told["F1 relaxed"].startswith("0.700 (") and told["F1 exact"].startswith("0.630 (")
    assert [told[name] for name in ("Filled right", "Filled wrong", "Left empty")] == ["56 %", "11 %", "33 %"]
    assert rows[6][1:4] == ["–", "–", "–"]


def test_spans_are_scored_in_all_their_modes(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    header = table(page, "rules on corpus: scores by type")[0]
    assert header[5:] == ["F1 overlap", "F1 strict", "F1 type", "F1 boundary"]


def test_assertions_attributes_and_patients_are_told(usual: tuple[html.HtmlElement, str]) -> None:
    page, markdown = usual
    assert table(page, "rules on dev: scores by assertion")[1] == ["absent", "20", "18", "0.833", "0.750", "0.789"]
    rows = table(page, "rules on dev: attributes")[1:]
    assert rows[0][:2] == ["procedure.category", "–"] and rows[1] == ["all (micro)", "0.800", "40", "2", "6", "2"]
    for text in (page.text_content(), markdown):
        assert "The assertion is right in 96 % of 156 pairs" in text
        assert "the right patient in 98 % of 140 matched pairs" in text


def test_causes_are_counted_and_explained(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    rows = table(page, "Causes of error, over all")[1:]
    assert [cells[:4] for cells in rows] == [
        ["boundary", "3", "25 %", "3"],
        ["missed term", "3", "25 %", "0"],
        ["spurious", "3", "25 %", "0"],
        ["wrong assertion", "3", "25 %", "0"],
    ]
    assert rows[1][4] == CAUSES["missed_term"]


def test_every_plot_has_a_name_and_a_caption(usual: tuple[html.HtmlElement, str]) -> None:
    page, markdown = usual
    figures = list(page.iter("figure"))
    assert len(figures) == 7, "F1, reliability and risk of dev, F1 of corpus, three confusions"
    for figure in figures:
        (svg,) = figure.iter("svg")
        title, description = (page.get_element_by_id(name) for name in svg.get("aria-labelledby").split())
        assert svg.get("role") == "img" and title.text and description.text
        assert figure.findtext("figcaption")
    assert "svg" not in markdown


def test_the_page_is_accessible_in_its_structure(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    assert page.get("lang") == "en" and len(page.findall(".//h1")) == 1
    for each in page.iter("table"):
        assert each.findtext("caption")
        assert {cell.get("scope") for cell in each.iter("th")} == {"col", "row"}
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    targets = [link.removeprefix("#") for link in page.xpath("//@href[starts-with(., '#')]")]
    assert set(targets) <= set(ids)


def test_the_page_needs_nothing_but_itself(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    assert "http" not in html.tostring(page, encoding="unicode").replace("http-equiv", "")
    assert not page.xpath("//@src | //link | //iframe | //object | //@style[contains(., 'url')]")
    assert all(link.startswith("#") for link in page.xpath("//@href"))
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    data, script = page.iter("script")
    assert data.get("type") == "application/json"
    digest = b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}';")
    assert "innerHTML" not in script.text


def test_errors_are_embedded_with_the_places_of_their_words(usual: tuple[html.HtmlElement, str]) -> None:
    page, _ = usual
    data = embedded(page)
    assert [facet["title"] for facet in data["facets"]] == ["Data set", "System", "Field or type", "Cause"]
    assert len(data["items"]) == 12 and data["sentences"] == [SENTENCE]
    facets, article, sentence, gold_place, predicted_place, gold, predicted, matched = data["items"][0]
    told = [facet["values"][value] for facet, value in zip(data["facets"], facets, strict=True)]
    assert told == ["dev", "rules", "procedure", "boundary"] and article == "pmid:7" and matched == 1
    text = data["sentences"][sentence]
    assert text[slice(*gold_place)] == "wide resection" and text[slice(*predicted_place)] == "resection of the ilium"
    assert gold == ["procedure", "wide resection", "", "present, patient 1"]
    assert predicted[3] == "present, patient 1, confidence 0.75"
    assert data["items"][1][6] == 0 and data["items"][3][5] == 0
    assert data["items"][2][6][3] == "present, patient 1, laterality: left, confidence 0.75"


def test_markdown_gives_examples_with_marked_words(usual: tuple[html.HtmlElement, str]) -> None:
    _, markdown = usual
    assert "After ⟦wide ⟧⟦⟪resection⟫⟧⟪ of the ilium⟫ she had" in markdown
    assert "**missed term: 1 of 1**" in markdown
    assert "complication: infection “no infection” (absent, patient 1)" in markdown


def assert_tables_hold(markdown: str) -> None:
    """Every table of a Markdown text has as many columns in each of its rows."""
    for block in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        lines = block.splitlines()
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1, block
        assert re.fullmatch(r"\|( -{3}:? \|)+", lines[1]), lines[1]


def test_markdown_tables_have_constant_columns(usual: tuple[html.HtmlElement, str]) -> None:
    _, markdown = usual
    assert markdown.count("| --- |") > 8 and "\n\n\n" not in markdown
    assert_tables_hold(markdown)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    items, results = [], []
    for text in HOSTILE:
        given = {"type": text, **said(text, text, value=text, assertion=text, attributes=json.dumps({text: [text]}))}
        items.append(
            item(given, {**given}, dataset=text, system=text, cause=text, sentence=text, article=text)  # type: ignore[arg-type]
        )
        metrics = field_metrics()
        metrics["field"][text] = row(FIELD_MODES, 5, 5, 4, fields=True)
        metrics["attribute"][text] = metrics["attribute"]["micro"]
        results.append(result(metrics, dataset=text, system=text))
        results[-1]["alignment"]["notes"] = {text: 1}
    page, markdown = written(tmp_path, {**evaluation(*results), "date": HOSTILE[0]}, items)
    usual_names = {each.tag for each in page.iter() if isinstance(each.tag, str)}
    assert "img" not in usual_names and len(list(page.iter("script"))) == 2
    assert not page.xpath("//@onerror") and not list(page.iter(html.etree.Comment))
    assert [sentence.replace("\ud800", "?") for sentence in embedded(page)["sentences"]] == [
        text.replace("\ud800", "?") for text in HOSTILE
    ]
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", raw + markdown)
    assert not re.search(r"<(?!br)", markdown) and "](" not in markdown.replace("\\](", "")
    assert_tables_hold(markdown)


def test_long_sentences_are_cut_around_their_words(tmp_path: Path) -> None:
    sentence = "x" * 60_000 + " foot drop " + "y" * 40_000
    page, markdown = written(
        tmp_path,
        evaluation(result(field_metrics())),
        [
            item({"type": "complication", **said("foot drop", sentence)}, cause="missed_term", sentence=sentence),
            item({"type": "complication", **said(sentence, sentence)}, cause="missed_term", sentence=sentence),
        ],
    )
    data = embedded(page)
    text, place = data["sentences"][data["items"][0][2]], data["items"][0][3]
    assert len(text) < 610 and text[slice(*place)] == "foot drop" and text[0] == text[-1] == "…"
    assert len(data["items"][1][5][1]) <= 160
    assert "⟦foot drop⟧" in markdown and max(map(len, markdown.splitlines())) < 2000


def test_a_page_holds_so_many_errors_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MOST_ITEMS", 10)
    items = [item({"type": "site", **said("ilium")}, cause="left_out", article=f"pmid:{n}") for n in range(100)]
    page, markdown = written(tmp_path, evaluation(result(field_metrics())), items)
    assert [each[1] for each in embedded(page)["items"]] == [f"pmid:{n}" for n in range(0, 100, 10)]
    assert "The list has 10 of 100 errors" in page.text_content()
    assert "**left out: 10 of 100**" in markdown


def test_the_same_data_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_report(tmp_path / name, evaluation(result(field_metrics())), some_items())
    for name in ("report.html", "report.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    write_report(tmp_path, evaluation(result(field_metrics())), some_items(), html=False)
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]


def test_a_system_that_predicts_nothing_has_a_report(tmp_path: Path) -> None:
    metrics = {
        "field": {"micro": row(FIELD_MODES, 1, 0, 0, fields=True), "site": row(FIELD_MODES, 1, 0, 0, fields=True)}
    }
    items = [item({"type": "site", **said("ilium")}, cause="missed_term")]
    page, _ = written(tmp_path, evaluation(result(metrics)), items)
    assert table(page, "rules on dev: scores by field")[1][:6] == [
        "site",
        "1",
        "0",
        "0.000",
        "0.000",
        "0.000 (0.000–0.000)",
    ]


def test_without_errors_or_types_there_is_still_a_report(tmp_path: Path) -> None:
    page, markdown = written(tmp_path, evaluation(result({"span": {}}, kind="spans")), [])
    assert embedded(page)["items"] == [] and "rules on dev" in markdown


def test_what_was_left_out_or_failed_is_told(tmp_path: Path) -> None:
    metrics = evaluation({**result(field_metrics()), "failed": 2})
    metrics["skipped"] = [{"dataset": "dev", "system": "peer", "why": "the system fills no fields"}]
    page, markdown = written(tmp_path, metrics, [])
    for text in (page.text_content(), markdown):
        assert "peer on dev was left out: the system fills no fields." in text
        assert "rules on dev failed on 2 articles; what it failed on counts as empty." in text


def test_every_cause_has_an_explanation() -> None:
    assert {"", *CAUSES} == set(get_args(Cause))


def compared(**changes: Any) -> dict[str, Any]:
    """One comparison as comparison.json has it."""

    def of(type_: str, mode: str, gold: int, *figures: float) -> dict[str, Any]:
        names = ("a", "b", "difference", "low", "high", "p_bootstrap", "p_randomisation", "p_holm")
        return {"type": type_, "mode": mode, "gold": gold, **dict(zip(names, figures, strict=True))}

    rows = [
        of(type_, mode, gold, *figures)
        for mode in FIELD_MODES
        for type_, gold, *figures in (
            ("micro", 200, 0.70, 0.75, 0.05, 0.012, 0.081, 0.004, 0.0004, 0.0012),
            ("macro", 200, 0.60, 0.58, -0.02, -0.06, 0.03, 0.4, 0.41, 0.82),
            ("site", 80, 0.8, 0.8, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0),
        )
    ]
    wrong, right = some_items()[-1:], some_items()[:2]
    pair = {"dataset": "dev", "kind": "fields", "a": "old", "b": "new", "articles": 88, "rows": rows}
    pair |= {"only_a": [], "only_b": ["pmid:1"], "newly_right": right, "newly_wrong": wrong, **changes}
    return {"format": 1, "comparisons": [pair]}


def compare_pages(folder: Path, comparison: dict[str, Any]) -> tuple[html.HtmlElement, str]:
    write_comparison(folder, comparison)
    return read_back(folder, "comparison")


def test_a_comparison_tells_differences_and_their_chances(tmp_path: Path) -> None:
    page, markdown = compare_pages(tmp_path, compared())
    header, *rows = table(page, "new against old on dev: F1 relaxed")
    assert header == ["Field", "Gold", "First", "Second", "Difference", "p bootstrap", "p randomisation", "p Holm"]
    assert rows[0] == ["site", "80", "0.800", "0.800", "+0.000 (+0.000 to +0.000)", "1.000", "1.000", "1.000"]
    difference = ["0.700", "0.750", "+0.050 (+0.012 to +0.081)", "0.004", "<0.001", "0.001"]
    assert rows[1] == ["all (micro)", "200", *difference]
    assert rows[2][4] == "−0.020 (−0.060 to +0.030)"
    assert table(page, "All comparisons")[1] == ["dev", "old", "new", "relaxed", *difference]
    for text in (page.text_content(), markdown):
        assert "2 items newly right, 1 item newly wrong" in text
        assert "Not compared, in new alone: 1 article, pmid:1." in text
    assert len(list(page.iter("figure"))) == 1


def test_a_comparison_lists_what_changed(tmp_path: Path) -> None:
    page, markdown = compare_pages(tmp_path, compared())
    data = embedded(page)
    change = data["facets"][-1]
    assert change == {"title": "Change", "values": ["newly right", "newly wrong"]}
    assert [change["values"][each[0][-1]] for each in data["items"]] == ["newly right", "newly right", "newly wrong"]
    assert "**newly right: 2 of 2**" in markdown and "foot ⟪drop⟫, but" in markdown
    assert_tables_hold(markdown)


def test_a_comparison_is_safe_with_any_text(tmp_path: Path) -> None:
    for text in HOSTILE:
        page, markdown = compare_pages(tmp_path, compared(dataset=text, a=text, b=text, only_a=[text]))
        assert len(list(page.iter("script"))) == 2 and not page.xpath("//img | //@onerror")
        assert "<" not in markdown.replace("<0.001", "")
        assert_tables_hold(markdown)


def test_a_comparison_without_changes_has_a_report(tmp_path: Path) -> None:
    page, _ = compare_pages(tmp_path, compared(newly_right=[], newly_wrong=[], rows=[]))
    assert embedded(page)["items"] == []


@pytest.mark.parametrize("text", ["__init__", "*a*", "a|b", "`c`", "<b>", "[x](y)", "$1$ ~~no~~", "back\\slash"])
def test_markdown_markup_is_escaped(text: str) -> None:
    assert re.sub(r"\\(.)", r"\1", inert(text)).replace("&lt;", "<").replace("&gt;", ">") == text
    assert not re.search(r"(?<!\\)[*`\[\]|~$<>]", inert(text).replace("\\\\", ""))


def test_names_stay_readable_in_markdown() -> None:
    assert inert("study_design") == "study_design"
