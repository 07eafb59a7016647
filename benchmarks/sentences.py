"""Sentence boundaries: precision, recall, F1 and speed of our rules and of other splitters, in one run.

    python benchmarks/sentences.py DATA

Two yardsticks, both without line breaks, since a line break always ends a sentence here:

- MACCROBAT: the corpus has about one sentence a line; its lines are joined with a blank and each line break should be
  found again. Some of its lines hold two sentences or half of one, so no splitter can reach 1.
- abstracts: 45 abstracts (20 drawn at random, 25 among those with an abbreviation, an initial, a citation mark, a
  number or a lower-case letter near a stop). The boundaries of four splitters were compared; only the places where they
  differed were decided by hand, where all agreed their word was taken, so that errors common to all are not seen.
  Below are the offsets, not the texts.

A splitter is measured if it can be imported: pysbd comes with scispaCy, `biosenter` is on PyPI.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import spacy
from spacy.language import Language

import caseframe.stages.sentences
from caseframe.stages.tokenizer import blank

# Where sentences start (the first left out) in an abstract's sections joined with blanks, by PMID.
ABSTRACTS = {
    "21492427": "116 195",
    "25178493": "178 357 463 581",
    "26803492": "32 218 360 596 767 910 1270 1332",
    "27080512": "107 221 486 575 664 758 863 1057 1222 1375 1443 1606",
    "21179243": "154 298 528 650 800 918 1002 1101",
    "23537840": "92 291 411",
    "28099605": "212 366 476 569",
    "26201090": "112 212 352 506 607 732 926 1171 1274 1484",
    "27733182": "163 334 516 593 771 954 1027",
    "26864739": "213 366 474 665",
    "26419729": "95 237 402 497 647 779",
    "23985267": "131 305 431 465 665 795 873 1063 1123 1184",
    "16117828": "218 347 517 642 760",
    "19656505": "91 333 443 593 857 1050 1144 1363 1458 1627 1869",
    "21266080": "232 352 390",
    "24885952": "96 138 293 350 518",
    "20973975": "175 351 445 604 835 1063 1095 1195 1311 1524 1745 1849 1964 2203 2337",
    "26471278": "73 217 326 562 657 766 932 1075 1197",
    "16872488": "79 190 320 383 468 506 563 681",
    "26861567": "159 423 535 896 1130 1267 1351 1427 1614 1796",
    "25887530": "135 244 361 423 624 788 895 1104 1257",
    "23031227": "175 298 368 489 535 710 800 888 1037 1118 1205 1356 1499 1593",
    "21647270": "83 282 383 513 568 635 786 853 966 1065 1159",
    "23847706": "96 304 367 480 588 673 826",
    "22280556": "116 252 325 446 545",
    "23237059": "172 274 431 495 724 814 1018",
    "27930567": "103 137 285 470 591 705 796 880",
    "27377631": "107 204 394 496 667 789 863 1005 1050 1142 1296",
    "23506628": "122 384 543 802 1037",
    "26584844": "182 264 395 574 683 812 918 1045 1196",
    "23687435": "121 223 456 536 718 886 1012 1104 1236",
    "26266421": "219 379 562 684 913",
    "24886174": "163 211 297 383 423 519 586 658 720",
    "25623605": "255 408 580 679 869 953 1074 1162 1273",
    "17277736": "116 222 393 573 720 908 999 1132 1188 1368 1489",
    "26155836": "99 189 309 396 478 641 774 963 1048 1163 1300 1521 1600",
    "23362510": "189 401 524 669 766 976 1047",
    "19338659": "162 266 332 482 687 847",
    "25124518": "120 403 621 698 817 1080",
    "24886118": "273 471 610 755 906 1009 1157",
    "22676896": "190 259 394 575 752 960 1077 1234 1316 1428 1564",
    "22809451": "139 260 369 422 511 697 764 890 952 1083 1203 1336 1556",
    "24099520": "154 268 439 524 639 894 1029",
    "20478052": "118 184 322 389 456 598 776 914",
    "26964878": "227 434 535 671 773 962 1152 1277",
}  # fmt: skip


def maccrobat(data: Path) -> Iterator[tuple[str, set[int]]]:
    for path in sorted((data / "corpora/maccrobat").glob("*.txt")):
        lines = [" ".join(line.split()) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        starts, position = set(), 0
        for line in lines[:-1]:
            position += len(line) + 1
            starts.add(position)
        yield " ".join(lines), starts


def abstracts(data: Path) -> Iterator[tuple[str, set[int]]]:
    with gzip.open(data / "articles/case_report_abstracts.jsonl.gz", "rt", encoding="utf-8") as stream:
        for line in stream:
            record = json.loads(line)
            if record["pmid"] in ABSTRACTS:
                text = " ".join(" ".join(s["text"].split()) for s in record["sections"] if s["text"])
                yield text, {int(offset) for offset in ABSTRACTS[record["pmid"]].split()}


def pipelines() -> Iterator[tuple[str, Language]]:
    assert caseframe.stages.sentences  # registers the factory
    for name, component in (("caseframe", "caseframe_sentences"), ("sentencizer", "sentencizer")):
        nlp = blank()
        nlp.add_pipe(component)
        yield name, nlp
    if importlib.util.find_spec("pysbd"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("scispacy.custom_sentence_segmenter")
        nlp = blank()
        nlp.add_pipe("pysbd_sentencizer")
        yield "scispaCy pysbd", nlp
    found = importlib.util.find_spec("biosenter")
    if found is not None and found.origin:
        yield "biosenter", spacy.load(Path(found.origin).parent / "model")


def measure(nlp: Language, texts: list[tuple[str, set[int]]]) -> str:
    right = wrong = missed = tokens = 0
    spent = 0.0
    for text, gold in texts:
        doc = nlp.make_doc(text)
        began = time.perf_counter()
        for _, pipe in nlp.pipeline:
            doc = pipe(doc)
        spent += time.perf_counter() - began
        tokens += len(doc)
        found = {sentence.start_char for sentence in doc.sents if sentence.start > 0}
        right += len(found & gold)
        wrong += len(found - gold)
        missed += len(gold - found)
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return (
        f"P {precision:.4f}  R {recall:.4f}  F1 {f1:.4f}  wrong {wrong:4}  missed {missed:4}  "
        f"{tokens / spent / 1000:6.0f}k tokens/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    sets = {"MACCROBAT": list(maccrobat(data)), "abstracts": list(abstracts(data))}
    for set_name, texts in sets.items():
        print(f"{set_name}: {len(texts)} texts, {sum(len(gold) + 1 for _, gold in texts)} sentences")
        for name, nlp in pipelines():
            print(f"  {name:16} {measure(nlp, texts)}")


if __name__ == "__main__":
    main()
