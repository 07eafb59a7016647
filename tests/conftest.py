"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from spacy.language import Language

from caseframe.pipeline import assemble

ROOT = Path(__file__).resolve().parent.parent

# Deadlines would make slow machines fail; examples stay few so that the suite stays quick.
settings.register_profile("caseframe", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("caseframe")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The development data, where there is any."""
    folder = Path(os.environ.get("CASEFRAME_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "articles").is_dir():
        pytest.skip(f"no development data in {folder} (set CASEFRAME_DATA)")
    return folder


@pytest.fixture(scope="session")
def nlp() -> Language:
    """The whole pipeline, assembled once."""
    return assemble()
