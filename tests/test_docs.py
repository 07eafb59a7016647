"""The documentation is true: generated pages are up to date, examples run, the README's commands work."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import caseframe

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, "-W", "ignore", str(ROOT / "docs" / "generate.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert result.failed == 0


def test_the_package_docstring_runs() -> None:
    assert doctest.testmod(caseframe).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_public_names() -> None:
    assert all(hasattr(caseframe, name) for name in caseframe.__all__)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in caseframe.__all__ if name not in page]
    assert not missing, f"docs/api.md does not name {missing}"
