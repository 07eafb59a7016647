"""Training jobs: small ones over the casebook, from their config to weights that a pipeline loads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokenizer import Tokenizer

from caseframe import __version__
from caseframe.cli import main
from caseframe.errors import GoldError, ModelError, NoArticles, OutputError, TrainingError
from caseframe.evaluation.run import load_spans_of
from caseframe.pipeline import assemble_stages, set_entities
from caseframe.stages.entities import TYPES, EntityFinder
from caseframe.stages.entity_network import tags_of
from caseframe.stages.tokenizer import blank
from caseframe.training import run as module
from caseframe.training.crf import fit_crf
from caseframe.training.job import Silver, Texts, TrainConfig, Vectors, load_training
from caseframe.training.marks import digest_of_text
from caseframe.training.run import META, Trained, digest_of_folder, run_training
from caseframe.training.texts import digest_of, keys_of, learn_vectors, read_texts, read_vectors

ROOT = Path(__file__).resolve().parents[2]
CASEBOOK = (ROOT / "tests" / "data" / "casebook" / "spans.jsonl").read_text(encoding="utf-8").splitlines()
TRAIN, DEV = CASEBOOK[:12], CASEBOOK[12:16]
TEXT = "A 58-year-old man with a chordoma of the sacrum underwent en bloc sacrectomy."
CONFIG = """
seed: 3
corpora:
  - {name: cases, loader: marked, paths: [train.jsonl], copies: 2}
  - {name: sites, loader: marked, paths: [sites.jsonl], types: [ANATOMY], labels: {Site: ANATOMY}}
dev: {name: held_out, loader: marked, paths: [dev.jsonl]}
width: 16
depth: 1
vectors: {texts: [{paths: [texts.jsonl]}], dimensions: 8, rows: 500, epochs: 1}
teachers: 2
crf: true
teacher: {epochs: 2, rate: 0.01}
silver: {texts: [{paths: [texts.jsonl]}], abstracts: 6, shortest: 8, longest: 80}
student: {epochs: 2, rate: 0.01}
finish: {epochs: 1, rate: 0.005}
"""


def plain(marked: str) -> tuple[str, str]:
    """Title and body of a marked text without its marks."""
    text = json.loads(marked)["marked"]
    for part in text.split("[[")[1:]:
        mark, _, words = part.split("]]")[0].partition("|")
        text = text.replace(f"[[{mark}|{words}]]", words)
    title, _, body = text.partition("\n")
    return title, body


def unmarked_texts() -> Iterator[dict[str, str]]:
    """Texts without marks: new ones, the dev set's under their ids and under others, and one of the marked ones."""
    parts = ("chordoma of the sacrum", "osteosarcoma of the femur", "lesion of the pelvis", "pain in the left hip")
    for number in range(9):
        words = (
            f"A man with {parts[number % 4]} was operated on; the {parts[(number + 1) % 4]} was treated with plates."
        )
        yield {"pmid": str(number + 1), "title": f"Case number {number}", "abstract": f"{words} He walked. {words}"}
    for number, line in enumerate(DEV):
        title, body = plain(line)
        own = json.loads(line)["article_id"] if number % 2 else f"other:{number}"
        yield {"article_id": own, "title": title, "abstract": body}
    title, body = plain(TRAIN[0])
    yield {"article_id": json.loads(TRAIN[0])["article_id"], "title": title, "abstract": body}


def folder_of(path: Path, config: str = CONFIG) -> TrainConfig:
    """A job's folder with all its files; gives the job."""
    path.mkdir(parents=True, exist_ok=True)
    sites = {
        "article_id": "sites:1",
        "marked": "Mass of the hip\nA mass of the [[Site|left hip]] and the [[Site|pelvis]].",
    }
    files = {
        "job.yaml": [config],
        "train.jsonl": TRAIN,
        "dev.jsonl": DEV,
        "sites.jsonl": [json.dumps(sites)],
        "texts.jsonl": [json.dumps(each) for each in unmarked_texts()],
    }
    for name, lines in files.items():
        (path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_training(path / "job.yaml")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (*EntityFinder.FILES, META)}


def steps_of(work: Path) -> set[str]:
    return {path.name.rsplit("-", 1)[0] for path in work.iterdir()}


@pytest.fixture
def stages(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages as the other tests made them: to assemble them takes a second."""
    monkeypatch.setattr(module, "assemble_stages", lambda: nlp)


@pytest.fixture
def job(tmp_path: Path) -> TrainConfig:
    return folder_of(tmp_path)


def without(config: TrainConfig, **parts: Any) -> TrainConfig:
    return config.model_copy(update=parts)


class TestRefusals:
    """What cannot be trained is refused before anything is."""

    def refused(self, config: TrainConfig, error: type[Exception], message: str) -> None:
        work = config.dev.paths[0].parent / "work"
        with pytest.raises(error, match=message):
            run_training(config, work.with_name("out"), work)
        assert not list(work.iterdir())

    def test_an_article_of_the_dev_set_in_a_corpus(self, job: TrainConfig, tmp_path: Path) -> None:
        with (tmp_path / "train.jsonl").open("a", encoding="utf-8") as train:
            train.write(DEV[1] + "\n")
        self.refused(job, GoldError, r"cases and held_out share the article casebook:014: .*train\.jsonl, line 13")

    def test_the_same_text_under_another_id(self, job: TrainConfig, tmp_path: Path) -> None:
        with (tmp_path / "sites.jsonl").open("a", encoding="utf-8") as sites:
            sites.write(json.dumps({"article_id": "sites:2", "marked": "\n".join(plain(DEV[1]))}) + "\n")
        self.refused(job, GoldError, r"sites and held_out share the text of .*casebook:014")

    @pytest.mark.parametrize("name", ["train.jsonl", "dev.jsonl"])
    def test_a_label_that_is_no_type(self, job: TrainConfig, tmp_path: Path, name: str) -> None:
        with (tmp_path / name).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"article_id": "x", "marked": "A [[Mass|lump]] of\nthe hip"}) + "\n")
        self.refused(
            job, GoldError, rf"{name}, line \d+: \w+ has the label Mass, which is no type\. Map it under labels"
        )

    def test_no_crfsuite(self, job: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pycrfsuite", None)
        self.refused(
            job, TrainingError, r"needs the package python-crfsuite\. pip install 'caseframe\[train\]', or set crf"
        )

    def test_no_entities_to_take_the_vectors_of(self, job: TrainConfig, tmp_path: Path) -> None:
        config = without(job, vectors=Vectors(like=tmp_path / "nothing"))
        self.refused(
            config, ModelError, r"nothing: no weights of entities: .*\. Give the folder that caseframe train wrote"
        )

    def test_a_folder_that_cannot_be_written(self, job: TrainConfig, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(OutputError, match=r"file.*\. Give a folder that can be written"):
            run_training(job, tmp_path / "file" / "out", tmp_path / "work")

    def test_texts_that_are_not_there(self, job: TrainConfig, tmp_path: Path, stages: None) -> None:
        (tmp_path / "texts.jsonl").unlink()
        with pytest.raises(NoArticles, match=r"texts\.jsonl"):
            run_training(job, tmp_path / "out", tmp_path / "work")

    def test_no_text_of_a_fair_length(self, job: TrainConfig, tmp_path: Path, stages: None) -> None:
        silver = job.silver.model_copy(update={"shortest": 4000, "longest": 5000})
        config = without(job, silver=silver, crf=False)
        (tmp_path / "train.jsonl").write_text(TRAIN[0] + "\n", encoding="utf-8")
        with pytest.raises(TrainingError, match=r"silver\.texts: no text of 4000 to 5000 tokens .*abstracts: 0"):
            run_training(config, tmp_path / "out", tmp_path / "work")


class TestTexts:
    def test_what_is_left_out(self, job: TrainConfig) -> None:
        texts = job.vectors.texts
        every = list(read_texts(texts, set()))
        assert len(every) == 14 and every[0].startswith("Case number 0")
        assert len(list(read_texts(texts, {"pmid:1", keys_of(load_spans_of(job.dev).articles[0])[1]}))) == 12

    def test_columns_and_bodies(self, tmp_path: Path) -> None:
        line = {"name": "Title", "abstract": "Abstract.", "full": ["First part.", "Second part."]}
        (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
        source = Texts(paths=(tmp_path / "a.jsonl",), columns={"title": "name", "body": "full"})
        (short,) = read_texts([source], set())
        (long,) = read_texts([source.model_copy(update={"body": True})], set())
        assert "Title" in short and "Second part." not in short
        assert "Second part." in long

    def test_the_digest_is_that_of_the_bytes(self, job: TrainConfig, tmp_path: Path) -> None:
        before = digest_of(job.vectors.texts)
        assert digest_of(job.silver.texts) == before
        with (tmp_path / "texts.jsonl").open("a", encoding="utf-8") as texts:
            texts.write("\n")
        assert digest_of(job.vectors.texts) != before

    def test_vectors_of_words_and_of_their_parts(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        settings = Vectors(dimensions=6, rows=200, epochs=1)
        for name in "ab":
            (tmp_path / name).mkdir()
        made = [learn_vectors(settings, ["Tumor of the femur.\nTumor."] * 20, tmp_path / name) for name in "ab"]
        assert made[0].read_bytes() == made[1].read_bytes()
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["vectors.floret"]
        vectors = read_vectors(made[0], ["tumor", "femur"])
        assert vectors.shape == (200, 6)
        table = module.Features([], vectors).vectors_of(["tumor", "femur", "unheard-of"])
        assert table[:2].std() == pytest.approx(1, abs=1e-3)
        assert table[2].any()
        assert capfd.readouterr() == ("", "")

    def test_too_few_words(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match=r"vectors\.texts: no word occurs 5 times\. Give more texts"):
            learn_vectors(Vectors(), ["Tumor of the femur."], tmp_path)

    def test_no_floret(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "floret", None)
        with pytest.raises(TrainingError, match=r"need the package floret\. pip install 'caseframe\[train\]'"):
            learn_vectors(Vectors(), ["Tumor."], tmp_path)

    def test_no_crfsuite(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pycrfsuite", None)
        with pytest.raises(TrainingError, match=r"python-crfsuite\. pip install .*, or set crf: false"):
            fit_crf([], [], {}, tmp_path / "crf")


class Broken(Exception):
    """Somebody pulled the plug."""


@pytest.mark.slow
class TestWhole:
    """The whole way, once; then the same broken off, changed, and from the command line."""

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("job")

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls) -> list[tuple[str, int, int]]:
        return []

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, home: Path, told: list[tuple[str, int, int]]) -> Trained:
        config = folder_of(home)
        return run_training(config, home / "out", home / "work", progress=lambda *at: told.append(at))

    def test_weights_that_a_pipeline_loads(self, trained: Trained) -> None:
        assert {path.name for path in trained.folder.iterdir()} == {*EntityFinder.FILES, META}
        nlp = assemble_stages()
        set_entities(nlp, str(trained.folder))
        doc = nlp(TEXT)
        assert all(0 < span._.confidence <= 1 for span in doc.spans["entities"])

    def test_the_meta_file(self, trained: Trained, home: Path) -> None:
        meta = json.loads((trained.folder / META).read_text(encoding="utf-8"))
        assert list(meta) == [
            "name", "caseframe", "versions", "seed", "data_sha256", "weights_sha256", "config", "dev",
        ]  # fmt: skip
        assert meta["name"] == "caseframe_entities" and meta["caseframe"] == __version__ and meta["seed"] == 3
        assert set(meta["versions"]) == {"python", "spacy", "thinc", "numpy"}
        assert meta["weights_sha256"] == digest_of_folder(trained.folder)
        assert len(meta["data_sha256"]) == 64
        assert meta["config"]["corpora"][0]["paths"] == ["train.jsonl"]
        assert str(home) not in json.dumps(meta)
        assert meta["dev"] == trained.metrics
        assert meta["dev"]["span"]["micro"]["gold"] == sum(line.count("[[") for line in DEV)

    def test_it_tells_how_far_it_is(self, trained: Trained, told: list[tuple[str, int, int]]) -> None:
        steps = {step for step, _, _ in told}
        assert steps == {
            "unmarked abstracts", "stages", "vectors", "teacher-1", "teacher-2", "CRF", "marking", "student", "finish",
        }  # fmt: skip
        for step in steps:
            *_, (done, total) = [(done, total) for name, done, total in told if name == step]
            assert done == total, step

    def test_what_is_kept(self, trained: Trained, home: Path) -> None:
        assert steps_of(home / "work") == {
            "vectors", "teacher-1", "teacher-2", "crf", "abstracts", "opinions", "student", "finish",
        }  # fmt: skip

    def test_the_chosen_abstracts(self, trained: Trained, home: Path) -> None:
        (chosen,) = (home / "work").glob("abstracts-*/texts.json")
        texts = json.loads(chosen.read_text(encoding="utf-8"))
        assert len(texts) == 6 and all(text.startswith("Case number") for text in texts)

    def test_the_dev_set_is_never_read(self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[str] = []

        def spy(sources: Sequence[Texts], left_out: Any) -> Iterator[str]:
            for text in read_texts(sources, left_out):
                seen.append(text)
                yield text

        monkeypatch.setattr(module, "read_texts", spy)
        config = without(folder_of(tmp_path), teachers=1)
        run_training(config, tmp_path / "out", tmp_path / "work")
        titles = {plain(line)[0] for line in DEV}
        assert len(seen) > 20  # vectors, abstracts, words of the CRF
        assert not [text for text in seen if text.split("\n")[0] in titles]
        marked = [text for text in seen if text.startswith(plain(TRAIN[0])[0])]
        assert len(marked) == 1  # for the vectors alone

    @pytest.mark.parametrize("step", ["teacher-2", "student"])
    def test_a_job_that_was_broken_off_goes_on(self, trained: Trained, home: Path, tmp_path: Path, step: str) -> None:
        config = load_training(home / "job.yaml")
        work = tmp_path / "work"
        told: list[str] = []

        def break_off(name: str, done: int, total: int) -> None:
            if name == step:
                raise Broken

        with pytest.raises(Broken):
            run_training(config, tmp_path / "out", work, progress=break_off)
        assert not (tmp_path / "out" / META).exists()
        done = {path.name: path.stat().st_mtime_ns for path in work.iterdir() if path.suffix != ".unfinished"}
        assert len(done) == {"teacher-2": 3, "student": 6}[step]
        run_training(config, tmp_path / "out", work, progress=lambda name, *_: told.append(name))
        assert {name: (work / name).stat().st_mtime_ns for name in done} == done
        assert step in told and not {"vectors", "teacher-1"} & set(told)
        assert not list(work.glob("*.unfinished"))
        assert bytes_of(tmp_path / "out") == bytes_of(trained.folder)

    def test_a_finished_job_is_only_measured_again(self, trained: Trained, home: Path, tmp_path: Path) -> None:
        told: list[str] = []
        config = load_training(home / "job.yaml")
        run_training(config, tmp_path / "out", home / "work", progress=lambda name, *_: told.append(name))
        assert told == []
        assert bytes_of(tmp_path / "out") == bytes_of(trained.folder)

    @pytest.mark.parametrize(
        ("old", "new", "again"),
        [
            ("finish: {epochs: 1", "finish: {epochs: 2", {"finish"}),
            ("rate: 0.01}\nfinish", "rate: 0.02}\nfinish", {"student", "finish"}),
            ("crf: true", "crf: false", {"opinions", "student", "finish"}),
            ("teachers: 2", "teachers: 1", {"opinions", "student", "finish"}),
            (
                "longest: 80",
                "longest: 90",
                {"abstracts", "crf", "opinions", "student", "finish"},
            ),
        ],
    )
    def test_another_setting_repeats_what_depends_on_it(
        self, trained: Trained, home: Path, tmp_path: Path, old: str, new: str, again: set[str]
    ) -> None:
        shutil.copytree(home / "work", tmp_path / "work")
        assert old in CONFIG
        (home / "other.yaml").write_text(CONFIG.replace(old, new), encoding="utf-8")
        before = {path.name for path in (tmp_path / "work").iterdir()}
        run_training(load_training(home / "other.yaml"), tmp_path / "out", tmp_path / "work")
        made = {path.name for path in (tmp_path / "work").iterdir()} - before
        assert {name.rsplit("-", 1)[0] for name in made} == again

    def test_another_dev_set_needs_other_vectors(self, trained: Trained, home: Path, tmp_path: Path) -> None:
        """The old ones may have been learned from its texts."""
        (home / "fewer.jsonl").write_text(DEV[0] + "\n", encoding="utf-8")
        config = CONFIG.replace("dev.jsonl", "fewer.jsonl").replace("abstracts: 6", "abstracts: 0")
        (home / "other.yaml").write_text(config, encoding="utf-8")
        shutil.copytree(home / "work", tmp_path / "work")
        run_training(load_training(home / "other.yaml"), tmp_path / "out", tmp_path / "work")
        assert len(list((tmp_path / "work").glob("vectors-*"))) == 2

    def test_without_a_student_the_first_teacher_is_the_result(self, trained: Trained, tmp_path: Path) -> None:
        config = folder_of(tmp_path, CONFIG.replace("abstracts: 6", "abstracts: 0"))
        run_training(config, tmp_path / "out", tmp_path / "work")
        assert steps_of(tmp_path / "work") == {"vectors", "teacher-1"}
        (teacher,) = (tmp_path / "work").glob("teacher-1-*")
        for name in EntityFinder.FILES:
            assert (tmp_path / "out" / name).read_bytes() == (teacher / name).read_bytes()

    def test_vectors_of_other_entities(self, trained: Trained, tmp_path: Path, stages: None) -> None:
        like = shutil.copytree(trained.folder, tmp_path / "like")
        config = without(folder_of(tmp_path), vectors=Vectors(like=like), silver=Silver())
        run_training(config, tmp_path / "out", tmp_path / "work")
        assert steps_of(tmp_path / "work") == {"teacher-1"}
        assert (tmp_path / "out" / "vectors").read_bytes() == (like / "vectors").read_bytes()
        turned = np.frombuffer((like / "vectors").read_bytes(), dtype="float16")[::-1]
        (like / "vectors").write_bytes(turned.tobytes())
        run_training(config, tmp_path / "out", tmp_path / "work")
        assert len(list((tmp_path / "work").iterdir())) == 2  # other vectors, another network

    def test_marks_of_teachers_elsewhere(self, trained: Trained, home: Path, tmp_path: Path, stages: None) -> None:
        """With marks nobody else teaches; only texts that have marks are learned, and other marks make another student."""
        job = folder_of(tmp_path)
        (vectors,) = (home / "work").glob("vectors-*")
        shutil.copytree(vectors, tmp_path / "work" / vectors.name)
        texts = list(read_texts(job.silver.texts, set()))[:4]
        made = []
        for tag in (0, 4):
            path = marks_of(tmp_path / f"marks-{tag}.npz", texts, blank().tokenizer, tag)
            config = without(job, silver=job.silver.model_copy(update={"marks": path}))
            run_training(config, tmp_path / f"out-{tag}", tmp_path / "work")
            made.append((tmp_path / f"out-{tag}" / "network").read_bytes())
        assert made[0] != made[1]
        assert steps_of(tmp_path / "work") == {"vectors", "abstracts", "student", "finish"}
        for chosen in (tmp_path / "work").glob("abstracts-*"):
            assert set(json.loads((chosen / "texts.json").read_text(encoding="utf-8"))) <= set(texts)
        meta = json.loads((tmp_path / "out-0" / META).read_text(encoding="utf-8"))
        assert meta["config"]["silver"]["marks"] == "marks-0.npz"

    def test_marks_of_none_of_the_texts(self, tmp_path: Path, stages: None) -> None:
        job = folder_of(tmp_path)
        path = marks_of(tmp_path / "marks.npz", ["Another text."], blank().tokenizer, 0)
        config = without(job, silver=job.silver.model_copy(update={"marks": path}))
        with pytest.raises(TrainingError, match=r"silver\.texts: no text of 8 to 80 tokens .* that .*marks\.npz knows"):
            run_training(config, tmp_path / "out", tmp_path / "work")

    def test_from_the_command_line(self, trained: Trained, home: Path, tmp_path: Path) -> None:
        shutil.copytree(home / "work", tmp_path / "made.work")
        done = command("train", str(home / "job.yaml"), "-o", str(tmp_path / "made"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("held_out, overlap") and "micro" in done.stdout and "macro" in done.stdout
        assert "made, " in done.stdout and not done.stderr
        assert bytes_of(tmp_path / "made") == bytes_of(trained.folder)
        work = tmp_path / "elsewhere"
        shutil.copytree(home / "work", work)
        done = command("train", str(home / "job.yaml"), "-o", str(tmp_path / "b"), "--work", str(work), "-q")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert not (tmp_path / "b.work").exists()


def marks_of(path: Path, texts: Sequence[str], tokenizer: Tokenizer, tag: int) -> Path:
    """A file of marks: every token of the texts has this tag for certain."""
    lengths = [len(tokenizer(text)) for text in texts]
    total = sum(lengths)
    np.savez(
        path,
        tags=np.array(tags_of(TYPES)),
        digests=np.array([digest_of_text(text) for text in texts]),
        lengths=np.array(lengths, dtype="uint32"),
        counts=np.ones(total, dtype="uint8"),
        which=np.full(total, tag, dtype="uint8"),
        probabilities=np.full(total, 255, dtype="uint8"),
    )
    return path


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "from caseframe.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "160", "PATH": "", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
    )


def test_errors_of_the_command_line_are_one_line(
    job: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(CONFIG.replace("width", "breadth"), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["caseframe", "train", str(path), "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (1, "")
    assert told.err == f"caseframe: {path}: unknown key breadth. Compare with configs/train/entities.yaml\n"
