from caseframe.evaluation.gold import GoldArticle, GoldFinding
from caseframe.evaluation.matching import exact, head_word, matched_pairs, micro, relaxed, score_article, total
from caseframe.schema import Article, Case, Extraction, Finding

TEXT = "A man had a plate fracture. The plate was removed; a second plate fracture followed."


def predicted(field: str, value: str | float, words: str, assertion: str = "present", nth: int = 0) -> Finding:
    start = -1
    for _ in range(nth + 1):
        start = TEXT.index(words, start + 1)
    return Finding(field, value, words, start, start + len(words), assertion=assertion)  # type: ignore[arg-type]


def test_exact_folds_spelling_and_number() -> None:
    assert exact(GoldFinding("diagnosis", "giant cell tumor"), Finding("diagnosis", "Giant-cell tumours", "x", 0, 1))
    assert not exact(GoldFinding("diagnosis", "giant cell tumor"), Finding("diagnosis", "tumor", "x", 0, 1))


def test_age_within_half_a_year_and_follow_up_within_one_percent() -> None:
    assert exact(GoldFinding("age", 34), Finding("age", 34.5, "", 0, 0))
    assert not exact(GoldFinding("age", 34), Finding("age", 35, "", 0, 0))
    assert exact(GoldFinding("follow_up", 24), Finding("follow_up", 24.2, "", 0, 0))
    assert not exact(GoldFinding("follow_up", 24), Finding("follow_up", 24.5, "", 0, 0))


def test_relaxed_takes_any_occurrence_of_the_words() -> None:
    gold = GoldFinding("complication", "implant fracture", "plate fracture")
    assert relaxed(gold, predicted("complication", "breakage", "plate fracture", nth=1), TEXT)
    assert not relaxed(gold, predicted("complication", "breakage", "removed"), TEXT)


def test_relaxed_by_head_word_and_never_across_assertions() -> None:
    gold = GoldFinding("complication", "implant fracture", "")
    assert relaxed(gold, predicted("complication", "plate fracture", "removed"), TEXT)
    assert not relaxed(gold, predicted("complication", "implant fracture", "plate fracture", "absent"), TEXT)


def test_closed_values_must_be_equal_though_spans_overlap() -> None:
    assert not relaxed(GoldFinding("sex", "female", "man"), predicted("sex", "male", "man"), TEXT)


def test_head_word() -> None:
    assert head_word("giant cell tumors of bone") == "tumor"
    assert head_word("fractures") == "fracture"


def test_matching_is_maximal() -> None:
    # A greedy matcher would take (0, 0) and leave row 1 without a partner.
    assert len(matched_pairs([[True, True], [True, False]])) == 2
    assert matched_pairs([]) == [] and matched_pairs([[], []]) == []


def test_counts_by_hand() -> None:
    gold = GoldArticle(
        "a", (GoldFinding("sex", "male", "man"), GoldFinding("implant", "plate", "plate"), GoldFinding("n_patients", 1))
    )
    found = (predicted("sex", "male", "man"), predicted("implant", "nail", "removed"))
    extraction = Extraction(
        Article.build(article_id="a", abstract=[("", TEXT)]),
        (Finding("n_patients", 2, "", 0, 0),),
        (Case(1, findings=found),),
    )
    sums = total([score_article(gold, extraction)])
    exact_micro, relaxed_micro = micro(sums)
    assert (exact_micro.matched, exact_micro.predicted, exact_micro.gold) == (1, 3, 3)
    assert relaxed_micro.f1 == exact_micro.f1 == 1 / 3
    assert sums["sex"][0].f1 == 1.0 and sums["implant"][1].precision == 0.0
