"""A real browser, a real run, and the command that serves it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "outputs" / "screens"
CASEBOOK = ROOT / "tests" / "data" / "casebook" / "texts.jsonl"
COMMAND = [sys.executable, "-W", "ignore", "-c", "from caseframe.cli import main; main()"]
NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
HEADLESS_SHELL = Path("/usr/lib/chromium/chromium-headless-shell")


def chromium_path() -> str | None:
    """CASEFRAME_CHROMIUM, else what the system has; None where only Playwright's own can be tried."""
    given = os.environ.get("CASEFRAME_CHROMIUM")
    found = [given] if given else [shutil.which(name) for name in NAMES]
    if HEADLESS_SHELL.exists():
        found.append(str(HEADLESS_SHELL))
    return next(filter(None, found), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        sandbox = [] if os.name == "nt" or os.geteuid() else ["--no-sandbox"]  # Chromium has none for root
        try:
            opened = playwright.chromium.launch(executable_path=chromium_path(), args=sandbox)
        except Error as error:
            pytest.skip(f"no Chromium ({str(error).splitlines()[0]}): install one, or name it in CASEFRAME_CHROMIUM")
        yield opened
        opened.close()


def caseframe(*arguments: str | Path) -> str:
    """Runs the command line; what it prints."""
    result = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@dataclass
class Served:
    """A page that `caseframe review` serves."""

    address: str
    process: subprocess.Popen[str]


@contextmanager
def served(run: Path, *options: str) -> Iterator[Served]:
    """`caseframe review` until the end of the block."""
    process = subprocess.Popen(
        [*COMMAND, "review", str(run), "--no-browser", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield Served(process.stdout.readline().strip(), process)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Extracts invented articles, given as JSON objects, to a run directory."""

    def extract(*articles: dict[str, object]) -> Path:
        folder = tmp_path_factory.mktemp("browser")
        lines = "".join(json.dumps(article) + "\n" for article in articles)
        (folder / "articles.jsonl").write_text(lines, encoding="utf-8")
        caseframe("extract", folder / "articles.jsonl", "-o", folder / "sarcoma", "-q")
        return folder / "sarcoma"

    return extract


@pytest.fixture(scope="session")
def casebook_extracted(run_of: Callable[..., Path]) -> Path:
    """Two articles of the casebook."""
    texts = [json.loads(line) for line in CASEBOOK.read_text(encoding="utf-8").splitlines()]
    return run_of(
        *({"pmid": str(number), "title": texts[number - 1]["title"], "abstract": texts[number - 1]["sections"]}
          for number in (1, 6))
    )  # fmt: skip


@pytest.fixture
def casebook_run(casebook_extracted: Path, tmp_path: Path) -> Path:
    """That run, not reviewed yet."""
    return Path(shutil.copytree(casebook_extracted, tmp_path / "sarcoma"))


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page as a reviewer, in a browser profile of their own; errors and dialogs of the page are failures."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def come(address: str, name: str = "", *, width: int = 1280, height: int = 800, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        watch(page, troubles)
        page.goto(address)
        if "token=" in address:
            ready(page, "header.top")  # behind the page that takes the token
        if name:
            page.get_by_label("Name or initials").fill(name)
            page.get_by_role("button", name="Start").click()
            ready(page, "table.queue")
        return page

    yield come
    for context in contexts:
        context.close()
    assert not troubles


def watch(page: Page, troubles: list[str]) -> None:
    """Notes what no page should do: script errors, refusals of the policy, dialogs, requests to elsewhere."""
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("console", lambda line: troubles.append(line.text) if "Security Policy" in line.text else None)
    page.on("request", lambda request: None if _near(request.url) else troubles.append(request.url))

    def refuse(dialog: object) -> None:
        if dialog.type != "beforeunload":  # type: ignore[attr-defined]
            troubles.append(f"dialog: {dialog.message}")  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", refuse)


def _near(address: str) -> bool:
    return "//127.0.0.1:" in address or address.startswith(("file:", "blob:"))


def shot(page: Page, name: str) -> None:
    """Keeps a picture of the screen, to be looked at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def fits(page: Page) -> None:
    """Fails where the page is wider than the screen."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen


def accessible(page: Page, *, leave: tuple[str, ...] = ()) -> None:
    """Fails where axe-core finds what keeps people out."""
    found = Axe().run(page).response["violations"]
    told = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
        if each["id"] not in leave
    ]
    assert not told, "\n".join(told)


def select(page: Page, words: str) -> None:
    """Selects the first place of some words in the text, as a mouse would: across marks, too."""
    page.evaluate(
        """words => {
            const pieces = [...document.querySelectorAll('#text [data-start]')];
            const all = pieces.map(piece => piece.textContent).join('');
            const at = all.indexOf(words);
            const range = document.createRange();
            let before = 0;
            for (const piece of pieces) {
                const size = piece.textContent.length;
                if (at >= before && at < before + size) range.setStart(piece.firstChild, at - before);
                if (at + words.length > before && at + words.length <= before + size) {
                    range.setEnd(piece.firstChild, at + words.length - before);
                    break;
                }
                before += size;
            }
            const selection = document.getSelection();
            selection.removeAllRanges();
            selection.addRange(range);
        }""",
        words,
    )
    page.wait_for_function("chosen !== null")


def ready(page: Page, selector: str) -> None:
    """Waits for a page that shows something and listens: its script runs when it is whole, not when it is seen."""
    page.wait_for_selector(selector)
    page.wait_for_load_state()


def saved(page: Page, key: str) -> None:
    """Presses a key and waits until the page knows the new state."""
    before = page.locator("#work").get_attribute("data-revision")
    page.keyboard.press(key)
    page.wait_for_function("before => document.querySelector('#work').dataset.revision !== before", arg=before)


def line(page: Page, field: str) -> str:
    """Selector of the first finding of a field."""
    return f'#form .item[data-item][data-field="{field}"]'


@pytest.fixture(scope="session")
def hand() -> SimpleNamespace:
    """What the tests do again and again."""
    return SimpleNamespace(
        accessible=accessible,
        caseframe=caseframe,
        fits=fits,
        line=line,
        ready=ready,
        saved=saved,
        select=select,
        served=served,
        shot=shot,
    )
