"""The network of caseframe.stages.entity_network, trained on a GPU from teachers' marks.

    python benchmarks/teacher/student.py corpus.npz.xz marks.npz student.npz
    python benchmarks/teacher/student.py corpus.npz.xz marks-0.npz student-0.npz --part 0

The steps are those of `caseframe train` with `silver.marks`; collect.py makes weights of the result.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from chain import Chain, strict
from corpus import DEV, MAIN, UNMARKED, Corpus
from mark import places_of, told
from pretrain import DEVICE
from torch import nn

Tensor = torch.Tensor
Array = Any
HASHED, PIECES = 64, 3
ROWS = (5000, 1000, 2500, 1000, 2500)
HIDE_WORDS, HIDE_FEATURES = 0.05, 0.1
HIDDEN_VIEWS = (0, 4)
COPIES = 3


class Maxout(nn.Module):
    """The largest of three sums, normed."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(width, PIECES, size))
        self.b = nn.Parameter(torch.zeros(width, PIECES))
        nn.init.uniform_(self.W, -(bound := (6 / (width * PIECES + size)) ** 0.5), bound)
        self.norm = nn.LayerNorm(width, eps=1e-8)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm((F.linear(x, self.W.flatten(0, 1)).view(len(x), *self.b.shape) + self.b).amax(-1))


class Student(nn.Module):
    """Tokens of texts end to end to scores of tags."""

    def __init__(self, vector: int, stages: int, tags: int, width: int, depth: int) -> None:
        super().__init__()
        self.depth, self.vector_size = depth, vector
        self.views = nn.ModuleList(nn.EmbeddingBag(rows, HASHED, mode="sum") for rows in ROWS)
        for view in self.views:
            nn.init.uniform_(view.weight, -0.1, 0.1)
        self.vector, self.stages = nn.Linear(vector, width), nn.Linear(stages, HASHED)
        self.mixed = Maxout(HASHED * (len(ROWS) + 1) + width, width)
        self.layers = nn.ModuleList(Maxout(3 * width, width) for _ in range(depth))
        self.output = nn.Linear(width, tags)
        for layer in (self.vector, self.stages, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.transitions = nn.Parameter(torch.zeros(tags, tags))

    def forward(self, rows: Tensor, dense: Tensor, places: Tensor, size: int, dropout: float) -> Tensor:
        """Scores; `places` says where each token stands among `size` rows, gaps of zeros between the texts."""
        parts = [view(rows[:, n]) for n, view in enumerate(self.views)]
        parts += [self.vector(dense[:, : self.vector_size]), self.stages(dense[:, self.vector_size :])]

        def drop(x: Tensor) -> Tensor:
            return F.dropout(x, dropout) if self.training and dropout else x

        x = drop(self.mixed(drop(torch.cat(parts, 1))))
        x = x.new_zeros(size, x.shape[1]).index_copy(0, places, x)
        for layer in self.layers:
            none = x.new_zeros(1, x.shape[1])
            x = x + drop(layer(torch.cat([torch.cat([none, x[:-1]]), x, torch.cat([x[1:], none])], 1)))
        scores: Tensor = self.output(drop(x[places]))
        return scores


class Texts:
    """All that is learned from, on the GPU: tokens end to end, and the target of each."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.tokens = torch.tensor(corpus.tokens.astype("int64"), device=DEVICE)
        self.lower = torch.tensor(corpus.lower.astype("int64"), device=DEVICE)
        self.rows = torch.tensor(corpus.rows.astype("int64"), device=DEVICE)
        self.vectors = torch.tensor(corpus.vectors * corpus.scale, dtype=torch.float32, device=DEVICE)
        self.found = torch.tensor(corpus.found, device=DEVICE)
        self.shifts = torch.arange(7, -1, -1, device=DEVICE, dtype=torch.uint8)
        self.bounds = {doc: corpus.sentences(doc) for doc in range(len(corpus.kinds))}

    def input(self, docs: Sequence[int], gap: int, *, hide: bool) -> tuple[Tensor, Tensor, Tensor, int, Tensor]:
        """Rows of views, dense features, places with gaps, how many places there are, and which tokens these are."""
        lengths = [int(self.corpus.ends[doc] - self.corpus.starts[doc]) for doc in docs]
        at = np.concatenate([np.arange(self.corpus.starts[doc], self.corpus.ends[doc]) for doc in docs])
        number = np.repeat(np.arange(len(docs)), lengths)
        places = np.arange(len(at)) + (number + 1) * gap
        tokens = torch.tensor(at, device=DEVICE)
        surface = self.tokens[tokens]
        rows = self.rows[surface]
        bits = ((self.found[tokens][:, :, None] >> self.shifts) & 1).flatten(1)[:, : self.corpus.found_size].float()
        dense = torch.cat([self.vectors[self.lower[surface]], bits], 1)
        if hide:
            for view in HIDDEN_VIEWS:
                gone = torch.rand(len(rows), 1, device=DEVICE) < HIDE_WORDS
                rows[:, view] = torch.where(gone, self.rows[-1, view], rows[:, view])
            kept = torch.rand(len(docs), dense.shape[1], device=DEVICE) >= HIDE_FEATURES
            kept[:, : self.vectors.shape[1]] = True
            dense = dense * kept[torch.tensor(number, device=DEVICE)]
        return rows, dense, torch.tensor(places, device=DEVICE), len(at) + gap * (len(docs) + 1), tokens

    def sentences(self, docs: Sequence[int]) -> list[tuple[int, int]]:
        """Bounds of the sentences of Docs end to end."""
        found, at = [], 0
        for doc in docs:
            start = int(self.corpus.starts[doc])
            found += [(a - start + at, b - start + at) for a, b in self.bounds[doc]]
            at += int(self.corpus.ends[doc]) - start
        return found


def targets_of(corpus: Corpus, marks: Any, tags: int) -> tuple[Tensor, list[int]]:
    """The probability of each tag for each token (marked by people: 1), and the unmarked Docs that have marks."""
    table = np.zeros((len(corpus.tokens), tags), dtype="float16")
    docs = corpus.docs(UNMARKED)[: len(marks["digests"])]
    assert (corpus.digests[: len(docs)] == marks["digests"]).all()
    start, end = int(corpus.starts[docs[0]]), int(corpus.ends[docs[-1]])
    token = np.repeat(np.arange(start, end), marks["counts"])
    table[token, marks["which"]] = marks["probabilities"]
    table[start:end] /= table[start:end].sum(1, keepdims=True)
    main = np.concatenate([np.arange(corpus.starts[doc], corpus.ends[doc]) for doc in corpus.docs(MAIN)])
    table[main, corpus.targets[main]] = 1
    return torch.tensor(table, device=DEVICE), docs


def train(
    student: Student, texts: Texts, docs: Sequence[int], targets: Tensor, chain: Chain, *, rounds: int, batch: int,
    rate: float, dropout: float, pairs_too: bool, label: str,
) -> None:  # fmt: skip
    """Learns from probabilities; with `pairs_too` also which tag follows which, from targets that are certain."""
    random = np.random.default_rng(0)
    parameters = list(student.parameters())
    adam = torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-4, fused=DEVICE == "cuda")
    mean = [each.detach().clone() for each in parameters]
    steps, number = rounds * -(-len(docs) // batch), 0
    student.train()
    for turn in range(rounds):
        order = random.permutation(len(docs))
        for at in range(0, len(order), batch):
            chosen = [docs[n] for n in order[at : at + batch]]
            *given, tokens = texts.input(chosen, student.depth, hide=True)
            with torch.autocast(DEVICE, dtype=torch.bfloat16):
                scores = student(*given, dropout).float()
            bounds = texts.sentences(chosen)
            with torch.no_grad():
                found, pairs = chain.marginals(scores.detach(), *places_of(bounds), student.transitions)
                wanted = targets[tokens].float()
                share = 1 / len(tokens)
            scores.backward((found - wanted) * share)
            if pairs_too:
                inner = torch.tensor([n for a, b in bounds for n in range(a, b - 1)], device=DEVICE)
                follow = torch.einsum("ni,nj->ij", wanted[inner], wanted[inner + 1])
                student.transitions.grad = (pairs - follow) * share
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            adam.param_groups[0]["lr"] = rate * min(1.0, (number + 1) / 100) * (1 - number / steps)
            adam.step()
            adam.zero_grad(set_to_none=True)
            number += 1
            torch._foreach_lerp_(mean, parameters, max(0.002, 1 / number))
        if turn % 2 or turn == rounds - 1:
            kept = [each.detach().clone() for each in parameters]
            with torch.no_grad():
                torch._foreach_copy_(parameters, mean)
                measure(student, texts, chain, f"{label} round {turn + 1}")
                if turn < rounds - 1:
                    torch._foreach_copy_(parameters, kept)
            student.train()


@torch.no_grad()
def measure(student: Student, texts: Texts, chain: Chain, label: str) -> None:
    """Strict F1 on the dev set of the tags that the chain finds best."""
    student.eval()
    docs = texts.corpus.docs(DEV)
    *given, tokens = texts.input(docs, student.depth, hide=False)
    scores = student(*given, 0.0).cpu().numpy()
    tags = chain.best(scores, texts.sentences(docs), student.transitions.cpu().numpy())
    told(f"{label}: dev", strict(chain, tags, texts.corpus.targets[tokens.cpu().numpy()]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("corpus", "marks", "out"):
        parser.add_argument(name)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--finish", type=int, default=4, help="rounds on what people marked alone, at the end")
    parser.add_argument("--part", type=int, help="leave out this part of the main corpus")
    parser.add_argument("--texts", type=int, help="learn from so many unmarked texts at most")
    arguments = parser.parse_args()
    began = time.monotonic()
    torch.manual_seed(0)
    corpus = Corpus(arguments.corpus)
    chain = Chain(corpus.types[MAIN], DEVICE)
    targets, silver = targets_of(corpus, np.load(arguments.marks), len(chain))
    texts = Texts(corpus)
    marked = corpus.docs(MAIN) if arguments.part is None else corpus.part(arguments.part, inside=False)
    size = (len(corpus.scale), corpus.found_size, len(chain), arguments.width, arguments.depth)
    student = Student(*size).to(DEVICE)
    label = f"{arguments.out}:"
    train(
        student, texts, [*silver[: arguments.texts], *marked * COPIES], targets, chain, rounds=arguments.rounds,
        batch=arguments.batch, rate=arguments.rate, dropout=arguments.dropout, pairs_too=False, label=label,
    )  # fmt: skip
    train(
        student, texts, marked, targets, chain, rounds=arguments.finish, batch=8, rate=0.0005, dropout=0.3,
        pairs_too=True, label=f"{label} finish",
    )  # fmt: skip
    arrays = {name: value.cpu().numpy() for name, value in student.state_dict().items()}
    np.savez(
        arguments.out,
        shape=np.array(size),
        features=corpus.features,
        part=-1 if arguments.part is None else arguments.part,
        **arrays,
    )
    print(f"{arguments.out}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
