"""How well the assertion stage does, on BioScope's negation and speculation scopes and on the gold findings.

    python benchmarks/assertion.py ../shared/data [--errors absent] [--negspacy FOLDER]

`--negspacy FOLDER` compares with negspacy installed there (`pip install --no-deps --target FOLDER negspacy`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

warnings.filterwarnings("ignore")

from spacy.language import Language  # noqa: E402
from spacy.tokens import Doc, Span  # noqa: E402

from caseframe.stages import narrative, sentences  # noqa: E402, F401
from caseframe.stages.assertion import SCOPES, assertion_of  # noqa: E402
from caseframe.stages.tokenizer import blank  # noqa: E402

# Fields whose findings have no assertion of their own: a denial in their words is their value.
VALUE_FIELDS = frozenset(("age", "sex", "follow_up", "vital_status", "disease_status", "margin", "measurement"))
_DENIAL_BEFORE = re.compile(
    r"^(?:(?:no|not|none|undergone|without|any|evidence|signs?|symptoms?|of|further|other|was|were|did|had|have|the|there|absence|never|"
    r"denied|negative|for|neither|nor|free|from|history|show|reveal|excluding|clinical|obvious|significant|remarkable)\b"
    r"\s*)+",
    re.I,
)
_DENIAL_AFTER = re.compile(
    r"\s+(?:was|were|is|are|has|have|had|could|did|been|be|not|absent|ruled|excluded)\b.*$", re.I
)


def pipeline() -> Language:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    nlp.add_pipe("caseframe_assertion")
    return nlp


# --- BioScope


def bioscope(path: Path) -> Iterator[tuple[str, dict[str, list[bool]]]]:
    """Each sentence with, for each kind of cue, whether a character stands in a scope."""
    with gzip.open(path) as stream:
        for _, element in etree.iterparse(stream, tag="sentence", resolve_entities=False, load_dtd=False):
            text: list[str] = []
            marks: dict[str, list[bool]] = {"negation": [], "speculation": []}
            _read(element, text, marks, frozenset(), False)
            yield "".join(text), marks
            element.clear()


def _read(
    element: etree._Element, text: list[str], marks: dict[str, list[bool]], kinds: frozenset[str], cue: bool
) -> None:
    if element.tag == "xcope":
        ref = element.get("id")
        kinds = kinds | {c.get("type") for c in element.iter("cue") if c.get("ref") == ref}
    cue = cue or element.tag == "cue"
    _add(element.text, text, marks, frozenset() if cue else kinds)
    for child in element:
        _read(child, text, marks, kinds, cue)
        _add(child.tail, text, marks, frozenset() if cue else kinds)


def _add(piece: str | None, text: list[str], marks: dict[str, list[bool]], kinds: frozenset[str]) -> None:
    if piece:
        text.append(piece)
        for kind, mark in marks.items():
            mark.extend([kind in kinds] * len(piece))


def score_bioscope(path: Path) -> None:
    """Token-level: a token is in scope where a scope covers its first character; cues and punctuation do not count."""
    nlp = blank()
    nlp.add_pipe("caseframe_assertion")
    counts = {kind: Counter[str]() for kind in ("negation", "speculation")}
    cues = {kind: Counter[str]() for kind in counts}
    ours = {"negation": {"absent"}, "speculation": {"possible", "hypothetical"}}
    for text, marks in bioscope(path):
        if not text.strip():
            continue
        doc = nlp.make_doc(text)
        doc[0].is_sent_start = True
        for token in doc[1:]:
            token.is_sent_start = False
        doc = nlp.get_pipe("caseframe_assertion")(doc)
        for kind, categories in ours.items():
            predicted = [False] * len(doc)
            for _, _, category, a, b in doc.user_data[SCOPES]:
                if category in categories:
                    for i in range(a, b):
                        predicted[i] = True
            gold = [marks[kind][token.idx] for token in doc]
            for token in doc:
                if token.is_alpha or token.text[0].isalnum():
                    counts[kind][f"{gold[token.i]:d}{predicted[token.i]:d}"] += 1
            cues[kind][f"{any(gold):d}{any(predicted):d}"] += 1
    for kind in counts:
        print(f"BioScope {kind:12} tokens {prf(counts[kind])}   sentences with a scope {prf(cues[kind])}")


def prf(count: Counter[str]) -> str:
    tp, fp, fn = count["11"], count["01"], count["10"]
    precision, recall = tp / max(tp + fp, 1), tp / max(tp + fn, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return f"P {precision:.3f} R {recall:.3f} F1 {f1:.3f} (n={tp + fn})"


# --- gold findings


def records(folder: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Each article's text with its gold findings."""
    with (folder / "texts.jsonl").open(encoding="utf-8") as stream:
        texts = {row["article_id"]: row["text"] for row in map(json.loads, stream)}
    with (folder / "gold.jsonl").open(encoding="utf-8") as stream:
        for row in map(json.loads, stream):
            yield texts[row["article_id"]], [f for case in row["cases"] for f in case["findings"]]


def occurrences(doc: Doc, words: str) -> list[Span]:
    spans = []
    position = doc.text.find(words)
    while position >= 0:
        span = doc.char_span(position, position + len(words), alignment_mode="expand")
        if span is not None:
            spans.append(span)
        position = doc.text.find(words, position + 1)
    return spans


def head_of(span: Span) -> Span:
    """The words of an absent finding without its denial."""
    text = span.text
    before = _DENIAL_BEFORE.match(text)
    start = before.end() if before else 0
    after = _DENIAL_AFTER.search(text, start)
    end = after.start() if after else len(text)
    if start >= end:
        return span
    head = span.doc.char_span(span.start_char + start, span.start_char + end, alignment_mode="expand")
    return head if head is not None else span


def predict(doc: Doc, finding: dict[str, str], *, head: bool) -> tuple[str, Span]:
    """The assertion of a finding's words: present where any place says so."""
    answers = []
    for span in occurrences(doc, finding["text"]):
        target = head_of(span) if head and finding["assertion"] == "absent" else span
        answers.append((str(assertion_of(target)[0]), span))
    return next((answer for answer in answers if answer[0] == "present"), answers[0])


def score_gold(folder: Path, nlp: Language, show: str) -> None:
    tables = {(head, narrow): Counter[tuple[str, str]]() for head in (False, True) for narrow in (False, True)}
    for text, findings in records(folder):
        doc = nlp(text)
        for finding in findings:
            if finding["text"] not in text:
                continue
            for head in (False, True):
                answer, span = predict(doc, finding, head=head)
                tables[head, False][finding["assertion"], answer] += 1
                if finding["field"] not in VALUE_FIELDS:
                    tables[head, True][finding["assertion"], answer] += 1
                    if head and show and answer != finding["assertion"] and show in (answer, finding["assertion"]):
                        print(error_line(finding, answer, span))
    for (head, narrow), table in tables.items():
        right = sum(n for (gold, answer), n in table.items() if gold == answer)
        what = "all fields" if not narrow else "fields with an assertion"
        print(f"{folder.name}, {what}, {'head' if head else 'whole words'}: accuracy {right / sum(table.values()):.4f}")
        for category in ("absent", "historical", "possible", "hypothetical", "family"):
            count = Counter[str]()
            for (gold, answer), n in table.items():
                count[f"{gold == category:d}{answer == category:d}"] += n
            print(f"    {category:12} {prf(count)}")


def error_line(finding: dict[str, str], answer: str, span: Span) -> str:
    cue = assertion_of(span)[1]
    doc = span.doc
    left = doc[max(0, span.start - 18) : span.start].text.replace("\n", " // ")
    right = doc[span.end : span.end + 12].text.replace("\n", " // ")
    return f"{finding['assertion']}>{answer} [{finding['field']}] cue={cue}: {left} [[{span.text}]] {right}"


def speed(folder: Path, nlp: Language) -> None:
    docs = [text for text, _ in records(folder)][:200]
    made = [nlp.get_pipe("caseframe_sentences")(nlp.make_doc(text)) for text in docs]
    component = nlp.get_pipe("caseframe_assertion")
    tokens = sum(map(len, made))
    start = time.process_time()
    for doc in made:
        component(doc)
    seconds = time.process_time() - start
    print(f"speed: {1000 * seconds / tokens * 250:.3f} ms per 250 tokens ({len(made)} abstracts)")


def score_negspacy(folder: Path, library: Path) -> None:
    """negspacy on the same gold: absent against the rest, the findings given as entities."""
    sys.path.insert(0, str(library))
    from negspacy.negation import Negex  # noqa: F401
    from negspacy.termsets import termset

    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    negex = nlp.create_pipe("negex", config={"neg_termset": termset("en_clinical").get_patterns()})
    ours, theirs = Counter[str](), Counter[str]()
    tagger = pipeline()
    for text, findings in records(folder):
        doc = tagger(text)
        plain = nlp(text)
        for finding in findings:
            if finding["field"] in VALUE_FIELDS or finding["text"] not in text:
                continue
            targets = [
                head_of(s) if finding["assertion"] == "absent" else s for s in occurrences(plain, finding["text"])
            ]
            answers = []
            for target in targets:
                plain.ents = [Span(plain, target.start, target.end, label="X")]
                answers.append(bool(negex(plain).ents[0]._.negex))
            gold = finding["assertion"] == "absent"
            theirs[f"{gold:d}{all(answers):d}"] += 1
            ours[f"{gold:d}{predict(doc, finding, head=True)[0] == 'absent':d}"] += 1
    print(f"absent on {folder.name}, heads: caseframe {prf(ours)}; negspacy {prf(theirs)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--errors", default="", help="print the errors that involve this assertion")
    parser.add_argument("--gold", default="casefields_train")
    parser.add_argument("--negspacy", type=Path)
    arguments = parser.parse_args()
    nlp = pipeline()
    score_gold(arguments.data / arguments.gold, nlp, arguments.errors)
    score_bioscope(arguments.data / "corpora" / "bioscope" / "abstracts.xml.gz")
    speed(arguments.data / arguments.gold, nlp)
    if arguments.negspacy:
        score_negspacy(arguments.data / arguments.gold, arguments.negspacy)


if __name__ == "__main__":
    main()
