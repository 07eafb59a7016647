"""Fits the weights of `stages/roles.py` and measures them in cross-validation.

    python benchmarks/fit_sentence_roles.py DATA_DIR [--write] [--strength 0.05]

Two sources, both with labels hidden from the features. Structured abstracts of the article collection tell background,
story and conclusion by their printed labels. The training gold tells the parts of the story: where the words of a
procedure stand (and nowhere else) is treatment, where those of an outcome stand is outcome, and so on; a sentence of an
unlabelled abstract without any finding, pronoun or patient is background or conclusion. What a source leaves open stays
open: each sentence has a set of roles that it may have, and the likelihood of a conditional random field sums over all
sequences within the sets. Half the weight of a structured abstract is given to a thinned copy, since abstracts without
labels are shorter. Articles of the development gold are left out. Scores are those of five-fold cross-validation by
article, and of a sheet of judgements on abstracts without labels (`sentence_roles.tsv`).

`--write` also keeps the models of the folds under `outputs/`: what is fitted after this on the training gold must see
the roles of a model that never saw the article.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

warnings.filterwarnings("ignore")

from scipy.optimize import minimize  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402
from spacy.language import Language  # noqa: E402
from spacy.tokens import Doc  # noqa: E402

from caseframe.evaluation.gold import GoldArticle, read_gold, read_texts  # noqa: E402
from caseframe.pipeline import register  # noqa: E402
from caseframe.schema import Article  # noqa: E402
from caseframe.stages.extensions import make_doc  # noqa: E402
from caseframe.stages.roles import (  # noqa: E402
    AFTER,
    ALLOWED,
    BEGIN,
    END,
    ROLES,
    STORY,
    UNTOLD,
    builtin_weights,
    sentence_features,
)
from caseframe.stages.telling import PATIENT_TOLD, kinds_of, sentences_of  # noqa: E402
from caseframe.stages.tokenizer import blank  # noqa: E402
from fitting import FOLD_WEIGHTS, folds  # noqa: E402

MIN_ARTICLES = 40
# Weights this small change nothing and only lengthen the table.
LEAST_WEIGHT = 0.02
# How much an article of each source counts.
WEIGHTS = {"labelled": 0.5, "thinned": 0.5, "gold labelled": 3.0, "gold unlabelled": 6.0, "judged": 0.0}
# Of a thinned abstract, a share of each section's sentences drawn from these is kept.
SHARES = (0.0, 0.3, 0.6, 1.0)
SHEET = Path(__file__).with_name("sentence_roles.tsv")
PARTS = {
    "treatment": "procedure implant therapy margin",
    "outcome": "outcome complication recurrence vital_status disease_status follow_up",
    "case": "age sex symptom diagnosis site imaging comorbidity metastasis measurement",
}
PART_OF = {field: role for role, fields in PARTS.items() for field in fields.split()}
GENERAL = ("background", "conclusion")

Array = NDArray[np.float64]


@dataclass
class Text:
    """The sentences of an article that have a role: their features, and which roles each may have."""

    article: str
    source: str
    """`labelled`, `thinned`, `gold labelled`, `gold unlabelled` or, for the sheet, `judged`."""
    features: list[list[str]]
    allowed: NDArray[np.bool_]
    """Shape (sentences, roles)."""


def mask(roles: Sequence[str]) -> list[bool]:
    return [role in roles for role in ROLES]


def stages() -> Language:
    register()
    nlp = blank()
    for name in ("sentences", "sections", "abbreviations", "terms", "quantities"):
        nlp.add_pipe(f"caseframe_{name}")
    return nlp


def read(data: Path) -> list[Text]:
    nlp = stages()

    def run(article: Article) -> Doc:
        doc = make_doc(nlp, article)
        for _, component in nlp.pipeline:
            doc = component(doc)
        return doc

    sheet = judged()
    apart = {article.article_id for article in read_texts(data / "casefields_dev" / "texts.jsonl")}
    articles = {article.article_id: article for article in read_texts(data / "casefields_train" / "texts.jsonl")}
    texts = [of_gold(gold, run(articles[gold.article_id])) for gold in read_gold(data / "casefields_train/gold.jsonl")]
    with gzip.open(data / "articles" / "case_report_abstracts.jsonl.gz", "rt", encoding="utf-8") as stream:
        for row in map(json.loads, stream):
            if row["article_id"] in apart or row["article_id"] in articles:
                continue
            parts = [(part["label"] or "", part["text"]) for part in row["sections"]]
            article = Article.build(article_id=row["article_id"], title=row["title"], abstract=parts)
            if all(not label for label, _ in parts):
                if row["article_id"] in sheet:
                    texts.append(of_labels(article, run(article), "judged"))
                continue
            doc = run(article)
            texts.extend((of_labels(article, doc, "labelled"), of_labels(article, doc, "thinned")))
    return [text for text in texts if text.features]


def of_labels(article: Article, doc: Doc, source: str) -> Text:
    """A structured abstract, by its printed labels; `thinned`, with some of its sentences.

    Abstracts without labels are shorter, and often lack a part.
    """
    sentences = sentences_of(doc)
    kinds = kinds_of(doc)
    if source == "thinned":
        dice = random.Random(article.article_id)
        share = {kind: dice.choice(SHARES) for kind in sorted(set(kinds))}
        kept = [dice.random() < share[kind] for kind in kinds]
        sentences = [sent for sent, keep in zip(sentences, kept, strict=True) if keep]
        kinds = [kind for kind, keep in zip(kinds, kept, strict=True) if keep]
    features = list(sentence_features(doc, sentences, kinds))
    told = [(sent, kind) for sent, kind in zip(sentences, kinds, strict=True) if kind not in UNTOLD]
    allowed = [mask(by_label(kind, names)) for (_, kind), names in zip(told, features, strict=True)]
    return Text(article.article_id, source, features, np.array(allowed))


def by_label(kind: str, features: Sequence[str]) -> tuple[str, ...]:
    """The roles below a label. "We report a 40-year-old man" ends many a background and begins many a case."""
    roles = ALLOWED.get(kind, ROLES)
    return (*roles, "case") if roles == ("background",) and "shape: we report" in features else roles


def of_gold(gold: GoldArticle, doc: Doc) -> Text:
    """An article of the training gold, by its labels and the places of its findings."""
    sentences = sentences_of(doc)
    kinds = kinds_of(doc)
    features = list(sentence_features(doc, sentences, kinds))
    told = [(sent, kind) for sent, kind in zip(sentences, kinds, strict=True) if kind not in UNTOLD]
    found: list[set[str]] = [set() for _ in told]
    sure: list[bool] = [False for _ in told]
    for finding in (finding for finding in gold.findings if finding.case and finding.text):
        places = [i for i, (sent, _) in enumerate(told) if finding.text in sent.text]
        for i in places:
            found[i].add(PART_OF[finding.field])
            sure[i] = sure[i] or len(places) == 1
    allowed = []
    for i, ((_, kind), names) in enumerate(zip(told, features, strict=True)):
        roles = set(by_label(kind, names))
        if sure[i]:
            roles = roles & found[i] or roles
        elif not found[i] and kind == "text" and not is_story(names):
            roles = set(GENERAL)
        allowed.append(mask(tuple(roles)))
    source = "gold unlabelled" if all(kind == "text" for _, kind in told) else "gold labelled"
    return Text(gold.article_id, source, features, np.array(allowed))


def is_story(features: Sequence[str]) -> bool:
    return any(f"shape: {name}" in features for name in (*PATIENT_TOLD, "we report"))


@dataclass
class Batch:
    """Texts as arrays: T the most sentences of a text, N texts, K roles."""

    matrix: csr_matrix
    """(sentences, features)."""
    place: NDArray[np.int64]
    """(sentences, 2): text and number of the sentence."""
    allowed: NDArray[np.bool_]
    """(N, T, K)."""
    lengths: NDArray[np.int64]
    weights: Array


def vocabulary(texts: Sequence[Text]) -> list[str]:
    seen = Counter(name for text in texts for name in {name for names in text.features for name in names})
    return sorted(name for name, count in seen.items() if count >= MIN_ARTICLES and name.isprintable())


def batch(texts: Sequence[Text], names: Sequence[str]) -> Batch:
    column = {name: i for i, name in enumerate(names)}
    rows = [(n, t, own) for n, text in enumerate(texts) for t, own in enumerate(text.features)]
    cells = [(r, column[f]) for r, (_, _, own) in enumerate(rows) for f in set(own) if f in column]
    r, c = np.array(cells, dtype=np.int32).T
    matrix = csr_matrix((np.ones(len(cells)), (r, c)), shape=(len(rows), len(names)))
    lengths = np.array([len(text.features) for text in texts])
    allowed = np.ones((len(texts), lengths.max(), len(ROLES)), dtype=bool)
    for n, text in enumerate(texts):
        allowed[n, : lengths[n]] = text.allowed
    weights = np.array([WEIGHTS[text.source] for text in texts])
    return Batch(matrix, np.array([(n, t) for n, t, _ in rows]), allowed, lengths, weights)


def forward_backward(local: Array, begin: Array, after: Array, end: Array, lengths: NDArray[np.int64]):
    """Log partition (N,), marginals (N, T, K) and summed pairs (N, K, K) of padded texts; `local` are exponentials."""
    n, t_max, k = local.shape
    steps, first, last = np.exp(after), np.exp(begin), np.exp(end)
    forward, scale = np.zeros_like(local), np.ones((n, t_max))
    state = first * local[:, 0]
    for t in range(t_max):
        if t:
            state = (forward[:, t - 1] @ steps) * local[:, t]
        scale[:, t] = state.sum(axis=1)
        forward[:, t] = state / scale[:, t, None]
    at = lengths - 1
    ends = forward[np.arange(n), at] @ last
    inside = np.arange(t_max)[None] < lengths[:, None]
    log_z = np.where(inside, np.log(scale), 0).sum(axis=1) + np.log(ends)
    backward = np.zeros_like(local)
    pairs = np.zeros((n, k, k))
    final = np.broadcast_to(last, (n, k)) / ends[:, None]
    for t in range(t_max - 1, -1, -1):
        is_last = (at == t)[:, None]
        if t + 1 < t_max:
            onward = local[:, t + 1] * backward[:, t + 1] / scale[:, t + 1, None]
            going = np.where((at > t)[:, None], onward @ steps.T, 0)
            pairs += np.where((at > t)[:, None, None], forward[:, t, :, None] * steps[None] * onward[:, None, :], 0)
        else:
            going = np.zeros((n, k))
        backward[:, t] = np.where(is_last, final, going)
    return log_z, forward * backward, pairs


@dataclass
class Model:
    names: list[str]
    weights: Array
    """(features, roles)."""
    begin: Array
    after: Array
    end: Array

    def score(self, texts: Sequence[Text]) -> list[Array]:
        """Marginals of each text, labels hidden."""
        data = batch(texts, self.names)
        sums = spread(data, np.asarray(data.matrix @ self.weights))
        local = np.exp(sums - sums.max(axis=2, keepdims=True))
        _, result, _ = forward_backward(local, self.begin, self.after, self.end, data.lengths)
        return [result[n, :length] for n, length in enumerate(data.lengths)]


def spread(data: Batch, rows: Array) -> Array:
    """Rows of sentences as (N, T, K)."""
    full = np.zeros(data.allowed.shape)
    full[data.place[:, 0], data.place[:, 1]] = rows
    return full


def fit(texts: Sequence[Text], strength: float, iterations: int = 80) -> Model:
    """Maximises the likelihood of the sets of roles, less an L2 penalty of inverse strength `strength`."""
    names = vocabulary(texts)
    data = batch(texts, names)
    k = len(ROLES)
    shapes = (len(names) * k, k, k * k, k)
    cuts = np.cumsum(shapes)[:-1]
    at = data.lengths - 1
    numbers = np.arange(len(texts))
    inside = (np.arange(data.allowed.shape[1])[None] < data.lengths[:, None])[:, :, None]

    def loss(flat: Array) -> tuple[float, Array]:
        parts = np.split(flat, cuts)
        weights, begin, after, end = parts[0].reshape(-1, k), parts[1], parts[2].reshape(k, k), parts[3]
        sums = spread(data, np.asarray(data.matrix @ weights))
        local = np.exp(sums - sums.max(axis=2, keepdims=True))
        free_z, free, free_pairs = forward_backward(local, begin, after, end, data.lengths)
        held_z, held, held_pairs = forward_backward(local * data.allowed, begin, after, end, data.lengths)
        value = float(data.weights @ (free_z - held_z)) + flat @ flat / (2 * strength)
        excess = np.where(inside, (free - held) * data.weights[:, None, None], 0)
        slope = np.concatenate(
            [
                np.asarray(data.matrix.T @ excess[data.place[:, 0], data.place[:, 1]]).ravel(),
                excess[:, 0].sum(axis=0),
                np.einsum("n,njk->jk", data.weights, free_pairs - held_pairs).ravel(),
                excess[numbers, at].sum(axis=0),
            ]
        )
        return value, slope + flat / strength

    best = minimize(loss, np.zeros(sum(shapes)), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    parts = np.split(best.x, cuts)
    return Model(names, parts[0].reshape(-1, k), parts[1], parts[2].reshape(k, k), parts[3])


def report(texts: Sequence[Text], scores: Sequence[Array], source: str) -> None:
    """Right where the surest role is one that the source allows; by article, 1,000 bootstrap resamples."""
    own = [(text, score) for text, score in zip(texts, scores, strict=True) if text.source == source]
    print(f"{source}: {len(own)} articles, {sum(len(t.features) for t, _ in own)} sentences")
    groups = {"story": STORY, **{role: (role,) for role in ROLES}}
    counts = {name: [] for name in groups} | {"accuracy": []}
    for text, score in own:
        guess = score.argmax(axis=1)
        some = ~text.allowed.all(axis=1)
        right = text.allowed[np.arange(len(guess)), guess]
        counts["accuracy"].append((right[some].sum(), some.sum(), some.sum()))
        for name, roles in groups.items():
            of = np.array(mask(roles))
            # Sentences whose set lies within the group, or apart from it, tell whether the guess is right.
            gold = some & ~(text.allowed & ~of).any(axis=1)
            apart = some & ~(text.allowed & of).any(axis=1)
            given = of[guess] & (gold | apart)
            counts[name].append(((given & gold).sum(), given.sum(), gold.sum()))
    draws = np.random.default_rng(0).integers(0, len(own), (1000, len(own)))
    for name, rows in counts.items():
        table = np.array(rows, dtype=float)
        total = table.sum(axis=0)
        if not total[2]:
            continue
        sampled = table[draws].sum(axis=1)
        f1 = 2 * sampled[:, 0] / np.maximum(1, sampled[:, 1] + sampled[:, 2])
        low, high = np.percentile(f1, (2.5, 97.5))
        print(
            f"  {name:12} P {total[0] / max(1, total[1]):.3f}  R {total[0] / total[2]:.3f}  "
            f"F1 {2 * total[0] / (total[1] + total[2]):.3f} ({low:.3f} to {high:.3f})  n {int(total[2])}"
        )


def write(model: Model, path: Path) -> int:
    """Writes the weights that matter; returns how many lines they are."""
    rows = {BEGIN: model.begin, END: model.end}
    rows |= {AFTER + role: model.after[i] for i, role in enumerate(ROLES)}
    for name, weights in sorted(zip(model.names, model.weights, strict=True), key=lambda item: item[0]):
        if np.abs(weights).max() >= LEAST_WEIGHT:
            rows[name] = weights
    lines = [
        "# Weights of stages/roles.py, made by benchmarks/fit_sentence_roles.py; above 0 speaks for the role.",
        "\t".join(("feature", *ROLES)),
        *("\t".join((name, *(f"{w:.2f}" for w in weights))) for name, weights in rows.items()),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(rows)


def judged() -> dict[str, list[list[str]]]:
    """The sheet of judgements: by article, the roles that each sentence may have, the likeliest first."""
    sheet: dict[str, list[list[str]]] = {}
    for line in SHEET.read_text(encoding="utf-8").splitlines()[3:]:
        article, _, roles = line.split("\t")
        sheet.setdefault(article, []).append(roles.split("|"))
    return sheet


def report_sheet(texts: Sequence[Text], scores: Sequence[Array]) -> None:
    """Accuracy on the sheet: the likeliest role; any role that will do; story or not."""
    sheet = judged()
    right = np.zeros((len(texts), 4))
    for row, (text, score) in enumerate(zip(texts, scores, strict=True)):
        for roles, guess in zip(sheet[text.article], (ROLES[i] for i in score.argmax(axis=1)), strict=True):
            right[row] += (guess == roles[0], guess in roles, (guess in STORY) == (roles[0] in STORY), 1)
    draws = np.random.default_rng(0).integers(0, len(texts), (1000, len(texts)))
    sampled = right[draws].sum(axis=1)
    print(f"judged by reading: {len(texts)} unlabelled articles, {int(right[:, 3].sum())} sentences")
    for column, name in enumerate(("the role", "a role that will do", "story or not")):
        low, high = np.percentile(sampled[:, column] / sampled[:, 3], (2.5, 97.5))
        print(f"  {name:20} {right[:, column].sum() / right[:, 3].sum():.3f} ({low:.3f} to {high:.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--strength", type=float, default=0.05, help="inverse of the L2 penalty")
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    options = parser.parse_args()
    texts = read(options.data)
    sheet = [text for text in texts if text.source == "judged"]
    texts = [text for text in texts if text.source != "judged"]
    held: list[Text] = []
    scores: list[Array] = []
    for number, part in enumerate(folds([text.article for text in texts])):
        model = fit([text for text in texts if text.article not in part], options.strength)
        own = [text for text in texts if text.article in part and text.source != "thinned"]
        held += own
        scores += model.score(own)
        if options.write:
            write(model, FOLD_WEIGHTS / f"{number}.tsv")
            ids = sorted(text.article for text in own if text.source != "labelled")
            (FOLD_WEIGHTS / f"{number}.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    for source in ("labelled", "gold labelled", "gold unlabelled"):
        report(held, scores, source)
    model = fit(texts, options.strength)
    report_sheet(sheet, model.score(sheet))
    if options.write:
        print(f"{write(model, builtin_weights())} lines written to {builtin_weights()}")


if __name__ == "__main__":
    main()
