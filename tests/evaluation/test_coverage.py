"""Cells filled right, filled otherwise, left empty."""

from __future__ import annotations

import pytest

from caseframe.evaluation.coverage import Coverage, coverage
from caseframe.evaluation.records import ArticleScore, Counts


def score(**relaxed: tuple[int, int, int]) -> ArticleScore:
    counts = {(field, "relaxed"): Counts(*numbers) for field, numbers in relaxed.items()}
    return ArticleScore("a", counts | {(field, "exact"): Counts(0, 9, 9) for field in relaxed})


def test_by_hand() -> None:
    # matched, predicted, gold: of 4 gold cells 1 is right; of the 3 others 2 have a prediction beside them.
    assert coverage([score(symptom=(1, 3, 4))])["symptom"] == Coverage(1 / 4, 2 / 4, 1 / 4)


def test_predictions_of_one_article_fill_no_cell_of_another() -> None:
    apart = coverage([score(symptom=(0, 2, 0)), score(symptom=(0, 0, 2))])
    assert apart["symptom"] == Coverage(0, 0, 1)


def test_more_predictions_than_cells_fill_no_more_than_the_cells() -> None:
    assert coverage([score(age=(0, 5, 1))])["age"] == Coverage(0, 1, 0)


def test_sums_over_fields() -> None:
    shares = coverage([score(n_patients=(1, 1, 1), age=(0, 1, 1), sex=(0, 0, 2))])
    assert list(shares) == ["micro", "micro_case", "n_patients", "age", "sex"]
    assert shares["micro"] == Coverage(1 / 4, 1 / 4, 2 / 4)
    assert shares["micro_case"] == Coverage(0, 1 / 3, 2 / 3)


def test_a_field_without_gold_has_no_coverage() -> None:
    assert "symptom" not in coverage([score(symptom=(0, 3, 0), age=(1, 1, 1))])
    assert coverage([]) == {}


@pytest.mark.parametrize("numbers", [(1, 3, 4), (0, 0, 3), (7, 9, 7)])
def test_shares_add_up_to_one(numbers: tuple[int, int, int]) -> None:
    shares = coverage([score(symptom=numbers)])["symptom"]
    assert shares.right + shares.wrong + shares.empty == pytest.approx(1)
