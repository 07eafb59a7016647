from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import bioc
import pytest
from bioc import biocjson, biocxml
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import BrokenFile
from caseframe.schema import Article, Failure
from caseframe.sources import bioc_format
from caseframe.sources.base import ReadOptions

PASSAGES = [
    ({"type": "front", "section_type": "TITLE", "article-id_pmid": "30000001", "article-id_pmc": "900",
      "article-id_doi": "10.1000/x", "year": "2012", "kwd": "rib; reed", "journal-title": "J Bone",
      "name_0": "surname:Hill;given-names:Anna Lisa"}, "Ribs of reed"),
    ({"type": "abstract_title_1", "section_type": "ABSTRACT"}, "Background"),
    ({"type": "abstract", "section_type": "ABSTRACT"}, "Ribs break."),
    ({"type": "abstract_title_1", "section_type": "ABSTRACT"}, "Case"),
    ({"type": "abstract", "section_type": "ABSTRACT"}, "A reed cutter fell."),
    ({"type": "title_1", "section_type": "INTRO"}, "Introduction"),
    ({"type": "paragraph", "section_type": "INTRO"}, "Reed is light."),
    ({"type": "fig_caption", "section_type": "FIG"}, "Figure 1. Reed."),
    ({"type": "table", "section_type": "TABLE"}, "reed\t5"),
    ({"type": "paragraph", "section_type": "DISCUSS"}, "It bends."),
    ({"type": "title", "section_type": "REF"}, "References"),
    ({"type": "ref", "section_type": "REF"}, "Old reeds."),
]  # fmt: skip


def collection(count: int = 1) -> bioc.BioCCollection:
    """Made with the bioc package, so that the reader is held against another's writer."""
    made = bioc.BioCCollection()
    made.source, made.date, made.key = "tests", "2020", "key"
    for number in range(count):
        document = bioc.BioCDocument()
        document.id = str(900 + number)
        for infons, text in PASSAGES:
            passage = bioc.BioCPassage()
            passage.infons, passage.text, passage.offset = infons, text, 0
            document.add_passage(passage)
        made.add_document(document)
    return made


def as_json(count: int = 1) -> str:
    return str(biocjson.dumps(collection(count)))


def as_xml(count: int = 1) -> str:
    return str(biocxml.dumps(collection(count)))


@pytest.mark.parametrize("text", [as_json(), as_xml()], ids=["json", "xml"])
def test_both_forms_read_the_same(reading: Any, text: str) -> None:
    assert bioc_format.sniff(text, "x")
    found = reading.article(bioc_format, text)
    assert (found.title, found.pmid, found.pmcid, found.doi) == ("Ribs of reed", "30000001", "PMC900", "10.1000/x")
    assert reading.labelled(found) == [("Background", "Ribs break."), ("Case", "A reed cutter fell.")]
    assert (found.year, found.journal, found.authors, found.keywords) == (2012, "J Bone", ("Hill AL",), ("rib", "reed"))
    body = reading.article(bioc_format, text, body=True).body
    assert body == "Reed is light.\nIt bends."


@pytest.mark.parametrize(
    ("identifier", "pmid", "pmcid", "article_id"),
    [
        ("30000001", "30000001", "", "pmid:30000001"),
        ("PMC900", "", "PMC900", "pmcid:PMC900"),
        ("note 7", "", "", "note 7"),
    ],
)
def test_ids_of_documents(reading: Any, identifier: str, pmid: str, pmcid: str, article_id: str) -> None:
    document = {"id": identifier, "passages": [{"infons": {"type": "title"}, "text": "Rib"}]}
    found = reading.article(bioc_format, json.dumps({"documents": [document]}))
    assert (found.pmid, found.pmcid, found.article_id) == (pmid, pmcid, article_id)


def test_the_shapes_of_json_that_services_send(reading: Any) -> None:
    document = json.dumps({"id": "7", "passages": [{"infons": {"type": "title"}, "text": "Rib"}]})
    shapes = (
        f'{{"documents": [{document}, {document}]}}',
        f'[{{"source": "PMC", "documents": [{document}]}}, {{"documents": [{document}]}}]',
        f'{{"PubTator3": [{document}, {document}]}}',
        f"{document}\n{document}\n",
        f"[{document}, {document}]",
    )
    for shape in shapes:
        assert bioc_format.sniff(shape, "x.json")
        assert [found.title for found in reading.articles(bioc_format, shape)] == ["Rib", "Rib"]


def test_sentences_in_place_of_text(reading: Any) -> None:
    document = (
        '<collection><document><id>7</id><passage><infon key="type">abstract</infon>'
        "<sentence><text>One.</text></sentence><sentence><text>Two.</text></sentence></passage></document></collection>"
    )
    assert reading.article(bioc_format, document).abstract == "One. Two."


def test_a_doctype_is_no_harm(reading: Any) -> None:
    text = as_xml().replace("<collection>", '<!DOCTYPE collection SYSTEM "BioC.dtd"><collection>', 1)
    assert reading.article(bioc_format, text).title == "Ribs of reed"


@pytest.mark.parametrize(
    "subset",
    ['<!ENTITY e SYSTEM "file:///etc/hostname">', '<!ENTITY a "ha"><!ENTITY e "&a;&a;&a;&a;&a;&a;&a;&a;">'],
    ids=["external", "bomb"],
)
def test_entities_are_failures(reading: Any, subset: str) -> None:
    good = "<document><id>7</id><passage><infon key='type'>title</infon><text>{}</text></passage></document>"
    text = f"<!DOCTYPE collection [{subset}]><collection>{good.format('&e;')}{good.format('Rib')}</collection>"
    first, second = reading.records(bioc_format, text)
    assert (first.error, second.title) == ("BrokenRecord", "Rib")


def test_failures_cost_only_their_document(reading: Any) -> None:
    xml = as_xml(3).replace("<id>901</id>", "<id>901</id", 1)
    assert [type(record).__name__ for record in reading.records(bioc_format, xml)] == ["Article", "Failure", "Article"]
    documents = json.loads(as_json(4))["documents"]
    documents[1]["passages"] = "none"
    documents[2]["passages"][0]["text"] = "x" * 9000
    text = json.dumps({"documents": documents})
    found = reading.records(bioc_format, text, max_record_bytes=8000)
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Failure", "Article"]


@pytest.mark.parametrize("text", [as_json(3), as_xml(3)], ids=["json", "xml"])
def test_a_file_that_is_cut_off(text: str) -> None:
    reader = bioc_format.read(io.BytesIO(text[: len(text) // 2].encode()), "f", ReadOptions())
    assert isinstance(next(reader), Article)
    with contextlib.suppress(BrokenFile):
        assert isinstance(next(reader), Failure)
        return
    assert next(reader, None) is None


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["infons", "text", "passages", "id", "type", "sentences"]), inner)
        ),
    )
)
def test_any_value_as_document(reading: Any, value: object) -> None:
    text = json.dumps(
        {"documents": [{"id": 7, "infons": value, "passages": [value, {"infons": value, "text": value}]}, value]}
    )
    assert len(reading.records(bioc_format, text)) == 2
