"""Two windows, a program that dies, hostile and very long texts, small screens, fingers, the dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]

Visitor = Callable[..., Any]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'` \u202eesrever\u202c \u200f \U0001f9b4\U0001f9b4 {{7*7}} </textarea>"


@pytest.fixture(scope="module")
def hostile_run(run_of: Callable[..., Path]) -> Path:
    case = "A 34-year-old man with osteosarcoma of the femur underwent wide resection without infection."
    long = "The wound was clean and the flap was viable on each of the following days. " * 1400
    return run_of(
        {"pmid": "1", "title": f"{HOSTILE} osteosarcoma: a case report", "abstract": f"{HOSTILE} {case} He walked at 6 weeks {HOSTILE}."},
        {"pmid": "2", "title": "A long osteosarcoma: a case report", "abstract": f"{case} {long}"},
    )  # fmt: skip


def test_two_windows_on_one_article(hostile_run: Path, visitor: Visitor, hand: Any) -> None:
    with hand.served(hostile_run, "--reviewer", "Ann") as page:
        first, second = visitor(page.address), visitor(page.address)
        for window in (first, second):
            window.goto(f"{page.address.split('?')[0]}article?id=pmid:1")
        first.focus(hand.line(first, "age"))
        hand.saved(first, "a")
        second.focus(hand.line(second, "age"))
        second.keyboard.press("c")
        second.locator('.editor [name="value"]').fill("35")
        second.keyboard.press("Enter")
        second.wait_for_selector("#notice:not([hidden])")
        assert "changed in another window" in second.locator("#notice").inner_text()
        assert second.locator(hand.line(second, "age")).get_attribute("data-status") == "accepted"
        hand.shot(second, "two_windows")
        hand.accessible(second)
        second.get_by_role("button", name="Save mine again").click()
        second.wait_for_selector(f'{hand.line(second, "age")}[data-status="corrected"]')
        assert second.locator(".value", has_text="35 years").count() == 1 and second.locator("#notice").is_hidden()


def test_the_program_dies_and_nothing_confirmed_is_lost(hostile_run: Path, visitor: Visitor, hand: Any) -> None:
    with hand.served(hostile_run, "--reviewer", "Ben") as served:
        page = visitor(served.address)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        page.focus(hand.line(page, "age"))
        hand.saved(page, "a")
        served.process.kill()
        served.process.wait()
        page.focus(hand.line(page, "sex"))
        page.keyboard.press("r")
        page.wait_for_selector("#notice:not([hidden])")
        assert "NOT saved" in page.locator("#notice").inner_text()
        assert page.locator(hand.line(page, "sex")).get_attribute("data-status") == "open"
        hand.shot(page, "not_saved")
    with hand.served(hostile_run, "--reviewer", "Ben") as served:
        page = visitor(served.address)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        assert page.locator(hand.line(page, "age")).get_attribute("data-status") == "accepted"
        assert page.locator(hand.line(page, "sex")).get_attribute("data-status") == "open"


def test_hostile_text_is_text_and_offsets_hold_behind_it(hostile_run: Path, visitor: Visitor, hand: Any) -> None:
    with hand.served(hostile_run, "--reviewer", "Dora <b>") as served:
        page = visitor(served.address)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        assert "<script>alert(1)</script>" in page.locator("#text").inner_text()
        assert page.locator("#text script, #text img, #form script, .who b").count() == 0
        hand.select(page, "wide resection without infection")
        page.keyboard.press("f")
        page.wait_for_selector(".editor")
        page.locator('.editor [name="field"]').select_option("margin")
        page.wait_for_selector('.editor select[name="value"]')
        page.locator('.editor select[name="value"]').select_option("wide")
        before = page.locator("#work").get_attribute("data-revision")
        page.get_by_role("button", name="Save").click()
        page.wait_for_function("before => document.querySelector('#work').dataset.revision !== before", arg=before)
        added = page.locator('#form .item.added[data-field="margin"] q')
        assert added.inner_text().strip("“”") == "wide resection without infection"
        page.focus(hand.line(page, "age"))
        page.keyboard.press("m")
        page.locator(".editor textarea").fill(HOSTILE)
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector(".comment")
        hand.shot(page, "hostile")


def test_a_hundred_thousand_characters(hostile_run: Path, visitor: Visitor, hand: Any) -> None:
    with hand.served(hostile_run, "--reviewer", "Emil") as served:
        page = visitor(served.address)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:2")
        assert len(page.locator("#text").inner_text()) > 100_000
        hand.saved(page, "a")
        hand.saved(page, "A")


@pytest.mark.parametrize(
    ("width", "height", "name"), [(820, 1180, "tablet"), (1180, 820, "tablet_wide"), (390, 844, "phone")]
)
def test_small_screens_and_fingers(
    casebook_run: Path, visitor: Visitor, hand: Any, width: int, height: int, name: str
) -> None:
    with hand.served(casebook_run, "--reviewer", "Ann") as served:
        page = visitor(served.address, width=width, height=height, has_touch=True, is_mobile=True)
        hand.fits(page)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        hand.fits(page)
        before = page.locator("#work").get_attribute("data-revision")
        page.locator(f'{hand.line(page, "age")} [data-act="accept"]').tap()
        page.wait_for_function("before => document.querySelector('#work').dataset.revision !== before", arg=before)
        size = page.locator(f'{hand.line(page, "sex")} [data-act="accept"]').bounding_box()
        assert size["width"] >= 40 and size["height"] >= 40
        hand.shot(page, name)
        hand.accessible(page)


def test_in_the_dark_and_reading_only(casebook_run: Path, visitor: Visitor, hand: Any) -> None:
    with hand.served(casebook_run, "--reviewer", "Ann") as served:
        page = visitor(served.address, color_scheme="dark")
        hand.accessible(page)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        hand.saved(page, "a")
        hand.saved(page, "r")
        page.keyboard.press("c")
        page.wait_for_selector(".editor")
        hand.shot(page, "dark")
        hand.accessible(page)
    with hand.served(casebook_run, "--reviewer", "Ann", "--read-only") as served:
        page = visitor(served.address)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        page.keyboard.press("a")
        page.keyboard.press("A")
        assert page.locator(".item.accepted").count() == 1 and page.get_by_text("read only").is_visible()


def test_letter_keys_can_be_switched_off(casebook_run: Path, visitor: Visitor, hand: Any) -> None:
    with hand.served(casebook_run, "--reviewer", "Ann") as served:
        page = visitor(served.address)
        page.goto(f"{served.address.split('?')[0]}article?id=pmid:1")
        page.keyboard.press("?")
        page.get_by_label("Letter keys are on").uncheck()
        page.keyboard.press("Escape")
        before = page.locator("#work").get_attribute("data-revision")
        page.keyboard.press("r")
        page.keyboard.press("A")
        page.locator('[data-act="accept"]').first.click()
        page.wait_for_function("before => document.querySelector('#work').dataset.revision !== before", arg=before)
        assert page.locator(".item.rejected").count() == 0 and page.locator(".item.accepted").count() == 1
