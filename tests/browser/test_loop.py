"""The whole loop in a real browser: extract, review by two, adjudicate, export, evaluate."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_extract_review_adjudicate_export_evaluate(casebook_run: Path, visitor: Callable[..., Any], hand: Any) -> None:
    with hand.served(casebook_run) as page:
        review_as_ann(visitor(page.address, "Ann"), hand)
        review_as_ben(visitor(page.address, "Ben"), hand)
        adjudicate(visitor(page.address, "Cleo"), hand)
    told = hand.caseframe("export", casebook_run, "--reviewed")
    assert "two reviewers" in told and "kappa of Ann and Ben" in told and "time of Ann" in told
    check_tables(casebook_run / "reviewed")
    scores = casebook_run.parent / "scores"
    hand.caseframe("evaluate", casebook_run / "reviewed" / "evaluate.yaml", "-o", scores, "-q")
    (result,) = json.loads((scores / "metrics.json").read_text(encoding="utf-8"))["results"]
    fields = result["metrics"]["field"]
    assert result["articles"] == 2 and 0.5 < fields["micro"]["exact_f1"] < 1
    assert fields["sex"]["exact_f1"] == 1.0


def review_as_ann(page: Any, hand: Any) -> None:
    hand.shot(page, "queue")
    hand.accessible(page)
    page.goto(page.url + "article?id=pmid:1")
    hand.shot(page, "article")
    hand.accessible(page)
    assert page.evaluate("document.activeElement.dataset.status") == "open"
    hand.saved(page, "a")  # accept: the next open line has the focus
    assert page.evaluate("document.activeElement.dataset.status") == "open"
    page.focus(hand.line(page, "age"))
    hand.saved(page, "r")
    assert page.locator(hand.line(page, "age")).get_attribute("data-status") == "rejected"
    hand.saved(page, "u")
    assert page.locator(hand.line(page, "age")).get_attribute("data-status") == "open"
    correct_by_words(page, hand)
    add_by_words(page, hand)
    page.focus('#form .item[data-empty][data-field="recurrence"], ' + hand.line(page, "recurrence"))
    hand.saved(page, "n")
    page.focus(hand.line(page, "sex"))
    page.keyboard.press("m")
    page.keyboard.type("as told in the first sentence")
    before = page.locator("#work").get_attribute("data-revision")
    page.get_by_role("button", name="Save").click()
    page.wait_for_function("before => document.querySelector('#work').dataset.revision !== before", arg=before)
    assert page.get_by_text("as told in the first sentence").is_visible()
    page.keyboard.press("?")
    hand.shot(page, "help")
    hand.accessible(page)
    page.keyboard.press("Escape")
    hand.saved(page, "A")
    assert page.locator("#tally").inner_text().split(" of ")[0] == page.locator("#tally").inner_text().split()[2]
    hand.shot(page, "decided")
    finish(page, "pmid:1", "pmid:6", hand)
    hand.saved(page, "A")
    page.keyboard.press("d")
    page.wait_for_selector("text=2 of 2 articles reviewed")
    hand.shot(page, "done")


def finish(page: Any, here: str, there: str, hand: Any) -> None:
    assert page.locator("#work").get_attribute("data-id") == here
    page.keyboard.press("d")
    hand.ready(page, f'#work[data-id="{there}"]')


def correct_by_words(page: Any, hand: Any) -> None:
    page.focus(hand.line(page, "diagnosis"))
    hand.select(page, "sacral chordoma")
    page.keyboard.press("c")
    page.wait_for_selector(".editor")
    assert page.get_by_label("Words of the text").input_value() == "sacral chordoma"
    page.locator('.editor [name="value"]').fill("sacral chordoma")
    hand.shot(page, "editor")
    hand.accessible(page)
    hand.saved(page, "Enter")
    assert page.locator(hand.line(page, "diagnosis")).get_attribute("data-status") == "corrected"


def add_by_words(page: Any, hand: Any) -> None:
    hand.select(page, "catheterisation")
    page.keyboard.press("f")
    page.wait_for_selector(".editor")
    page.locator('.editor [name="field"]').select_option("therapy")
    page.wait_for_selector(".editor:not([data-loading])")
    page.locator('.editor [name="value"]').fill("catheter care")
    type_words(page)
    hand.shot(page, "adding")
    hand.saved(page, "Enter")
    assert page.locator(".value", has_text="catheter care").count() == 1


def type_words(page: Any) -> None:
    """Without a mouse: words can be typed as they stand in the text."""
    words = page.get_by_label("Words of the text")
    words.fill("no such words")
    words.press("Tab")
    assert page.get_by_text("do not stand in the text").is_visible()
    words.fill("intermittent catheterisation")
    words.press("Tab")
    assert page.get_by_text("do not stand in the text").count() == 0
    page.locator('.editor [name="value"]').focus()


def review_as_ben(page: Any, hand: Any) -> None:
    assert "Ann" not in page.content()
    page.goto(page.url + "article?id=pmid:1")
    assert "catheter care" not in page.content() and "as told in" not in page.content()
    hand.saved(page, "A")
    finish(page, "pmid:1", "pmid:6", hand)
    page.focus(hand.line(page, "diagnosis"))
    hand.saved(page, "r")
    hand.saved(page, "A")
    page.keyboard.press("d")
    page.wait_for_selector("text=2 of 2 articles reviewed")


def adjudicate(page: Any, hand: Any) -> None:
    page.get_by_role("link", name="Adjudication").first.click()
    hand.ready(page, "table.kappa")
    hand.shot(page, "adjudication")
    hand.accessible(page)
    for number in range(2):
        page.locator("table.queue tbody a").nth(0).click()
        hand.ready(page, ".dispute")
        if not number:
            hand.shot(page, "disagreements")
            hand.accessible(page)
        while page.locator(".dispute.open").count():
            hand.saved(page, "1")
        assert page.locator("#tally").inner_text() == "All settled"
        page.keyboard.press("q")
        hand.ready(page, "table.kappa")
    assert page.get_by_text("All disagreements are settled").is_visible()


def check_tables(folder: Path) -> None:
    with (folder / "cells.csv").open(encoding="utf-8-sig", newline="") as stream:
        cells = [row for row in csv.DictReader(stream) if row["article_id"] == "pmid:1"]
    (added,) = [cell for cell in cells if cell["value"] == "catheter care"]
    assert added["field"] == "therapy" and added["text"] == "intermittent catheterisation" and added["state"] == "added"
    (corrected,) = [cell for cell in cells if cell["value"] == "sacral chordoma"]
    assert corrected["machine_value"] == "chordoma" and corrected["text"] == "sacral chordoma"
    assert {cell["reviewed_by"] for cell in cells if cell["state"] == "accepted"} >= {"Ann, Ben"}
    assert {"cases.csv", "reviewed.xlsx", "gold.jsonl", "evaluate.yaml"} <= {path.name for path in folder.iterdir()}
