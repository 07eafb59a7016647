"""How a foreign system answers CaseFrame's evaluation: JSON Lines in, JSON Lines out. Standard library only.

    in   {"id": "pmid:1", "text": "No fever."}
    out  {"id": "pmid:1", "spans": [{"start": 3, "end": 8, "type": "symptom", "assertion": "absent"}]}

One line a document, in the order of the input. `start` and `end` count characters of the text, half-open;
`assertion` and `confidence` may be missing. A system of one's own needs one function and one call:

    def load() -> Annotate:
        model = ...                                     # import and load here: what they print goes to stderr
        def annotate(texts):
            for text in texts:
                yield [Mark(start, end, type) for ...]  # one list a text, in order
        return annotate

    serve(load)
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from time import perf_counter
from typing import IO, NamedTuple


class Mark(NamedTuple):
    """A typed stretch of a text: characters `start` to `end`, half-open."""

    start: int
    end: int
    type: str
    assertion: str = ""
    confidence: float | None = None


class Document(NamedTuple):
    """A text to annotate."""

    id: str
    text: str


Annotate = Callable[[Iterator[str]], Iterable[Iterable[Mark]]]
"""Takes texts, gives the marks of each, in order."""


class ProtocolError(Exception):
    """A line that is no document, or a mark that lies outside its text."""


def serve(load: Callable[[], Annotate]) -> None:
    """Answers every document of stdin on stdout; says on stderr how long loading and annotating took.

    Ends the process with status 1 and one line on stderr where the system cannot be loaded, a line is no document or a
    mark lies outside its text.
    """
    answers = _own_stdout()
    started = perf_counter()
    try:
        annotate = load()
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"{sys.argv[0]}: cannot be loaded: {error}")
    loaded = perf_counter()
    try:
        documents, words = answer(sys.stdin.buffer, answers, annotate)
    except ProtocolError as error:
        sys.exit(f"{sys.argv[0]}: {error}")
    finally:
        answers.close()
    seconds = perf_counter() - loaded
    print(
        f"{documents} documents, {words} words in {seconds:.1f} s ({words / max(seconds, 1e-9):,.0f} words/s), "
        f"{loaded - started:.1f} s to load",
        file=sys.stderr,
    )


def answer(questions: Iterable[bytes], answers: IO[str], annotate: Annotate) -> tuple[int, int]:
    """Writes the answer to each question; returns how many documents and words (parts between blanks) there were."""
    asked, to_annotate = tee(read_documents(questions))
    count = words = 0
    for document, marks in zip(asked, annotate(one.text for one in to_annotate), strict=True):
        spans = [_span(document, mark) for mark in sorted(marks, key=lambda mark: mark[:3])]
        answers.write(json.dumps({"id": document.id, "spans": spans}) + "\n")
        answers.flush()
        count += 1
        words += len(document.text.split())
    return count, words


def read_documents(lines: Iterable[bytes]) -> Iterator[Document]:
    """Reads JSON Lines; empty lines are passed over. Raises ProtocolError that names the line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            document = Document(record["id"], record["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError(f'line {number}: {error!r}; write {{"id": "…", "text": "…"}}') from error
        if not isinstance(document.id, str) or not isinstance(document.text, str):
            raise ProtocolError(f"line {number}: id and text are strings")
        yield document


def _span(document: Document, mark: Mark) -> dict[str, str | int | float]:
    if not 0 <= mark.start < mark.end <= len(document.text):
        raise ProtocolError(f"{document.id}: {mark} lies outside the text of {len(document.text)} characters")
    span: dict[str, str | int | float] = {"start": mark.start, "end": mark.end, "type": mark.type}
    if mark.assertion:
        span["assertion"] = mark.assertion
    if mark.confidence is not None:
        span["confidence"] = mark.confidence
    return span


def _own_stdout() -> IO[str]:
    """The real stdout; what anything else prints, C libraries too, goes to stderr from now on."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return answers
