import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.schema import FIELDS, NO_ATTRIBUTES, Article, Attributes, Origin, article_id_of

parts = st.lists(st.tuples(st.text(max_size=12), st.text(max_size=40)), max_size=5)


@given(st.text(max_size=40), parts, parts)
def test_sections_cover_the_abstract_and_the_body(
    title: str, abstract: list[tuple[str, str]], body: list[tuple[str, str]]
) -> None:
    article = Article.build(title=title, abstract=abstract, body=body, pmid="1")
    kept = [" ".join(text.split()) for _, text in (*abstract, *body) if text.split()]
    assert [article.text[section.start : section.end] for section in article.sections] == kept
    assert article.text.startswith(article.title)


def test_text_is_title_newline_sections() -> None:
    article = Article.build(title="A  title", abstract=[("Background", "One."), ("", "Two.")], pmid="7")
    assert article.text == "A title\nOne.\nTwo."
    assert [section.label for section in article.sections] == ["Background", ""]
    assert article.article_id == "pmid:7"


def test_ids_fall_back_to_the_place() -> None:
    origin = Origin("dump.csv", 3)
    assert article_id_of(pmcid="PMC1", doi="10.1/X", origin=origin) == "pmcid:PMC1"
    assert article_id_of(doi="10.1/X", origin=origin) == "doi:10.1/x"
    assert article_id_of(origin=origin) == "dump.csv#3"


def test_attributes_are_immutable_hashable_and_picklable() -> None:
    attributes = Attributes({"material": ("titanium",), "brand": "X"})
    assert list(attributes) == ["brand", "material"]
    assert pickle.loads(pickle.dumps(attributes)) == attributes
    assert hash(attributes) == hash(Attributes([("brand", "X"), ("material", ("titanium",))]))
    assert NO_ATTRIBUTES == {}
    with pytest.raises(KeyError):
        attributes["site"]
    with pytest.raises(TypeError):
        attributes["site"] = "femur"  # type: ignore[index]


def test_closed_fields_list_their_choices() -> None:
    for spec in FIELDS.values():
        assert (spec.type == "choice") == bool(spec.choices), spec.name
        assert spec.description.endswith((".", "…"))
