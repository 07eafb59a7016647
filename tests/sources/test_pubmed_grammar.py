from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, MeshHeading, Origin
from caseframe.sources.pubmed_grammar import usual_article
from caseframe.sources.pubmed_tree import article_of
from caseframe.sources.xml import RawRecord, parse

ORIGIN = Origin("f.xml", 7, "pubmed_xml")
USUAL = """<PubmedArticle>
  <MedlineCitation Status="MEDLINE" Owner="NLM">
    <PMID Version="2">123456</PMID>
    <DateRevised><Year>2016</Year><Month>01</Month><Day>02</Day></DateRevised>
    <Article PubModel="Print-Electronic">
      <Journal>
        <ISSN IssnType="Print">0000-0000</ISSN>
        <JournalIssue CitedMedium="Print"><Volume>7</Volume><Issue>2</Issue>
          <PubDate><Year>2015</Year><Month>Aug</Month><Day>15</Day></PubDate></JournalIssue>
        <Title>The Journal of Bones &amp; Joints</Title><ISOAbbreviation>J Bones</ISOAbbreviation>
      </Journal>
      <ArticleTitle>[Giant cell tumor of the <i>sacrum</i> (r<sup>2</sup>)].</ArticleTitle>
      <Pagination><MedlinePgn>1-7</MedlinePgn></Pagination>
      <ELocationID EIdType="pii" ValidYN="Y">S1</ELocationID>
      <ELocationID EIdType="doi" ValidYN="Y">10.1000/elocation</ELocationID>
      <Abstract>
        <AbstractText Label="BACK&amp;GROUND" NlmCategory="BACKGROUND">It is
          rare: PM&lt;sub&gt;2.5&lt;/sub&gt;.</AbstractText>
        <AbstractText Label="CASE" NlmCategory="UNASSIGNED">A man, P &lt; 0.05&#xa0;&#177; 1.</AbstractText>
        <AbstractText NlmCategory="CONCLUSIONS">He healed.</AbstractText>
        <CopyrightInformation>Copyright 2015 by nobody.</CopyrightInformation>
      </Abstract>
      <AuthorList CompleteYN="Y">
        <Author ValidYN="Y"><LastName>Roe</LastName><ForeName>Jane Ann</ForeName><Initials>JA</Initials>
          <Identifier Source="ORCID">0000</Identifier>
          <AffiliationInfo><Affiliation>Here &amp; there.</Affiliation></AffiliationInfo></Author>
        <Author ValidYN="Y"><LastName>Doe</LastName><ForeName>Jo-Li</ForeName><Suffix>Jr</Suffix></Author>
        <Author ValidYN="Y"><CollectiveName>Bone  Group</CollectiveName></Author>
      </AuthorList>
      <Language>ger</Language><Language>eng</Language>
      <GrantList CompleteYN="Y"><Grant><GrantID>1</GrantID><Country>Chile</Country></Grant></GrantList>
      <PublicationTypeList><PublicationType UI="D002363">Case Reports</PublicationType>
        <PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList>
      <VernacularTitle>Riesenzelltumor des Kreuzbeins.</VernacularTitle>
      <ArticleDate DateType="Electronic"><Year>2014</Year><Month>12</Month><Day>31</Day></ArticleDate>
    </Article>
    <MedlineJournalInfo><MedlineTA>J Bones</MedlineTA></MedlineJournalInfo>
    <ChemicalList><Chemical><NameOfSubstance UI="D1">Salt</NameOfSubstance></Chemical></ChemicalList>
    <CitationSubset>IM</CitationSubset>
    <MeshHeadingList>
      <MeshHeading><DescriptorName UI="D012447" MajorTopicYN="N">Sacrum</DescriptorName>
        <QualifierName UI="Q000601" MajorTopicYN="Y">surgery</QualifierName>
        <QualifierName UI="Q000000" MajorTopicYN="N">pathology</QualifierName></MeshHeading>
      <MeshHeading><DescriptorName UI="D006801" MajorTopicYN="N" Type="Other">Humans</DescriptorName></MeshHeading>
    </MeshHeadingList>
    <KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">sacrum</Keyword><Keyword>tumor</Keyword></KeywordList>
    <KeywordList Owner="NASA"><Keyword>tumor</Keyword><Keyword><i>space</i></Keyword></KeywordList>
    <CoiStatement>None.</CoiStatement>
  </MedlineCitation>
  <PubmedData>
    <History><PubMedPubDate PubStatus="pubmed"><Year>2015</Year></PubMedPubDate></History>
    <PublicationStatus>ppublish</PublicationStatus>
    <ArticleIdList><ArticleId IdType="pubmed">123456</ArticleId><ArticleId IdType="pmc">PMC77</ArticleId>
      <ArticleId IdType="doi">10.1000/own&lt;3::aid&gt;</ArticleId></ArticleIdList>
  </PubmedData>
</PubmedArticle>"""
STARTS = [place for place, character in enumerate(USUAL) if character in "<>"]
SNIPPETS = [
    *"<>&\"' =/\u00a0é\n",
    "x", "<i>", "</i>", "<i/>", "<b>b</b>", "&amp;", "&#65;", "&#xe9;", "&#0;", "&eacute;", "&lt;i&gt;", "<!-- c -->",
    "<![CDATA[x]]>", "]]>", "<?p?>", ' a="b>c"', " a='b'", ' UI="D9"', ' Label=" "', ' xmlns="u"', "<a:b/>", "<math/>",
    "<PMID>9</PMID>", "<Article>", "</Article>", "<Journal/>", "<Title>T</Title>", "<Title/>", "<Abstract>", "</Abstract >",
    "<AbstractText/>", "<AbstractText>t</AbstractText>", "</AbstractText>", "<Author>", "</Author>", "<LastName>L</LastName>",
    "<LastName> </LastName>", "<Initials/>", "<FirstName>F</FirstName>", "<AuthorList>", "</AuthorList>", "<Language/>",
    "<Language>fre</Language>", "<PublicationType>Review</PublicationType>", "<MeshHeading>", "</MeshHeading>",
    "<DescriptorName>D</DescriptorName>", "<KeywordList>", "</KeywordList>", "<Keyword>k</Keyword>", "<Year>1999</Year>",
    "<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", "<Month>2</Month>", "<ArticleDate/>", "<ChemicalList>", "</ChemicalList>",
    "<OtherAbstract Language='fre'><AbstractText>o</AbstractText></OtherAbstract>", "<VernacularTitle>V</VernacularTitle>",
    "<ArticleIdList/>", '<ArticleId IdType="doi">10.1000/other</ArticleId>', "<PubmedData/>", "<MedlineCitation>",
]  # fmt: skip


def by_tree(raw: bytes) -> Article | None:
    try:
        return article_of(parse(RawRecord("PubmedArticle", raw)), ORIGIN)
    except BrokenRecord:
        return None


def agree(raw: bytes) -> None:
    """What the grammar reads at all is what a tree gives, texts included."""
    usual = usual_article(raw, ORIGIN)
    if usual is not None:
        whole = by_tree(raw)
        assert usual == whole
        assert whole is not None
        assert usual.text == whole.text


def test_a_usual_record_needs_no_tree() -> None:
    article = usual_article(USUAL.encode(), ORIGIN)
    assert article is not None
    assert article == by_tree(USUAL.encode())
    assert (article.article_id, article.version, article.doi) == ("pmid:123456", 2, "10.1000/own")
    assert article.text.split("\n") == [
        "Giant cell tumor of the sacrum (r2)", "It is rare: PM2.5.", "A man, P < 0.05 ± 1.", "He healed.",
    ]  # fmt: skip
    assert [section.label for section in article.sections] == ["BACK&GROUND", "CASE", "CONCLUSIONS"]
    assert article.authors == ("Roe JA", "Doe JL Jr", "Bone Group")
    assert (article.journal, article.date, article.language) == ("The Journal of Bones & Joints", "2015-08-15", "ger")
    assert article.mesh == (
        MeshHeading("Sacrum", "D012447", True, ("surgery", "pathology")),
        MeshHeading("Humans", "D006801", False, ()),
    )
    assert article.keywords == ("sacrum", "tumor", "space")


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        ("<PubmedArticle>", '<PubmedArticle xmlns="http://x.example">'),
        ('<PMID Version="2">', "<PMID Version='2'>"),
        ("He healed.", "He <!-- not --> healed."),
        ("He healed.", "He <![CDATA[healed]]>."),
        ("He healed.", "He <x>healed</x>."),
        ("He healed.", "He <math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>."),
        ("He healed.", "<b>" * 400 + "</b>" * 400),
        ("He healed.", "caf&eacute;"),
        ("He healed.", "He & she"),
        ("He healed.", "He \x07"),
        ("He healed.", "He </i>"),
        ("</Abstract>", "</Abstract >"),
        ("<ChemicalList>", "<ChemicalList><ChemicalList>x</ChemicalList>"),
        ("<CitationSubset>", "<OtherAbstract><AbstractText>x</AbstractText></OtherAbstract><CitationSubset>"),
        ("<LastName>Roe</LastName>", "<LastName> </LastName>"),
        (">Humans</DescriptorName>", ">Humans"),
        (">Humans</DescriptorName>", ">Humans</DescriptorName></QualifierName>"),
        (">Humans</DescriptorName>", ">Humans &humans;</DescriptorName>"),
        ('UI="D006801"', 'UI="D006801" UI="D1"'),
        ("</MeshHeading>", "</MeshHeading>\x1c"),
        ("<Volume>7</Volume>", "<Volume>7 \x07</Volume>"),
        ("<Volume>7</Volume>", "<Volume>7</Volume></Issue>"),
        ("<Language>ger</Language>", "<Language/>"),
        ("<Title>", "<Title/><Title>"),
        ("</PubmedData>", "</PubmedData><PubmedData/>"),
        ("</PubmedArticle>", "</PubmedArticle><PubmedArticle/>"),
    ],
)
def test_what_is_otherwise_is_left_to_the_tree(usual: str, other: str) -> None:
    assert usual in USUAL
    assert usual_article(USUAL.replace(usual, other).encode(), ORIGIN) is None


def test_bytes_that_are_not_utf8_and_what_is_very_long_are_left_to_the_tree() -> None:
    assert usual_article(USUAL.replace("He healed", "Müller").encode("cp1252"), ORIGIN) is None
    assert usual_article(USUAL.replace("He healed", "long " * 300_000).encode(), ORIGIN) is None


def test_nothing_is_taken_from_the_record_before() -> None:
    other = USUAL.replace("2015</Year>", "2013</Year>").replace("ger<", "fre<").replace(">Humans<", ">Rats<")
    before, after = usual_article(USUAL.encode(), ORIGIN), usual_article(other.encode(), ORIGIN)
    assert before is not None
    assert after is not None
    assert (after.year, after.language, after.mesh[1].descriptor) == (2013, "fre", "Rats")
    assert usual_article(USUAL.encode(), ORIGIN) == before


@given(
    st.lists(
        st.tuples(st.sampled_from(STARTS), st.integers(-1, 1), st.integers(0, 40), st.sampled_from(["", *SNIPPETS])),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=400, deadline=None)
def test_grammar_and_tree_agree_whatever_is_changed(edits: list[tuple[int, int, int, str]]) -> None:
    record = USUAL
    for place, beside, cut, snippet in edits:
        start = max(0, place + beside)
        record = record[:start] + snippet + record[start + (cut if not snippet else 0) :]
    agree(record.encode())


PLACES = st.integers(1, len(list(etree.fromstring(USUAL).iter())) - 1)
TEXTS = st.sampled_from(
    ["", " ", "x", "a  b", "\u00a0", "\n", "1998 Dec-1999 Jan", "02", "<i>", "&", "]]>", "caf\u00e9", "U.S."]
)
CHANGES = st.one_of(
    st.tuples(st.just("drop"), PLACES),
    st.tuples(st.just("move"), PLACES, PLACES),
    st.tuples(st.just("copy"), PLACES, PLACES),
    st.tuples(st.just("text"), PLACES, TEXTS),
    st.tuples(st.just("after"), PLACES, TEXTS),
    st.tuples(
        st.just("name"), PLACES, st.sampled_from(["i", "sub", "Season", "MedlineDate", "FirstName", "OtherAbstract"])
    ),
    st.tuples(st.just("sign"), PLACES, st.sampled_from(["Label", "UI", "IdType", "EIdType", "Version"]), TEXTS),
)


def changed(changes: list[tuple[Any, ...]]) -> str:
    """A record that is well-formed, with elements dropped, moved, copied or filled otherwise."""
    root = etree.fromstring(USUAL)
    for kind, place, *rest in changes:
        elements = list(root.iter())
        element, target = (
            elements[place % len(elements)],
            elements[rest[0] % len(elements)] if kind in ("move", "copy") else root,
        )
        if element is root:
            continue
        if kind in ("drop", "move"):
            element.getparent().remove(element)
        if kind == "copy" or (kind == "move" and element not in target.iterancestors() and target is not element):
            target.insert(0, deepcopy(element))
        elif kind == "text":
            element.text = rest[0]
        elif kind == "after":
            element.tail = rest[0]
        elif kind == "name":
            element.tag = rest[0]
        elif kind == "sign":
            element.set(*rest)
    return str(etree.tostring(root, encoding="unicode"))


@given(st.lists(CHANGES, max_size=3))
@settings(max_examples=400, deadline=None)
def test_grammar_and_tree_agree_on_what_is_well_formed(changes: list[tuple[Any, ...]]) -> None:
    agree(changed(changes).encode())


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="<&\ufffe\uffff"), max_size=12)


@given(WORDS, WORDS, WORDS, WORDS)
@settings(max_examples=100, deadline=None)
def test_grammar_and_tree_agree_on_any_words(name: str, title: str, text: str, label: str) -> None:
    record = USUAL.replace("Roe", name).replace("Giant", title).replace("He healed", text)
    agree(record.replace('Label="CASE"', f'Label="{label}"').encode())
