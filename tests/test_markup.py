"""How results show themselves in a notebook: every word of the text, marked, and nothing that runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from caseframe.markup import marked_text, marked_words
from caseframe.schema import FIELDS, Article, Case, Extraction, Finding

PLAIN = st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Zl", "Zp"])
TEXTS = st.text(PLAIN, max_size=30) | st.just("</div><script>alert(1)</script> {0} \"a\" 'b' &amp; <img onerror=x>")


@given(TEXTS, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(sorted(FIELDS)))))
def test_a_marked_text_is_the_text(text: str, spans: list[tuple[int, int, str]]) -> None:
    inside = [(start, end, field) for start, end, field in spans if end <= len(text)]
    tree = html.fromstring(marked_text(text, inside))
    for label in tree.xpath("//mark/span"):
        assert label.text.strip() in FIELDS
        label.drop_tree()
    assert not tree.xpath("//script | //img")
    assert " ".join(tree.text_content().split()) == " ".join(text.split()) or tree.xpath("//mark")
    assert "".join(tree.text_content().split()) == "".join(text.split())


def test_the_longest_of_overlapping_stretches_is_marked() -> None:
    tree = html.fromstring(marked_text("osteosarcoma of the sacrum", [(0, 26, "diagnosis"), (20, 26, "site")]))
    assert [mark.text.strip() for mark in tree.xpath("//mark")] == ["osteosarcoma of the sacrum"]


@given(TEXTS, st.integers(0, 30), st.integers(0, 30))
def test_words_are_marked_in_their_sentence(sentence: str, start: int, end: int) -> None:
    words = sentence[start:end]
    tree = html.fromstring(f"<p>{marked_words(sentence, words)}</p>")
    assert tree.text_content() == sentence
    assert tree.xpath("string(//mark)") == words


def test_a_result_shows_its_cases() -> None:
    article = Article("x", abstract="No <b>infection</b> was seen.")
    finding = Finding("complication", "<i>infection</i>", "<b>infection</b>", 3, 19, "absent", sentence=article.text)
    result = Extraction(article, (), (Case(1, findings=(finding,)), Case(2, "cohort")))
    tree = html.fromstring(f"<div>{result._repr_html_()}</div>")
    cells = [cell.text_content() for cell in tree.xpath("//td")]
    assert cells == ["Complication", "<i>infection</i>", "absent", "No <b>infection</b> was seen.", "1.00"]
    assert [line.text_content() for line in tree.xpath("//p/b")] == ["Case 1, patient", "Case 2, cohort"]
    assert not tree.xpath("//i | //td//b")
