"""The shipped model: written from its parts, loaded anywhere, the same on every way that a pipeline can travel."""

from __future__ import annotations

import filecmp
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from caseframe.config import shipped
from caseframe.evaluation.job import load_job
from caseframe.evaluation.run import run_evaluation
from caseframe.fields.component import extraction_of
from caseframe.pipeline import (
    CASES,
    ENTITIES,
    STAGES,
    assemble,
    extract_article,
    load,
    run,
    shipped_model,
    write_model,
)
from caseframe.schema import Article
from caseframe.stages.entities import shipped_weights
from caseframe.stages.extensions import make_doc
from caseframe.training.run import digest_of_folder

ROOT = Path(__file__).resolve().parent.parent

TEXTS = (
    "A 34-year-old man underwent hemisacrectomy for osteosarcoma of the sacrum. A custom-made titanium prosthesis was "
    "implanted. He walked 2 weeks postoperatively without infection. MSTS score was 26/30 (87%) at 12 months.",
    "Two sisters with hip dysplasia: a case report\nPatient 1 was a 12-year-old girl. She had no pain after 3 years. "
    "Patient 2, aged 9, developed avascular necrosis (AVN). AVN healed.",
    "",
    "We review 23 patients (mean age 51 years) who had received cisplatin 75 mg/m2. Median follow-up was 4 years.",
)
ARTICLES = tuple(
    Article.build(title=f"Report {n}", abstract=[("CASE", text)], pmid=str(n)) for n, text in enumerate(TEXTS, 1)
)


@pytest.fixture(scope="module")
def model() -> Language:
    return spacy.load(shipped_model())


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_committed_model_is_what_make_model_writes(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    names = files_of(shipped_model())
    assert names == files_of(tmp_path / "model"), "make model"
    match, different, missing = filecmp.cmpfiles(shipped_model(), tmp_path / "model", names, shallow=False)
    assert len(match) == len(names), f"make model: {different + missing}"


def test_the_model_is_small_and_names_no_machine() -> None:
    content = {path: path.read_bytes() for path in shipped_model().rglob("*") if path.is_file()}
    assert sum(map(len, content.values())) < 1_000_000
    assert not [path for path, raw in content.items() if b"/home/" in raw or str(Path.home()).encode() in raw]


def test_meta_says_what_it_is(model: Language) -> None:
    meta = model.meta
    assert meta["name"] == "caseframe" and meta["license"] == "Apache-2.0"
    assert meta["description"] and meta["author"] and meta["version"] and meta["requirements"]


def test_spacy_alone_finds_the_components() -> None:
    code = (
        "import sys, spacy\n"
        "assert 'caseframe' not in sys.modules\n"
        f"nlp = spacy.load({str(shipped_model())!r})\n"
        "doc = nlp('A 34-year-old man had no infection.')\n"
        "print(sorted({f.field for _, f in doc._.extraction}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "'age'" in done.stdout and "'sex'" in done.stdout


def test_every_component_can_be_added_by_its_name_alone(nlp: Language) -> None:
    code = f"import spacy\nfor name in {nlp.pipe_names!r}: spacy.blank('en').add_pipe(name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_model_extracts_what_its_parts_extract(model: Language, nlp: Language) -> None:
    for source in (*TEXTS, *ARTICLES):
        assert extract_article(source, model) == extract_article(source, nlp)


def test_the_pipeline_survives_bytes(model: Language, nlp: Language) -> None:
    again = assemble().from_bytes(model.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert extract_article(TEXTS[0], again) == extract_article(TEXTS[0], nlp)


def test_the_pipeline_survives_the_disk(model: Language, nlp: Language, tmp_path: Path) -> None:
    model.to_disk(tmp_path / "copy")
    again = spacy.load(tmp_path / "copy")
    assert extract_article(ARTICLES[1], again) == extract_article(ARTICLES[1], nlp)


@pytest.mark.parametrize("name", [*STAGES, ENTITIES, CASES])
def test_every_component_can_be_pickled(name: str, nlp: Language) -> None:
    copy = pickle.loads(pickle.dumps(nlp.get_pipe(name)))
    texts = []
    for component in (nlp.get_pipe(name), copy):
        doc = nlp.make_doc(TEXTS[1])
        for other, pipe in nlp.pipeline:
            doc = component(doc) if other == name else pipe(doc)
        texts.append(extraction_of(doc))
    assert texts[0] == texts[1]


def state(doc: Doc) -> object:
    """All that the stages left on a Doc, as a user reads it."""
    return (
        doc._.article,
        extraction_of(doc),
        [(s.start, s.end, s._.heading) for s in doc.spans["sections"]],
        [(s.text, s._.long_form) for s in doc.spans["abbreviations"]],
        [(s.text, s._.term, s._.assertion, s._.when_days, s._.is_general) for s in doc.spans["terms"]],
        [(s.text, s.label_, s._.quantity) for s in doc.spans["quantities"]],
        [(s.text, s._.days) for s in doc.spans["times"]],
        [s.text for s in doc.sents],
    )


@pytest.mark.parametrize("number", range(len(ARTICLES)))
def test_a_doc_travels_with_all_that_was_found(number: int, nlp: Language) -> None:
    doc = nlp(make_doc(nlp, ARTICLES[number]))
    assert state(Doc(nlp.vocab).from_bytes(doc.to_bytes())) == state(doc)


def test_docs_travel_in_a_docbin(nlp: Language) -> None:
    docs = [nlp(make_doc(nlp, article)) for article in ARTICLES]
    raw = DocBin(docs=docs, store_user_data=True).to_bytes()
    again = list(DocBin().from_bytes(raw).get_docs(nlp.vocab))
    assert [state(doc) for doc in again] == [state(doc) for doc in docs]


def test_two_processes_give_what_one_gives(nlp: Language) -> None:
    one = [state(doc) for doc in nlp.pipe(TEXTS)]
    two = [state(doc) for doc in nlp.pipe(TEXTS, n_process=2, batch_size=1)]
    assert two == one


def test_articles_pass_two_processes(nlp: Language) -> None:
    docs = nlp.pipe((make_doc(nlp, article) for article in ARTICLES), n_process=2, batch_size=2)
    assert [extraction_of(doc) for doc in docs] == [extract_article(article, nlp) for article in ARTICLES]


def test_the_weights_of_the_entities_are_those_of_their_card() -> None:
    folder = shipped_weights()
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    assert meta["weights_sha256"] == digest_of_folder(folder)
    assert meta["dev"]["span"]["micro"]["strict_f1"] >= 0.72
    assert sum(path.stat().st_size for path in folder.iterdir()) < 30_000_000


def test_all_models_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in shipped("models").rglob("*") if path.is_file()) < 60_000_000


def test_the_entities_find_what_the_casebook_marks(tmp_path: Path) -> None:
    job = load_job(ROOT / "configs" / "evaluate" / "casebook_spans.yaml")
    summary = run_evaluation(job, tmp_path / "out")
    assert job.gates and summary.below == () and summary.failures == ()


def test_entities_can_be_left_out(nlp: Language) -> None:
    rules = load(entities="none")
    assert ENTITIES in nlp.pipe_names and ENTITIES not in rules.pipe_names
    assert not run(rules, ARTICLES[0]).spans.get("entities")
    doc = run(nlp, ARTICLES[0])
    assert {entity.label_ for entity in doc.spans["entities"]} >= {"AGE", "NEOPLASM", "PROCEDURE"}
