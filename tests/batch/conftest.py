"""Fixtures of the tests of runs."""

from __future__ import annotations

import pytest

from caseframe.batch import plan


@pytest.fixture
def many_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of a few records."""
    monkeypatch.setattr(plan, "SMALLEST", 1000)
