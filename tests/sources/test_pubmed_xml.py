from __future__ import annotations

import gzip
import io
import itertools
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import BrokenFile
from caseframe.schema import Article, Deletion, Failure, MeshHeading, OtherAbstract, Record
from caseframe.sources import pubmed_xml
from caseframe.sources.base import ReadOptions

PROLOG = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN"'
    ' "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)


def record(
    pmid: int = 1, title: str = "A title.", abstract: str = "<AbstractText>Some text.</AbstractText>", more: str = ""
) -> str:
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">{pmid}</PMID><Article>'
        f"<ArticleTitle>{title}</ArticleTitle><Abstract>{abstract}</Abstract>{more}</Article></MedlineCitation>"
        "</PubmedArticle>"
    )


def file_of(*records: str, prolog: str = PROLOG) -> str:
    return f"{prolog}<PubmedArticleSet>\n" + "\n".join(records) + "\n</PubmedArticleSet>\n"


def read(source: str | bytes, **options: int) -> list[Record]:
    raw = source if isinstance(source, bytes) else source.encode()
    return list(pubmed_xml.read(io.BytesIO(raw), "f.xml", ReadOptions(max_record_bytes=options.get("limit", 1 << 20))))


def read_one(source: str | bytes) -> Article:
    (article,) = read(source)
    assert isinstance(article, Article), article
    return article


def outcome(source: str | bytes, **options: int) -> list[str]:
    """PMIDs of the articles and `!` for each failure."""
    return [found.pmid if isinstance(found, Article) else "!" for found in read(source, **options)]


FULL = """<PubmedArticle>
 <MedlineCitation Status="MEDLINE" Owner="NLM">
  <PMID Version="2">123456</PMID>
  <Article PubModel="Print">
   <Journal>
    <JournalIssue CitedMedium="Print"><PubDate><Year>2015</Year><Month>Aug</Month><Day>15</Day></PubDate></JournalIssue>
    <Title>The Journal of Bones</Title><ISOAbbreviation>J Bones</ISOAbbreviation>
   </Journal>
   <ArticleTitle>Giant cell tumor of the <i>sacrum</i> (r<sup>2</sup>).</ArticleTitle>
   <ELocationID EIdType="doi" ValidYN="Y">10.1000/elocation</ELocationID>
   <Abstract>
    <AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">It is
      rare.</AbstractText>
    <AbstractText Label="CASE PRESENTATION" NlmCategory="UNASSIGNED">A man, P &lt; 0.05.</AbstractText>
    <AbstractText NlmCategory="CONCLUSIONS">He healed.</AbstractText>
    <AbstractText Label="EMPTY"/>
    <CopyrightInformation>Copyright 2015 by nobody.</CopyrightInformation>
   </Abstract>
   <AuthorList CompleteYN="Y">
    <Author ValidYN="Y"><LastName>Roe</LastName><ForeName>Jane Ann</ForeName><Initials>JA</Initials></Author>
    <Author ValidYN="Y"><LastName>Doe</LastName><Initials>J</Initials><Suffix>Jr</Suffix></Author>
    <Author ValidYN="Y"><CollectiveName>Bone Group</CollectiveName></Author>
   </AuthorList>
   <Language>ger</Language>
   <PublicationTypeList>
    <PublicationType UI="D002363">Case Reports</PublicationType>
    <PublicationType UI="D016428">Journal Article</PublicationType>
   </PublicationTypeList>
   <VernacularTitle>Riesenzelltumor des Kreuzbeins.</VernacularTitle>
  </Article>
  <MedlineJournalInfo><MedlineTA>J Bones</MedlineTA></MedlineJournalInfo>
  <MeshHeadingList>
   <MeshHeading><DescriptorName UI="D012447" MajorTopicYN="N">Sacrum</DescriptorName>
    <QualifierName UI="Q000601" MajorTopicYN="Y">surgery</QualifierName>
    <QualifierName UI="Q000000" MajorTopicYN="N">pathology</QualifierName></MeshHeading>
   <MeshHeading><DescriptorName UI="D006801" MajorTopicYN="N">Humans</DescriptorName></MeshHeading>
  </MeshHeadingList>
  <OtherAbstract Type="Publisher" Language="ger"><AbstractText>Selten.</AbstractText></OtherAbstract>
  <OtherAbstract Type="plain-language-summary" Language="eng">
   <AbstractText Label="WHAT">Rare.</AbstractText><AbstractText>So there.</AbstractText></OtherAbstract>
  <KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">sacrum</Keyword><Keyword>tumor</Keyword></KeywordList>
  <KeywordList Owner="NASA"><Keyword>tumor</Keyword><Keyword>space</Keyword></KeywordList>
 </MedlineCitation>
 <PubmedData>
  <ArticleIdList>
   <ArticleId IdType="pubmed">123456</ArticleId><ArticleId IdType="pmc">PMC77</ArticleId>
   <ArticleId IdType="doi">10.1000/own</ArticleId></ArticleIdList>
  <ReferenceList><Reference><Citation>x</Citation><ArticleIdList><ArticleId IdType="doi">10.1000/cited</ArticleId>
  </ArticleIdList></Reference></ReferenceList>
 </PubmedData>
</PubmedArticle>"""


class TestFields:
    def test_all_of_an_article(self) -> None:
        article = read_one(file_of(FULL))
        assert (article.article_id, article.pmid, article.version) == ("pmid:123456", "123456", 2)
        assert (article.pmcid, article.doi) == ("PMC77", "10.1000/own")
        assert article.text == ("Giant cell tumor of the sacrum (r2)\nIt is rare.\nA man, P < 0.05.\nHe healed.")
        assert [(part.label, article.text[part.start : part.end]) for part in article.sections] == [
            ("BACKGROUND", "It is rare."),
            ("CASE PRESENTATION", "A man, P < 0.05."),
            ("CONCLUSIONS", "He healed."),
        ]
        assert article.vernacular_title == "Riesenzelltumor des Kreuzbeins"
        assert article.other_abstracts == (
            OtherAbstract("Selten.", "ger", "Publisher"),
            OtherAbstract("Rare.\nSo there.", "eng", "plain-language-summary"),
        )
        assert article.authors == ("Roe JA", "Doe J Jr", "Bone Group")
        assert (article.journal, article.year, article.date) == ("The Journal of Bones", 2015, "2015-08-15")
        assert article.language == "ger"
        assert article.publication_types == ("Case Reports", "Journal Article")
        assert article.mesh == (
            MeshHeading("Sacrum", "D012447", True, ("surgery", "pathology")),
            MeshHeading("Humans", "D006801", False, ()),
        )
        assert article.keywords == ("sacrum", "tumor", "space")
        assert (article.origin.file, article.origin.record, article.origin.format) == ("f.xml", 1, "pubmed_xml")

    def test_doi_from_elocation_only(self) -> None:
        article = read_one(file_of(record(more='<ELocationID EIdType="doi">10.1000/e</ELocationID>')))
        assert article.doi == "10.1000/e"

    @pytest.mark.parametrize(
        ("given_title", "title"),
        [
            ("[Tumor of the sacrum].", "Tumor of the sacrum"),
            ("[Tumor of the sacrum.]", "Tumor of the sacrum"),
            ("[Fe] and [Cu].", "[Fe] and [Cu]"),
            ("Two of them. A case report.", "Two of them. A case report"),
            ("Reply to Roe et al.", "Reply to Roe et al."),
            ("Surgery in the U.S.", "Surgery in the U.S."),
            ("Is it so?", "Is it so?"),
            ("PM&lt;sub&gt;2.5&lt;/sub&gt; in air.", "PM2.5 in air"),
            (
                '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:semantics><mml:mrow>\n'
                "<mml:msup><mml:mi>r</mml:mi> <mml:mn>2</mml:mn></mml:msup><mml:mo>=</mml:mo>"
                "<mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac></mml:mrow>"
                "<mml:annotation>r^2</mml:annotation></mml:semantics></mml:math> of <b>bone</b>.",
                "r2=1/2 of bone",
            ),
        ],
    )
    def test_titles(self, given_title: str, title: str) -> None:
        assert read_one(file_of(record(title=given_title))).title == title

    def test_title_that_is_only_in_its_language(self) -> None:
        more = "<VernacularTitle>Ein Fall.</VernacularTitle>"
        assert read_one(file_of(record(title="[Not Available].", more=more))).title == "Ein Fall"

    @pytest.mark.parametrize(
        ("inside", "year", "date"),
        [
            ("<Year>2015</Year><Month>02</Month><Day>3</Day>", 2015, "2015-02-03"),
            ("<Year>2015</Year><Month>Feb</Month>", 2015, "2015-02"),
            ("<Year>2000</Year><Season>Spring</Season>", 2000, "2000"),
            ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", 1998, "1998-12"),
            ("<MedlineDate>2000 Spring</MedlineDate>", 2000, "2000"),
            ("<MedlineDate>1976-1977</MedlineDate>", 1976, "1976"),
            ("", 2011, "2011-05-06"),
        ],
    )
    def test_dates(self, inside: str, year: int, date: str) -> None:
        journal = f"<Journal><JournalIssue><PubDate>{inside}</PubDate></JournalIssue></Journal>"
        fallback = "<ArticleDate DateType='Electronic'><Year>2011</Year><Month>05</Month><Day>06</Day></ArticleDate>"
        article = read_one(file_of(record(more=journal + fallback)))
        assert (article.year, article.date) == (year, date)

    def test_book(self) -> None:
        article = read_one(
            file_of(
                "<PubmedBookArticle><BookDocument><PMID Version='1'>20301295</PMID>"
                "<ArticleIdList><ArticleId IdType='bookaccession'>NBK1</ArticleId></ArticleIdList>"
                "<Book><Publisher><PublisherName>X</PublisherName></Publisher><BookTitle book='g'>GeneBooks</BookTitle>"
                "<PubDate><Year>1993</Year></PubDate>"
                "<AuthorList Type='editors'><Author><LastName>Ed</LastName><Initials>E</Initials></Author></AuthorList>"
                "</Book><ArticleTitle book='g' part='p'>A Syndrome.</ArticleTitle><Language>eng</Language>"
                "<AuthorList><Author><LastName>Roe</LastName><ForeName>Jo Li</ForeName></Author></AuthorList>"
                "<PublicationType UI='D016454'>Review</PublicationType>"
                "<Abstract><AbstractText Label='DIAGNOSIS'>By genes.</AbstractText></Abstract>"
                "</BookDocument><PubmedBookData/></PubmedBookArticle>"
            )
        )
        assert (article.pmid, article.title, article.journal, article.year) == (
            "20301295", "A Syndrome", "GeneBooks", 1993,
        )  # fmt: skip
        assert (article.abstract, article.sections[0].label) == ("By genes.", "DIAGNOSIS")
        assert (article.authors, article.publication_types) == (("Roe JL",), ("Review",))

    def test_deletions_and_their_numbers(self) -> None:
        deleted = "<DeleteCitation><PMID Version='1'>7</PMID>\n<PMID Version='1'>8</PMID></DeleteCitation>"
        found = read(file_of(record(1), deleted))
        assert [(type(item), item.article_id, item.origin.record) for item in found] == [
            (Article, "pmid:1", 1),
            (Deletion, "pmid:7", 2),
            (Deletion, "pmid:8", 3),
        ]

    def test_record_without_text_is_told(self) -> None:
        (failure,) = read(file_of(record(5, title="", abstract="<AbstractText/>")))
        assert isinstance(failure, Failure)
        assert failure.article_id == "pmid:5"

    def test_title_only(self) -> None:
        article = read_one(file_of(record(abstract="")))
        assert (article.text, article.sections) == ("A title", ())


class TestShapesOfFiles:
    def test_single_root(self) -> None:
        assert outcome(record(3)) == ["3"]

    def test_several_documents_in_one_file(self) -> None:
        assert outcome(file_of(record(1)) + file_of(record(2), record(3))) == ["1", "2", "3"]

    def test_bare_citations(self) -> None:
        bare = record(4).replace("<PubmedArticle>", "").replace("</PubmedArticle>", "")
        assert outcome(f"<MedlineCitationSet>{bare}{bare}</MedlineCitationSet>") == ["4", "4"]

    def test_default_namespace_and_prefixes(self) -> None:
        spaced = record(1).replace("<PubmedArticle>", '<PubmedArticle xmlns="http://x.example/pm">')
        prefixed = re.sub(r"<(/?)(\w)", r"<\1pm:\2", file_of(record(2), prolog=""))
        assert outcome(spaced) == ["1"]
        assert outcome(prefixed) == ["2"]

    def test_records_in_comments_are_no_records(self) -> None:
        assert outcome(file_of(f"<!-- {record(1)} -->", record(2))) == ["2"]

    def test_tags_in_comments_and_cdata_of_a_record_are_text(self) -> None:
        tricky = record(1, title="<![CDATA[a </PubmedArticle> b]]>", more="<!-- </PubmedArticle> -->")
        found = read(file_of(tricky, record(2)))
        assert [item.title for item in found if isinstance(item, Article)] == ["a </PubmedArticle> b", "A title"]

    def test_internal_subset_is_passed_over(self) -> None:
        prolog = "<!DOCTYPE PubmedArticleSet [<!ENTITY a \"<PubmedArticle>]>\"> <!-- it's ]> -->\n<!ENTITY b 'x'>]>"
        assert outcome(file_of(record(1), prolog=prolog)) == ["1"]

    def test_unclosed_doctype(self) -> None:
        assert outcome("<!DOCTYPE PubmedArticleSet [ " + record(1)) == ["1"]

    def test_saved_as_a_json_string(self) -> None:
        raw = file_of(record(1, title='Schr\u00f6der\'s "sign".')).replace('"', '\\"').replace("\n", "\\n")
        assert read_one(f'"{raw}"').title == 'Schr\u00f6der\'s "sign"'

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso-8859-1", "windows-1252"])
    def test_declared_encodings(self, encoding: str) -> None:
        prolog = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
        raw = file_of(record(title="Müller’s sign" if encoding != "iso-8859-1" else "Müller"), prolog=prolog)
        assert read_one(raw.encode(encoding)).title.startswith("Müller")

    def test_wide_without_mark(self) -> None:
        assert outcome(file_of(record(9), prolog='<?xml version="1.0"?>').encode("utf-16-le")) == ["9"]

    @pytest.mark.parametrize("declared", ["utf-8", "utf-16", "klingon-7"])
    def test_wrongly_declared_encoding(self, declared: str) -> None:
        prolog = f'<?xml version="1.0" encoding="{declared}"?>'
        assert read_one(file_of(record(title="Müller"), prolog=prolog).encode("cp1252")).title == "Müller"

    def test_damaged_utf8_is_not_guessed_at(self) -> None:
        raw = file_of(record(1, title="Müller X"), record(2)).encode().replace(b"X", b"\xff")
        assert outcome(raw) == ["!", "2"]


class TestBrokenInput:
    @pytest.mark.parametrize(
        "broken",
        [
            record(2).replace("</ArticleTitle>", ""),
            record(2, title="a & b"),
            record(2, title="&undefined;"),
            record(2, title="\x07"),
            record(2).replace("</PubmedArticle>", ""),
            record(2, title="<!-- never closed"),
            record(2, title="<![CDATA[ never closed"),
            record(2, abstract="<b>" * 400 + "</b>" * 400),
        ],
    )
    def test_costs_only_its_record(self, broken: str) -> None:
        found = read(file_of(record(1), broken, record(3)))
        assert [type(item) for item in found] == [Article, Failure, Article]
        failure = found[1]
        assert isinstance(failure, Failure)
        assert (failure.origin.record, failure.article_id, failure.error) == (2, "pmid:2", "BrokenRecord")
        assert failure.message
        assert failure.cure

    @pytest.mark.parametrize("broken", [record(2).replace("</PubmedArticle>", ""), record(2, title="<!-- open")])
    def test_broken_last_record(self, broken: str) -> None:
        assert outcome(file_of(record(1), broken)) == ["1", "!"]

    def test_entity_bomb(self) -> None:
        entities = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
        prolog = f"<!DOCTYPE PubmedArticleSet [{entities}]>"
        assert outcome(file_of(record(1, title="&e11;"), record(2), prolog=prolog)) == ["!", "2"]

    def test_external_entity_is_not_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.txt"
        secret.write_text("SECRET")
        prolog = f'<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        found = read(file_of(record(1, title="&x;"), record(2), prolog=prolog))
        assert [type(item) for item in found] == [Failure, Article]
        assert "SECRET" not in repr(found)

    def test_entities_of_html_are_understood(self) -> None:
        title = "caf&eacute;&nbsp;&amp; &lt; 5 &LT; 6"
        assert read_one(file_of(record(title=title))).title == "café & < 5 < 6"

    def test_file_that_ends_inside_a_record(self) -> None:
        assert outcome(file_of(record(1), record(2))[:-80]) == ["1", "!"]

    def test_file_that_ends_between_records(self) -> None:
        cut = file_of(record(1)).replace("</PubmedArticleSet>", "")
        records = pubmed_xml.read(io.BytesIO(cut.encode()), "f", ReadOptions())
        assert next(records).origin.record == 1
        with pytest.raises(BrokenFile, match="closing tag"):
            next(records)

    def test_nothing_but_an_empty_set(self) -> None:
        assert read("<PubmedArticleSet/>") == read("<PubmedArticleSet />") == read(file_of()) == []

    def test_long_text_is_skipped_without_being_held(self) -> None:
        def pieces() -> Iterator[bytes]:
            whole = file_of(record(1), record(2, title="@"), record(3)).encode()
            before, after = whole.split(b"@")
            yield before
            for _ in range(50):
                yield b"x" * (1 << 20)
            yield after

        tracemalloc.start()
        stream = Pieces(pieces())
        found = list(pubmed_xml.read(stream, "f.xml", ReadOptions(max_record_bytes=1 << 20)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [item.article_id for item in found] == ["pmid:1", "pmid:2", "pmid:3"]
        failure = found[1]
        assert isinstance(failure, Failure)
        assert "longer" in failure.message
        assert peak < 12 << 20

    @pytest.mark.parametrize("limit", [300, 4096])
    def test_limit_holds_whatever_the_pieces(self, limit: int) -> None:
        long = record(2, title="x" * limit)
        assert outcome(file_of(record(1, abstract=""), long, record(3, abstract="")), limit=limit) == ["1", "!", "3"]


class Pieces(io.BytesIO):
    """A stream that gives out these pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces

    def read1(self, size: int | None = -1, /) -> bytes:
        return next(self._pieces, b"")


class TestStreaming:
    WHOLE = file_of(
        FULL,
        "<!-- </PubmedArticle> " + record(9) + "-->",
        record(2, title="<![CDATA[</PubmedArticle>]]> é", more="<!-- <PubmedArticle -->"),
        record(3).replace("</PubmedArticle>", ""),
        "<DeleteCitation><PMID>4</PMID></DeleteCitation>",
        record(5, title="long " * 300),
        record(6),
    ).encode()

    @given(st.lists(st.integers(min_value=1, max_value=len(WHOLE)), max_size=30), st.sampled_from([900, 6000]))
    def test_pieces_do_not_matter(self, cuts: list[int], limit: int) -> None:
        options = ReadOptions(max_record_bytes=limit)
        bounds = [0, *sorted(set(cuts)), len(self.WHOLE)]
        pieces = [self.WHOLE[a:b] for a, b in itertools.pairwise(bounds) if a < b]
        expected = list(pubmed_xml.read(io.BytesIO(self.WHOLE), "f", options))
        assert list(pubmed_xml.read(Pieces(iter(pieces)), "f", options)) == expected

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
    def test_small_pieces(self, size: int) -> None:
        pieces = (self.WHOLE[start : start + size] for start in range(0, len(self.WHOLE), size))
        assert list(pubmed_xml.read(Pieces(pieces), "f", ReadOptions())) == list(
            pubmed_xml.read(io.BytesIO(self.WHOLE), "f", ReadOptions())
        )

    @given(
        st.lists(
            st.text(
                st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="<>&\ufffe\uffff[].\ufeff"),
                max_size=40,
            ),
            max_size=8,
        )
    )
    def test_titles_come_back(self, titles: list[str]) -> None:
        found = read(file_of(*(record(n, title=title) for n, title in enumerate(titles, start=1))))
        assert [item.title for item in found if isinstance(item, Article)] == [" ".join(t.split()) for t in titles]

    @given(st.binary(max_size=400))
    def test_any_bytes_are_survived(self, noise: bytes) -> None:
        raw = b"<PubmedArticleSet>" + record(1).encode() + b"<PubmedArticle>" + noise
        try:
            found = read(raw)
        except BrokenFile:
            return
        assert isinstance(found[0], Article)

    def test_memory_does_not_grow(self) -> None:
        def peak(count: int) -> int:
            pieces = (
                record(n, abstract=f"<AbstractText>{'word ' * 400}</AbstractText>").encode() for n in range(count)
            )
            tracemalloc.start()
            total = len([None for _ in pubmed_xml.read(Pieces(pieces), "f", ReadOptions())])
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert total == count
            return highest

        peak(10)
        assert peak(1500) < peak(150) + (1 << 19)


CITED = "<PubmedData><ReferenceList>{}</ReferenceList></PubmedData></PubmedArticle>"


@pytest.mark.parametrize(
    "cited",
    [
        "<Reference><Citation>Others. 2001.</Citation></Reference>",
        "<Reference><ReferenceList><Reference/></ReferenceList></Reference>",
        "<Reference><ArticleIdList><ArticleId IdType='pubmed'>77</ArticleId></ArticleIdList></Reference>",
        "<Reference><Citation>Smith & Sons <2001",
    ],
)
def test_what_an_article_cites_is_passed_over(cited: str) -> None:
    whole = record(5).replace("</PubmedArticle>", CITED.format(cited))
    assert outcome(file_of(whole, record(6))) == ["5", "6"]


def test_a_comment_that_speaks_of_references_hides_nothing() -> None:
    title = "One <!-- <ReferenceList> --> and another"
    whole = record(5, title).replace("</PubmedArticle>", CITED.format("<Reference/>"))
    assert read_one(file_of(whole)).title == "One and another"


@pytest.mark.data
def test_genuine_files_lose_nothing(data_dir: Path) -> None:
    files = sorted((data_dir / "articles" / "pubmed_xml").glob("*.xml.gz"))
    articles, failures = [], []
    for path in files:
        raw = gzip.decompress(path.read_bytes())
        found = list(pubmed_xml.read(io.BytesIO(raw), path.name, ReadOptions()))
        assert len(found) == len(re.findall(rb"<Pubmed(?:Book)?Article[ >]", raw))
        articles += [item for item in found if isinstance(item, Article)]
        failures += [item for item in found if isinstance(item, Failure)]
    assert len(files) >= 91
    assert len({article.pmid for article in articles if article.pmid}) >= 942
    # Two records of one file hold nothing but "[Not Available]." as their title.
    assert [failure.message for failure in failures] == ["The record has neither title nor abstract"] * len(failures)
    assert len(failures) <= 2
    assert all(article.year for article in articles if article.pmid)
