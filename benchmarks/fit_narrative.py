"""Fits the narrative stage's weights on casefields_train and writes `stages/rules/narrative.tsv`.

    python benchmarks/fit_narrative.py ../shared/data [--write] [--dev] [--strength 0.3]

A sentence is the patient's where a gold finding's words stand in it and nowhere else in the article. It is general
where no gold finding's words stand in it, unless it plainly goes on with the story ("She was discharged": a case
section, a pronoun, "the patient was"). What lies between is left out. Words that mostly stand inside findings name
diseases and organs, not a way of telling, and are no features. Logistic regression with an L1 penalty keeps few
features. The roles of sentences are those of models that never saw the article (fit_sentence_roles.py --write). Scores
are those of five-fold cross-validation by article; the threshold keeps 97.5 % of the findings.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")

from scipy.sparse import csr_matrix  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GroupKFold  # noqa: E402
from spacy.language import Language  # noqa: E402

from caseframe.pipeline import register, run  # noqa: E402
from caseframe.schema import Article  # noqa: E402
from caseframe.stages.narrative import (  # noqa: E402
    BIAS,
    THRESHOLD,
    TITLE,
    builtin_weights,
    lift_titles,
    sentence_features,
)
from caseframe.stages.roles import RoleTagger  # noqa: E402
from caseframe.stages.tokenizer import blank  # noqa: E402
from fitting import role_taggers, run_held_out  # noqa: E402

MIN_COUNT = 8
MAX_INSIDE = 0.2
"""Words are features where no more than this share of their places lies inside a finding's words."""
STORY = frozenset(
    (
        "section: case",
        "section: diagnosis",
        "section: intervention",
        "section: outcome",
        "shape: pronoun",
        "shape: the patient",
    )
)
KEPT_FINDINGS = 0.975
FUNCTION_WORDS = frozenset("a an the of in on to for with and or no not by at from".split())


@dataclass
class Sentence:
    article: str
    text: str
    features: list[str]
    label: int
    """1 the patient's, 0 general, -1 unsure."""
    findings: list[int]
    """Numbers of the findings whose words stand here."""


def stages() -> Language:
    register()
    nlp = blank()
    for name in ("sentences", "sections", "abbreviations", "terms", "quantities", "roles"):
        nlp.add_pipe(f"caseframe_{name}")
    return nlp


def articles(folder: Path) -> Iterator[tuple[Article, list[str]]]:
    """Articles with the words of their gold findings; those without any are left out."""
    with (folder / "texts.jsonl").open(encoding="utf-8") as stream:
        texts = {row["article_id"]: row for row in map(json.loads, stream)}
    with (folder / "gold.jsonl").open(encoding="utf-8") as stream:
        for gold in map(json.loads, stream):
            row = texts[gold["article_id"]]
            words = [f["text"] for case in gold["cases"] for f in case["findings"] if f["text"] in row["text"]]
            if words:
                abstract = [(part["label"] or "", part["text"]) for part in row["sections"]]
                yield Article.build(article_id=gold["article_id"], title=row["title"], abstract=abstract), words


def allowed(feature: str, banned: set[str]) -> bool:
    return feature.startswith(("section: ", "role: ", "shape: ", "place: ", "told before: ")) or banned.isdisjoint(
        feature.split()
    )


def read(folder: Path, banned: set[str], taggers: Mapping[str, RoleTagger] | None = None) -> list[Sentence]:
    """The sentences of a folder of gold; `taggers`: by article, the roles' tagger to use, else the shipped one."""
    nlp = stages()
    result: list[Sentence] = []
    number = 0
    for article, findings in articles(folder):
        doc = run_held_out(nlp, article, taggers) if taggers else run(nlp, article)
        own = [
            Sentence(article.article_id, doc[start:end].text, [f for f in features if allowed(f, banned)], 0, [])
            for start, end, features in sentence_features(doc)
        ]
        for words in findings:
            places = [sentence for sentence in own if words in sentence.text]
            for sentence in places:
                sentence.findings.append(number)
                sentence.label = 1 if len(places) == 1 or sentence.label == 1 else -1
            number += bool(places)
        for sentence in own:
            if sentence.label == 0 and not STORY.isdisjoint(sentence.features):
                sentence.label = -1
        result.extend(own)
    return result


@dataclass
class Model:
    names: list[str]
    regression: LogisticRegression

    def score(self, sentences: list[Sentence]) -> np.ndarray:
        return np.asarray(self.regression.predict_proba(matrix(sentences, self.names))[:, 1])


def matrix(sentences: list[Sentence], names: list[str]) -> csr_matrix:
    column = {name: i for i, name in enumerate(names)}
    cells = [(row, column[f]) for row, s in enumerate(sentences) for f in set(s.features) if f in column]
    rows, columns = np.array(cells, dtype=np.int32).T
    return csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(sentences), len(names)))


def content_words(folder: Path) -> set[str]:
    """Words that stand inside the findings' words more often than a way of telling would."""
    nlp = blank()
    inside: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    for article, findings in articles(folder):
        everywhere.update(token.lower_ for token in nlp.make_doc(article.text))
        inside.update(token.lower_ for words in set(findings) for token in nlp.make_doc(words))
    return {word for word, count in inside.items() if word.isalpha() and count > MAX_INSIDE * everywhere[word]}


def fit(train: list[Sentence], strength: float) -> Model:
    sure = [sentence for sentence in train if sentence.label >= 0]
    counts = Counter(feature for sentence in sure for feature in set(sentence.features))
    names = sorted(feature for feature, count in counts.items() if count >= MIN_COUNT)
    regression = LogisticRegression(l1_ratio=1, solver="liblinear", C=strength, random_state=0, max_iter=300)
    return Model(names, regression.fit(matrix(sure, names), [sentence.label for sentence in sure]))


def lift(sentences: list[Sentence], scores: np.ndarray) -> np.ndarray:
    """Scores with the stage's rule for titles."""
    result: list[float] = []
    position = 0
    for _, group in groupby(sentences, key=lambda sentence: sentence.article):
        own = list(group)
        part = [float(score) for score in scores[position : position + len(own)]]
        result.extend(lift_titles(part, [TITLE in sentence.features for sentence in own]))
        position += len(own)
    return np.array(result)


def best_of_findings(sentences: list[Sentence], scores: np.ndarray) -> np.ndarray:
    """For each finding the best score of a sentence that has its words."""
    best: dict[int, float] = {}
    for sentence, value in zip(sentences, scores, strict=True):
        for number in sentence.findings:
            best[number] = max(best.get(number, 0.0), float(value))
    return np.array(list(best.values()))


def report(name: str, sentences: list[Sentence], scores: np.ndarray, threshold: float) -> None:
    labels = np.array([sentence.label for sentence in sentences])
    patient = scores >= threshold
    kept = float((best_of_findings(sentences, scores) >= threshold).mean())
    print(
        f"{name}: threshold {threshold:.3f}  findings kept {kept:.4f}  patient sentences kept "
        f"{patient[labels == 1].mean():.4f} (n={sum(labels == 1)})  general sentences caught "
        f"{(~patient[labels == 0]).mean():.4f} (n={sum(labels == 0)})  "
        f"accuracy at 0.5 {((scores >= 0.5) == (labels == 1))[labels >= 0].mean():.4f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--strength", type=float, default=0.3, help="inverse of the L1 penalty")
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    parser.add_argument("--dev", action="store_true", help="measure on casefields_dev, too")
    parser.add_argument("--errors", type=int, default=0, help="print this many of the worst errors")
    arguments = parser.parse_args()

    banned = content_words(arguments.data / "casefields_train") - FUNCTION_WORDS
    train = read(arguments.data / "casefields_train", banned, role_taggers())
    scores = np.zeros(len(train))
    groups = [sentence.article for sentence in train]
    for learn, test in GroupKFold(5).split(train, groups=groups):
        scores[test] = fit([train[i] for i in learn], arguments.strength).score([train[i] for i in test])
    scores = lift(train, scores)
    threshold = float(np.quantile(best_of_findings(train, scores), 1 - KEPT_FINDINGS, method="lower"))
    threshold = int(threshold * 1000) / 1000
    report("cross-validation", train, scores, threshold)

    for label, order in ((1, 1), (0, -1)):
        shown = sorted((i for i in range(len(train)) if train[i].label == label), key=lambda i: order * scores[i])
        for i in shown[: arguments.errors]:
            print(f"  {'lost' if label else 'general kept'} {scores[i]:.3f} {train[i].features[0]}: {train[i].text}")

    model = fit(train, arguments.strength)
    weights = {f: w for f, w in zip(model.names, model.regression.coef_[0], strict=True) if round(w, 3)}
    print(f"{len(weights)} features")
    if arguments.dev:
        dev = read(arguments.data / "casefields_dev", banned)
        report("casefields_dev", dev, lift(dev, model.score(dev)), threshold)
    if arguments.write:
        lines = [f"{BIAS}\t{model.regression.intercept_[0]:.3f}", f"{THRESHOLD}\t{threshold:.3f}"]
        lines += [f"{f}\t{w:.3f}" for f, w in sorted(weights.items(), key=lambda item: (-item[1], item[0]))]
        head = (
            "# Weights of the narrative stage, made by benchmarks/fit_narrative.py; above 0 speaks for the patient.\n"
        )
        builtin_weights().write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
