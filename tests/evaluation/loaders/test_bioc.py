"""BioC."""

from __future__ import annotations

import json
from typing import Any

import pytest

from caseframe.evaluation.loaders import load_spans
from caseframe.evaluation.loaders.alignment import HULL, WITHOUT_ID
from caseframe.evaluation.loaders.bioc import MOVED, RELATIVE

XML = """<?xml version="1.0"?><!DOCTYPE collection SYSTEM "BioC.dtd"><collection><source/><date/><key/>
<document><id>101</id>
<passage><infon key="type">title</infon><offset>0</offset><text>A toe &amp; a thumb</text>
<annotation id="T1"><infon key="type">Body</infon><location offset="2" length="3"/><text>toe</text></annotation>
</passage>
<passage><infon key="type">abstract</infon><offset>16</offset><text>Left and right arms hurt.</text>
<annotation id="T2"><infon key="type">Body</infon><location offset="16" length="4"/><location offset="31" length="4"/>
<text>Left arms</text></annotation>
<relation id="R1"><node refid="T1" role="x"/></relation>
</passage></document></collection>"""


def annotation(offset: object, length: object, text: str | None, type: str | None = "Body") -> dict[str, Any]:
    infons = {"type": type} if type else {}
    return {"id": "1", "infons": infons, "text": text, "locations": [{"offset": offset, "length": length}]}


def passage(offset: object, text: str | None, *annotations: object, **rest: object) -> dict[str, Any]:
    return {"infons": {}, "offset": offset, "text": text, "annotations": list(annotations), **rest}


def document(*passages: object, id: str = "101", **rest: object) -> dict[str, Any]:
    return {"id": id, "infons": {}, "passages": list(passages), **rest}


def collection(*documents: object) -> str:
    return json.dumps({"source": "", "date": "", "key": "", "documents": list(documents)})


def test_xml_with_title_and_pieces(folder: Any, covered: Any) -> None:
    corpus = load_spans("bioc", [folder(a__xml=XML)])
    (found,) = corpus.documents
    assert (found.article.article_id, found.article.title) == ("101", "A toe & a thumb")
    assert found.article.text == "A toe & a thumb\nLeft and right arms hurt."
    assert covered(corpus) == [("Body", "toe"), ("Body", "Left and right arms")]
    assert corpus.notes == {HULL: 1}


def test_json_is_read_alike(folder: Any) -> None:
    title = passage(0, "A toe & a thumb", annotation(2, 3, "toe"), infons={"type": "title"})
    arms = annotation(16, 4, "Left arms")
    arms["locations"].append({"offset": "31", "length": "4"})
    text = collection(document(title, passage(16, "Left and right arms hurt.", arms)))
    path = folder(a__json=text, a__xml=XML)
    in_json, in_xml = (load_spans("bioc", [path / name]).documents[0] for name in ("a.json", "a.xml"))
    assert in_json.article.text == in_xml.article.text
    assert in_json.article.title == in_xml.article.title
    assert in_json.spans == in_xml.spans


def test_offsets_count_from_the_document_or_else_from_the_passage(folder: Any, covered: Any, accounted: Any) -> None:
    body = passage(
        6, "Left arm and left leg", annotation(15, 3, "and"), annotation(5, 3, "arm"), annotation(9, 4, "leg")
    )
    corpus = load_spans("bioc", [folder(a__json=collection(document(passage(0, "A toe"), body)))])
    assert covered(corpus) == [("Body", "arm"), ("Body", "and")]
    assert corpus.notes == {RELATIVE: 1}
    assert [lost.reason for lost in corpus.unaligned] == ["the text reads 't ar' there"]
    assert accounted(corpus) == 3


def test_gaps_are_filled_and_overlaps_pushed_apart(folder: Any, covered: Any) -> None:
    gap = document(passage(0, "A toe"), passage(8, "hurt", annotation(8, 4, "hurt")))
    overlap = document(passage(0, "A toe"), passage(3, "hurt", annotation(3, 4, "hurt")), id="102")
    corpus = load_spans("bioc", [folder(a__json=collection(gap, overlap))])
    assert [found.article.text for found in corpus.documents] == ["A toe\n  hurt", "A toe\nhurt"]
    assert covered(corpus) == [("Body", "hurt"), ("Body", "hurt")]
    assert corpus.notes == {MOVED: 1}


def test_text_by_sentences_and_annotations_outside_of_passages(folder: Any, covered: Any) -> None:
    by_sentences = passage(
        0,
        None,
        annotation(0, 1, "A"),
        sentences=[passage(0, "A toe."), passage(7, "It hurt.", annotation(10, 4, "hurt"), annotation(0, 2, "It"))],
    )
    corpus = load_spans(
        "bioc", [folder(a__json=collection(document(by_sentences, annotations=[annotation(2, 3, "toe")])))]
    )
    assert corpus.documents[0].article.text == "A toe. It hurt."
    assert covered(corpus) == [("Body", "A"), ("Body", "toe"), ("Body", "It"), ("Body", "hurt")]


def test_annotations_without_type_place_or_document_are_unaligned(folder: Any, accounted: Any) -> None:
    placeless = {"infons": {"type": "Body"}, "text": "toe", "locations": []}
    first = document(passage(0, "A toe", annotation(2, 3, "toe", type=None), placeless))
    second = document(passage(0, "A thumb", annotation(2, 5, "thumb")), id="")
    corpus = load_spans("bioc", [folder(a__json=collection(first, second))])
    assert [lost.reason for lost in corpus.unaligned] == [
        "it has no type",
        "it has no place in the text",
        "its document has no id",
    ]
    assert (len(corpus.documents), corpus.notes) == (1, {WITHOUT_ID: 1})
    assert accounted(corpus) == 3


def test_without_words_the_offsets_are_trusted(folder: Any, covered: Any) -> None:
    corpus = load_spans("bioc", [folder(a__json=collection(document(passage(0, "A toe", annotation(2, 3, None)))))])
    assert covered(corpus) == [("Body", "toe")]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (document(passage(None, "A toe")), "the offset of a passage is None"),
        (document(passage("first", "A toe")), "the offset of a passage is 'first'"),
        (document(passage(10**8, "A toe")), "leaves a gap of 100,000,000 characters"),
        (document(passage(0, "A toe", annotation(2, "three", "toe"))), "the length of an annotation is 'three'"),
        (document(passage(0, "A toe", annotation(1.5, 3, "toe"))), "the offset of an annotation is 1.5"),
        (document(passage(0, ["A toe"])), "a text is ['A toe']"),
        (document(passage(0, "A toe", "toe")), "`annotations` is no list of objects"),
        (document("A toe"), "`passages` is no list of objects"),
    ],
)
def test_a_broken_document_is_named(folder: Any, refused: Any, broken: object, message: str) -> None:
    path = folder(a__json=collection(document(passage(0, "A toe"), id="100"), broken))
    error = refused("bioc", path)
    assert error.message.startswith(f"{path}/a.json, document 2: ")
    assert message in error.message


@pytest.mark.parametrize("content", [XML[:-60], XML.replace("</annotation>", "", 1), collection(document())[:-3]])
def test_a_file_that_is_cut_or_broken_is_named(folder: Any, refused: Any, content: str) -> None:
    path = folder(a__xml=content)
    assert f"{path}/a.xml" in refused("bioc", path).message


@pytest.mark.parametrize("entity", ["&b;", "&f;"])
def test_entities_are_never_expanded(folder: Any, refused: Any, entity: str) -> None:
    bomb = '<!DOCTYPE collection [<!ENTITY a "toe"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///dev/zero">]>'
    text = XML.replace('<!DOCTYPE collection SYSTEM "BioC.dtd">', bomb).replace("thumb", entity)
    path = folder(a__xml=text)
    assert f"{path}/a.xml: The <document> is broken XML" in refused("bioc", path).message


def test_half_characters_are_refused(folder: Any, refused: Any) -> None:
    path = folder(a__json=collection(document(passage(0, "A \ud83e toe"))))
    assert "half a character" in refused("bioc", path).message
