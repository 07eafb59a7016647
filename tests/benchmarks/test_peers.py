"""The systems to compare with: how they answer, and what they are given. None of them needs to be installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from caseframe.lexicons import Entry, Lexicon, Term, builtin_entries

PEERS = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"

# Marks the first three characters of each text, after printing all over the place.
TOY = """
import os
from protocol import Mark, serve

def load():
    print("loading")
    os.system("echo a child speaks")
    def annotate(texts):
        for text in texts:
            print("working")
            yield [Mark(0, 3, "Start", "absent", 0.5), Mark(0, 2, "Start")]
    return annotate

serve(load)
"""


def peer_module(name: str) -> ModuleType:
    """A module of the folder, imported as its scripts import it."""
    sys.path.insert(0, str(PEERS))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(PEERS))


protocol, lexicon, export = peer_module("protocol"), peer_module("lexicon"), peer_module("export_lexicon")


def ask(script: Path, *options: str, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(script), *options],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONPATH": str(PEERS), "PATH": "/usr/bin:/bin"},
        check=False,
    )


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    script = tmp_path / "toy.py"
    script.write_text(TOY, encoding="utf-8")
    return script


# --- the protocol


def test_each_document_gets_one_line_in_order_whatever_the_system_prints(toy: Path) -> None:
    texts = {"b": "Fever", "a": "Knee pain\u2028twice", "c": "Dyspnœa 🙂"}
    done = ask(
        toy, stdin="\n".join(json.dumps({"id": id, "text": text}, ensure_ascii=False) for id, text in texts.items())
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["b", "a", "c"]
    assert answers[0]["spans"] == [
        {"start": 0, "end": 2, "type": "Start"},
        {"start": 0, "end": 3, "type": "Start", "assertion": "absent", "confidence": 0.5},
    ]
    assert done.returncode == 0
    assert "loading" in done.stderr and "a child speaks" in done.stderr and "working" in done.stderr
    assert "3 documents, 6 words" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"id": "x"}', "line 2: KeyError('text')"),
        ('["x"]', "line 2"),
        ('{"id": 7, "text": "knee"}', "line 2: id and text are strings"),
        ('{"id": "x", "text": "ab"}', "x: Mark(start=0, end=3"),
    ],
)
def test_a_line_that_is_no_document_and_a_mark_outside_its_text_end_the_process(
    toy: Path, line: str, said: str
) -> None:
    done = ask(toy, stdin='{"id": "first", "text": "knee"}\n' + line)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr


def test_a_system_that_leaves_out_a_document_does_not_pass_unseen(toy: Path) -> None:
    toy.write_text(TOY.replace("for text in texts", "for text in list(texts)[1:]"), encoding="utf-8")
    done = ask(toy, stdin='{"id": "1", "text": "knee"}\n{"id": "2", "text": "foot"}')
    assert done.returncode != 0


def test_a_system_that_cannot_be_loaded_says_so_without_a_traceback(toy: Path) -> None:
    toy.write_text(TOY.replace('print("loading")', "import no_such_package"), encoding="utf-8")
    done = ask(toy, stdin="")
    assert done.returncode == 1
    assert "cannot be loaded: No module named 'no_such_package'" in done.stderr and "Traceback" not in done.stderr


def test_any_spacy_pipeline_answers_with_its_entities(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "BONE", "pattern": "femur"}])
    nlp.to_disk(tmp_path / "model")
    done = ask(PEERS / "spacy_peer.py", "--model", str(tmp_path / "model"), stdin='{"id": "1", "text": "Left femur."}')
    assert json.loads(done.stdout) == {"id": "1", "spans": [{"start": 5, "end": 10, "type": "BONE"}]}


# --- the lexicon


def entry(surface: str, field: str = "diagnosis") -> Entry:
    return Entry(surface, Term(surface, field))


@pytest.mark.parametrize(
    ("surface", "form"),
    [
        ("biopsy", "biopsies"),
        ("bypass", "bypasses"),
        ("metastasis", "metastases"),
        ("giant-cell tumor", "giant cell tumours"),
        ("Ewing's sarcoma", "Ewing sarcomas"),
        ("Ewing's sarcoma", "Ewing’s sarcoma"),
        ("pulmonary edema", "pulmonary oedema"),
        ("anemia", "anaemia"),
        ("blood_pressure", "blood pressure"),
    ],
)
def test_the_export_writes_out_what_the_matcher_folds(surface: str, form: str) -> None:
    assert form in {each.form for each in export.forms([entry(surface)])}
    assert Lexicon([entry(surface)]).lookup(form), "CaseFrame itself would not match it"


def test_short_words_in_capitals_keep_their_case() -> None:
    exact = {
        each.form: each.exact for each in export.forms([entry("ALL"), entry("GISTs"), entry("CT scan"), entry("all")])
    }
    assert exact["ALL"] and exact["GISTs"] and not exact["CT scan"] and not exact["all"]


def test_a_form_stands_once_a_field() -> None:
    forms = list(export.forms([entry("fever"), entry("Fever"), entry("fever", "symptom")]))
    assert [(each.form, each.field) for each in forms if each.form.lower() == "fever"] == [
        ("fever", "diagnosis"),
        ("fever", "symptom"),
    ]


def test_what_is_exported_is_what_the_peers_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "lexicon.tsv"
    entries = builtin_entries()[::20]
    monkeypatch.setattr(export, "builtin_entries", lambda: entries)
    monkeypatch.setattr(sys, "argv", ["export_lexicon.py", str(path)])
    export.main()
    assert list(lexicon.read_forms(path)) == list(export.forms(entries))
    assert {form.field for form in lexicon.read_forms(path, ["site", "margin"])} == {"site", "margin"}


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.tsv"
    path.write_text("term\tfield\nfever\tsymptom\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.tsv: the columns are not form, field, case"):
        list(lexicon.read_forms(path))


def test_the_longest_of_a_type_wins_and_types_leave_each_other_alone() -> None:
    pain, back, back_pain = (protocol.Mark(*each, "symptom") for each in ((5, 9), (0, 4), (0, 9)))
    site = protocol.Mark(0, 4, "site")
    assert set(lexicon.longest([pain, site, back, back_pain])) == {back_pain, site}


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8), st.sampled_from("ab")), max_size=12))
def test_kept_marks_never_overlap_and_each_dropped_one_overlaps_one_as_long(
    drawn: list[tuple[int, int, str]],
) -> None:
    marks = {protocol.Mark(start, start + length, kind) for start, length, kind in drawn}
    kept = lexicon.longest(marks)

    def overlap(a: tuple[int, int, str], b: tuple[int, int, str]) -> bool:
        return a[2] == b[2] and a[0] < b[1] and b[0] < a[1]

    assert not [(a, b) for a in kept for b in kept if a != b and overlap(a, b)]
    for dropped in marks - set(kept):
        assert any(overlap(dropped, k) and k.end - k.start >= dropped.end - dropped.start for k in kept)


# --- the requirements


@pytest.mark.parametrize("path", sorted(PEERS.glob("requirements-*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_pinned(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})?", line), line
        assert "999.9.9" not in line
        assert ("--hash" in line) == ("model" in path.stem), "what is no maker's own upload is taken by its hash"
