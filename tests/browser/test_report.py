"""The report in a real browser, opened from disk: every cell leads to its words, filters and downloads, nothing runs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caseframe.report.page import write_report

pytestmark = [pytest.mark.slow, pytest.mark.browser]
HOSTILE = '</script><script>window.broken = 1</script><img src=x onerror="window.broken = 2"> \u202egnorts \U0001f9b4'


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, write_run: Any, make_case: Any) -> str:
    cases = [
        make_case(n, age=20 + n, follow_up=n, recurred=n if n % 2 else None, year=2000 + n % 9) for n in range(1, 40)
    ]
    cases.append(make_case(40, title=f"=1+1 {HOSTILE}", age=90, text=f"{HOSTILE} " + "word " * 20_000 + "A {age}-year-old woman "
        "underwent hemisacrectomy for osteosarcoma of the sacrum with a titanium plate. Infection was denied."))  # fmt: skip
    run = write_run(tmp_path_factory.mktemp("report") / "run", cases)
    return write_report(run).page.as_uri()


@pytest.fixture
def page(address: str, visitor: Callable[..., Any]) -> Any:
    page = visitor(address)
    page.wait_for_selector("#grid:not([hidden])")
    return page


def told(page: Any) -> str:
    return str(page.locator("#count").inner_text())


def test_a_cell_opens_its_sentence(page: Any, hand: Any) -> None:
    hand.shot(page, "report")
    hand.accessible(page)
    page.locator("#grid tbody tr").first.get_by_role("button", name="no infection").click()
    panel = page.get_by_role("dialog")
    assert panel.locator(".sentence mark").inner_text() == "Infection was denied"
    assert "absent" in panel.inner_text() and "40 %" in panel.inner_text()
    panel.get_by_role("button", name="Show the whole text").click()
    assert panel.locator(".whole mark").count() > 5
    hand.shot(page, "report_cell")
    hand.accessible(page)
    page.keyboard.press("ArrowRight")
    assert panel.locator(".value").inner_text() != "no infection"
    page.keyboard.press("Escape")
    assert panel.is_hidden() and "no infection" in page.evaluate("document.activeElement.textContent")


def test_filters_sorting_and_columns(page: Any) -> None:
    assert told(page).startswith("40 cases, 1–25")
    page.get_by_label("Filter Age").fill("30-39")
    page.locator("#count", has_text="10 of 40").wait_for()
    page.get_by_role("button", name="Age").click()
    page.get_by_role("button", name="Age").click()
    assert page.locator("#grid tbody td .chip").first.inner_text() == "39"
    page.get_by_label("Filter Recurrence").select_option("!")
    page.locator("#count", has_text="5 of 40").wait_for()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Follow-up", exact=True).uncheck()
    assert page.get_by_role("button", name="Follow-up").count() == 0
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Search in text and values").fill("gnorts")
    page.locator("#count", has_text="1 of 40").wait_for()
    page.locator("#coverage tr[data-field=recurrence] button").click()
    page.locator("#count", has_text="20 of 40").wait_for()


def test_what_is_shown_is_downloaded_and_no_formula(page: Any, tmp_path: Path) -> None:
    page.get_by_label("Filter Age").fill(">=58")
    page.locator("#count", has_text="3 of 40").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "evidence.csv")
    with (tmp_path / "evidence.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["age"] for row in rows] == ["58", "59", "90"] and rows[2]["title"].startswith("'=1+1 </script>")
    assert rows[0]["complication"] == "no infection" and "margin" not in rows[0]


def test_hostile_text_stays_text(page: Any) -> None:
    page.get_by_label("Filter Age").fill("90")
    page.locator("#count", has_text="1 of 40").wait_for()
    page.locator("#grid tbody td .chip", has_text="hemisacrectomy").click()
    assert page.locator(".panel .sentence mark").inner_text() == "hemisacrectomy"
    page.get_by_role("button", name="Show the whole text").click()
    assert "</script><script>" in page.locator(".panel .whole").inner_text()
    assert page.evaluate("window.broken") is None


def test_a_small_screen_and_paper(page: Any, hand: Any, visitor: Callable[..., Any], address: str) -> None:
    small = visitor(address, width=820, height=1100, color_scheme="dark")
    small.wait_for_selector("#grid:not([hidden])")
    hand.fits(small)
    hand.accessible(small)
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF") and paper.count(b"/Type /Page\n") > 3
    assert page.locator("#grid tbody tr").count() == 25 and page.get_by_label("Filter Age").is_visible()
