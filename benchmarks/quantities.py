"""How well quantities and times are read, against the structured gold; how fast.

    python benchmarks/quantities.py DATA_DIR [--errors]

Prints the share of the gold's ages that are found as an AGE (within half a year); of its follow-ups whose value
(within 2 %) is among the times and durations; of the findings with `when_days` those that `when_of` puts within 5 %,
and of those without it those it leaves empty; and the milliseconds an abstract takes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from spacy.tokens import Doc, Span

from caseframe.stages import quantities, timeline
from caseframe.stages.tokenizer import blank

MONTH = 30.4
FIELDS = ("outcome", "complication", "recurrence")


def read(folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Texts with their gold."""
    with (folder / "texts.jsonl").open(encoding="utf-8") as stream:
        texts = {row["article_id"]: row["text"] for row in map(json.loads, stream)}
    with (folder / "gold.jsonl").open(encoding="utf-8") as stream:
        for gold in map(json.loads, stream):
            yield texts[gold["article_id"]], gold


def near(ours: float | None, gold: float, share: float, least: float) -> bool:
    return ours is not None and abs(ours - gold) <= max(least, share * abs(gold))


def sentence_of(doc: Doc, words: str) -> Span | None:
    """The finding's words; the latest place, as outcomes come last."""
    start = doc.text.rfind(words)
    return None if start < 0 else doc.char_span(start, start + len(words), alignment_mode="expand")


def measure(doc: Doc, gold: dict, counts: Counter[str], errors: list[str]) -> None:
    ages = [span._.quantity.value for span in quantities.quantities_of(doc, "AGE")]
    days = [span._.days for span in doc.spans[timeline.SPANS]]
    lasting = [span._.quantity for span in quantities.quantities_of(doc, "DURATION")]
    findings = [finding for case in gold["cases"] for finding in case["findings"]]
    for finding in findings:
        field, value, words = finding["field"], finding["value"], finding["text"]
        where = f"{gold['article_id']} {field} {value} | {words} | "
        if field == "age":
            right = any(near(age, value, 0, 0.5) for age in ages)
            counts["age", right] += 1
            if not right:
                errors.append(where + str(ages))
        if field == "follow_up":
            for name, known in (
                ("follow_up among follow_up_times", [span._.days for span in timeline.follow_up_times(doc)]),
                ("follow_up among all durations", [*days, *(quantity.value for quantity in lasting)]),
            ):
                right = any(near(day, value * MONTH, 0.02, 1) for day in known)
                counts[name, right] += 1
            if not right:
                errors.append(where + str([span.text for span in doc.spans[timeline.SPANS]]))
        if field in FIELDS:
            span = sentence_of(doc, words)
            if span is None:
                counts["words not in the text", True] += 1
                continue
            ours = span._.when_days
            stated = finding.get("attributes", {}).get("when_days")
            right = near(ours, stated, 0.05, 0.6) if stated is not None else ours is None
            counts["when_days told" if stated is not None else "when_days empty", right] += 1
            if stated is not None and ours is None:
                counts["when_days told, ours empty", True] += 1
            if not right:
                errors.append(f"{where}gold {stated} ours {ours} | {span.sent.text.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--errors", action="store_true", help="print what is wrong")
    parser.add_argument("--part", default="casefields_train")
    options = parser.parse_args()
    nlp = blank()
    if (Path(quantities.__file__).parent / "sentences.py").exists():
        __import__("caseframe.stages.sentences")
        nlp.add_pipe("caseframe_sentences")
    else:
        nlp.add_pipe("sentencizer")
    stages = [quantities.QuantityFinder(), timeline.Timeline()]
    counts: Counter[str] = Counter()
    errors: list[str] = []
    spent, number = [0.0, 0.0], 0
    for text, gold in read(options.data / options.part):
        doc = nlp(text)
        number += 1
        for n, stage in enumerate(stages):
            began = time.perf_counter()
            stage(doc)
            spent[n] += time.perf_counter() - began
        measure(doc, gold, counts, errors)
    if options.errors:
        print("\n".join(errors))
    for name in sorted({name for name, _ in counts}):
        right, wrong = counts[name, True], counts[name, False]
        print(f"{name}: {right}/{right + wrong} = {right / (right + wrong):.3f}")
    for name, seconds in zip(("quantities", "timeline"), spent, strict=True):
        print(f"{name}: {1000 * seconds / number:.2f} ms an abstract")


if __name__ == "__main__":
    main()
