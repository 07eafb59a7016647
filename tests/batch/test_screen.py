"""Screening before the costly stages: by type, by title and abstract, and with every record accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import light, line

from caseframe.batch.run import run_extraction
from caseframe.batch.screen import screened_out
from caseframe.config import Screen
from caseframe.schema import Article, MeshHeading
from caseframe.tables.parquet import read_rows

TRIAL = (
    "Background: statins lower cholesterol. Methods: in this randomized controlled trial 4,300 adults were assigned to a statin or "
    "placebo. Results: the hazard ratio was 0.71 (95% confidence interval 0.6 to 0.8). Conclusions: statins reduce events."
)
REPORT = (
    "We report a 34-year-old man who presented with sacral pain. Imaging showed a mass of the sacrum and biopsy revealed osteosarcoma. "
    "He underwent hemisacrectomy and was free of disease after 2 years."
)
MESH = (MeshHeading("Humans"),)


def article(types: str, text: str, mesh: tuple[MeshHeading, ...] = ()) -> Article:
    title = (
        "A rare osteosarcoma of the sacrum: a case report" if text == REPORT else "Statins and cardiovascular events"
    )
    kinds = tuple(kind for kind in types.split(";") if kind)
    return Article.build(title=title, abstract=[("", text)], pmid="1", publication_types=kinds, mesh=mesh)


@pytest.mark.parametrize(
    ("types", "text", "mesh", "by_types", "by_model"),
    [
        ("Journal Article;Case Reports", TRIAL, MESH, "", ""),  # the type decides
        ("Journal Article", REPORT, MESH, "types", "types"),  # an indexer saw it
        ("Journal Article", REPORT, (), "types", ""),  # none did yet
        ("Journal Article", TRIAL, (), "types", "model"),
        ("", REPORT, (), "", ""),
        ("", TRIAL, (), "", "model"),
    ],
)
def test_what_is_screened_out(
    types: str, text: str, mesh: tuple[MeshHeading, ...], by_types: str, by_model: str
) -> None:
    found = article(types, text, mesh)
    assert screened_out(found, "none") == ""
    assert (screened_out(found, "types"), screened_out(found, "model")) == (by_types, by_model)


@pytest.mark.parametrize(("screen", "kept"), [("none", "1234"), ("types", "134"), ("model", "13")])
def test_a_screened_run_tells_why(screen: Screen, kept: str, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    records = [
        line(1, publication_types=["Case Reports"]),
        line(2, title="Statins", abstract=TRIAL, publication_types=["Journal Article", "Randomized Controlled Trial"]),
        line(3, abstract=REPORT),
        line(4, title="Statins and cardiovascular events", abstract=TRIAL),
        line(5),
    ]
    source.write_text("\n".join(records) + "\n", encoding="utf-8")
    job = light(select={"screen": screen, "where": ["pmid!=5"]})
    run_extraction([source], tmp_path / "run", job)
    assert "".join(sorted(str(row["pmid"]) for row in read_rows(tmp_path / "run" / "articles"))) == kept
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    fates = run["fates"]
    assert fates.pop("read") == 5 == sum(fates.values())
    assert fates["filtered"] == 1 and fates["screened_out"] == 4 - len(kept) == run["counts"]["screened_out"]
    assert sum(run["reasons"]["screened_out"].values()) == fates["screened_out"]
