import pytest

from caseframe.batch.select import parse_condition
from caseframe.errors import ConfigError
from caseframe.schema import Article, MeshHeading

ARTICLE = Article.build(
    title="Osteosarcoma of the jaw",
    abstract=[("", "A man was treated.")],
    pmid="5",
    year=2012,
    publication_types=("Case Reports", "Journal Article"),
    language="eng",
    mesh=(MeshHeading("Jaw Neoplasms"),),
)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("year>=2012", True),
        ("year > 2012", False),
        ("year!=2011", True),
        ("type=case reports", True),
        ("type!=Case Reports", False),
        ("words=osteosarcoma", True),
        ("words=sarcoma", False),
        ("words!=giant cell", True),
        ("language=eng", True),
        ("mesh=jaw neoplasms", True),
        ("pmid=6", False),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    assert parse_condition(condition)(ARTICLE) is holds


def test_an_unknown_year_meets_no_condition() -> None:
    assert not parse_condition("year<3000")(Article.build(title="x", pmid="1"))


@pytest.mark.parametrize("condition", ["", "year", "author=Smith", "year>=two", "words>3", "type>=x", "year=²"])
def test_bad_conditions_say_how_to_write_one(condition: str) -> None:
    with pytest.raises(ConfigError, match="Write"):
        parse_condition(condition)
