"""Teachers: the transformer, taught what people marked; and what they say of unmarked texts, for a student.

    python benchmarks/teacher/mark.py beside corpus.npz.xz pieces.npz encoder.pt base.pt --rounds 3
    python benchmarks/teacher/mark.py marks corpus.npz.xz pieces.npz base.pt marks.npz --seeds 5
    python benchmarks/teacher/mark.py marks corpus.npz.xz pieces.npz base.pt marks-0.npz --seeds 2 --part 0

`beside` teaches it the corpora beside the main one, each by a head of its own. `marks` trains teachers on the main
corpus (all of it, or without one part) and writes the mean of their probabilities for the unmarked texts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from chain import Chain, strict
from corpus import DEV, LONGEST_SENTENCE, MAIN, MASK, SPECIAL, UNMARKED, WINDOW, Corpus, Pieces, Segment
from pretrain import DEVICE, Encoder
from torch import nn

Tensor = torch.Tensor
Array = Any
LEAST = 0.004
"""Tags less probable than this are not written."""


class Batch:
    """Segments side by side: their pieces, where each token begins, what the stages found, the places of sentences."""

    def __init__(self, segments: Sequence[Segment], corpus: Corpus, pieces: Pieces) -> None:
        words = [corpus.lower[corpus.tokens[each.start : each.end]] for each in segments]
        cut = [pieces.of(each) for each in words]
        longest = max(len(ids) for ids, _ in cut)
        table = np.zeros((len(cut), longest), dtype="int64")
        for row, (ids, _) in zip(table, cut, strict=True):
            row[: len(ids)] = ids
        tokens = np.concatenate([np.arange(each.start, each.end) for each in segments])
        self.tokens = tokens
        self.pieces = torch.tensor(table, device=DEVICE)
        self.begins = torch.tensor(
            np.concatenate([begins + n * longest for n, (_, begins) in enumerate(cut)]), device=DEVICE
        )
        found = np.unpackbits(corpus.found[tokens], axis=1)[:, : corpus.found_size]
        vectors = corpus.vectors[np.concatenate(words)] * corpus.scale
        self.dense = torch.tensor(np.concatenate([vectors, found], axis=1), dtype=torch.float32, device=DEVICE)
        self.rows = torch.tensor(
            np.repeat(np.arange(len(segments)), [each.end - each.start for each in segments]), device=DEVICE
        )
        bounds, at = [], 0
        for each in segments:
            bounds += [(start - each.start + at, end - each.start + at) for start, end in each.sentences]
            at += each.end - each.start
        self.places, self.lengths = places_of(bounds)
        self.bounds = bounds
        kept = tokens[-1] < len(corpus.targets)
        self.targets = torch.tensor(corpus.targets[tokens].astype("int64"), device=DEVICE) if kept else None


def places_of(bounds: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """Where each token of each sentence is, sentence by token, and the length of each sentence."""
    longest = LONGEST_SENTENCE if DEVICE == "cuda" else max(end - start for start, end in bounds)
    table = np.zeros((len(bounds), longest), dtype="int64")
    for row, (start, end) in zip(table, bounds, strict=True):
        row[: end - start] = np.arange(start, end)
    lengths = np.array([end - start for start, end in bounds])
    return torch.tensor(table, device=DEVICE), torch.tensor(lengths, device=DEVICE)


class Tagger(nn.Module):
    """The transformer with what the stages found and the words' vectors beside it, and a head for each set of types."""

    def __init__(self, shape: dict[str, int], dense: int, vector: int, sizes: dict[str, int]) -> None:
        super().__init__()
        width = shape["width"]
        self.encoder = Encoder(**shape)
        self.encoder.dropout = 0.1
        self.vector = vector
        self.enter, self.beside = nn.Linear(dense, width), nn.Linear(dense, width)
        nn.init.zeros_(self.enter.weight)
        nn.init.zeros_(self.enter.bias)
        self.mix = nn.Sequential(nn.RMSNorm(width), nn.Dropout(0.2))
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in sizes.items()})
        self.chains = nn.ParameterDict({name: torch.zeros(size, size) for name, size in sizes.items()})

    def forward(self, batch: Batch, name: str) -> Tensor:
        """The score of each tag for each token."""
        pieces, dense = batch.pieces, batch.dense
        if self.training:
            hidden = (torch.rand_like(pieces, dtype=torch.float32) < 0.06) & (pieces >= SPECIAL)
            pieces = torch.where(hidden, MASK, pieces)
            keep = torch.rand(len(batch.pieces), dense.shape[1], device=DEVICE) >= 0.1
            keep[:, : self.vector] = keep[:, :1]
            dense = dense * keep[batch.rows]
        beside = torch.zeros(pieces.numel(), self.encoder.embed.embedding_dim, device=DEVICE)
        beside = beside.index_copy(0, batch.begins, self.enter(dense).float()).view(*pieces.shape, -1)
        vectors = self.encoder(pieces, beside=beside).flatten(0, 1)[batch.begins]
        scores: Tensor = self.heads[name](self.mix(vectors + self.beside(dense)))
        return scores.float()


def teach(tagger: Tagger, steps: Sequence[tuple[Batch, str]], chains: dict[str, Chain], rate: float) -> None:
    """Trains on batches, in this order, and leaves the running mean of the weights."""
    new = [*tagger.enter.parameters(), *tagger.beside.parameters(), *tagger.heads.parameters()]
    new += list(tagger.chains.parameters())
    groups = [
        {"params": list(tagger.encoder.parameters()), "factor": 1.0},
        {"params": [*new, *tagger.mix.parameters()], "factor": 4.0},
    ]
    adam = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.05, fused=DEVICE == "cuda")
    parameters = list(tagger.parameters())
    mean = [each.detach().clone() for each in parameters]
    tagger.train()
    for number, (batch, name) in enumerate(steps):
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            scores = tagger(batch, name)
        chain = chains[name]
        with torch.no_grad():
            found, pairs = chain.marginals(scores.detach(), batch.places, batch.lengths, tagger.chains[name])
            wanted = nn.functional.one_hot(batch.targets, len(chain)).float()
            follow = torch.zeros_like(pairs)
            inner = torch.tensor([n for a, b in batch.bounds for n in range(a, b - 1)], device=DEVICE)
            follow.index_put_(
                (batch.targets[inner], batch.targets[inner + 1]), follow.new_ones(len(inner)), accumulate=True
            )
            share = 1 / len(batch.tokens)
        scores.backward((found - wanted) * share)
        tagger.chains[name].grad = (pairs - follow) * share
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        pace = min(1.0, (number + 1) / (0.1 * len(steps)), (len(steps) - number) / (0.9 * len(steps)))
        for group in adam.param_groups:
            group["lr"] = rate * group["factor"] * pace
        adam.step()
        adam.zero_grad(set_to_none=True)
        torch._foreach_lerp_(mean, parameters, max(0.01, 1 / (number + 1)))
    with torch.no_grad():
        torch._foreach_copy_(parameters, mean)


def batches(corpus: Corpus, pieces: Pieces, docs: Sequence[int], most: int = 6000) -> list[Batch]:
    """Docs in batches of about `most` pieces, long ones together."""
    sizes = pieces.sizes[corpus.lower[corpus.tokens]]
    segments = corpus.segments(docs, sizes)
    total = np.concatenate([[0], np.cumsum(sizes)])
    length = {each: int(total[each.end] - total[each.start]) for each in segments}
    made: list[list[Segment]] = []
    for each in sorted(segments, key=lambda each: -length[each]):
        if not made or length[made[-1][0]] * (len(made[-1]) + 1) > most:
            made.append([])
        made[-1].append(each)
    return [Batch(group, corpus, pieces) for group in made]


def shuffled(corpus: Corpus, pieces: Pieces, docs: Sequence[int], rounds: int, seed: int) -> Iterator[Batch]:
    """Docs in small batches, anew in each round."""
    random = np.random.default_rng(seed)
    segments = corpus.segments(docs, pieces.sizes[corpus.lower[corpus.tokens]], WINDOW)
    for _ in range(rounds):
        order = random.permutation(len(segments))
        for at in range(0, len(order), 12):
            yield Batch([segments[n] for n in order[at : at + 12]], corpus, pieces)


@torch.no_grad()
def probabilities(tagger: Tagger, made: Sequence[Batch], chain: Chain, name: str) -> list[Tensor]:
    """The probability of each tag for the tokens of each batch."""
    tagger.eval()
    found = []
    for batch in made:
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            scores = tagger(batch, name)
        found.append(chain.marginals(scores, batch.places, batch.lengths, tagger.chains[name])[0].half())
    return found


def measured(made: Sequence[Batch], found: Sequence[Tensor], chain: Chain, corpus: Corpus) -> dict[str, float]:
    """Strict F1 of the best tags by these probabilities."""
    tags, wanted = [], []
    for batch, each in zip(made, found, strict=True):
        tags.append(chain.best(np.log(each.float().cpu().numpy() + 1e-6), batch.bounds))
        wanted.append(corpus.targets[batch.tokens])
    return strict(chain, np.concatenate(tags), np.concatenate(wanted))


def told(label: str, scores: dict[str, float]) -> None:
    print(label, " ".join(f"{name} {value:.3f}" for name, value in scores.items()), flush=True)


def beside(arguments: argparse.Namespace) -> None:
    """From the encoder to one that has learned the other corpora too."""
    corpus, pieces = Corpus(arguments.corpus), Pieces(arguments.pieces)
    saved = torch.load(arguments.model, map_location=DEVICE)
    kinds = [kind for kind in range(2, int(corpus.kinds.max()) + 1) if corpus.docs(kind)]
    chains = {str(kind): Chain(corpus.types[kind], DEVICE) for kind in kinds}
    dense = len(corpus.scale) + corpus.found_size
    sizes = {name: len(chain) for name, chain in chains.items()}
    tagger = Tagger(saved["shape"], dense, len(corpus.scale), sizes).to(DEVICE)
    tagger.encoder.load_state_dict(saved["encoder"])
    made = [(batch, str(kind)) for kind in kinds for batch in batches(corpus, pieces, corpus.docs(kind), 5000)]
    random = np.random.default_rng(0)
    steps = [made[n] for _ in range(arguments.rounds) for n in random.permutation(len(made))]
    print(f"beside: {len(steps)} steps", flush=True)
    teach(tagger, steps, chains, arguments.rate)
    trunk = {name: value for name, value in tagger.state_dict().items() if not name.startswith(("heads", "chains"))}
    torch.save({"shape": saved["shape"], "trunk": trunk}, arguments.out)


def marks(arguments: argparse.Namespace) -> None:
    """From the encoder to what teachers say of the unmarked texts."""
    began = time.monotonic()
    corpus, pieces = Corpus(arguments.corpus), Pieces(arguments.pieces)
    saved = torch.load(arguments.model, map_location=DEVICE)
    chain = Chain(corpus.types[MAIN], DEVICE)
    part = arguments.part
    learned = corpus.docs(MAIN) if part is None else corpus.part(part, inside=False)
    dev = batches(corpus, pieces, corpus.docs(DEV))
    unseen = [] if part is None else batches(corpus, pieces, corpus.part(part, inside=True))
    unmarked = batches(corpus, pieces, corpus.docs(UNMARKED)[: arguments.texts], 30_000)
    dense = len(corpus.scale) + corpus.found_size
    sums: list[list[Tensor]] = []
    for seed in range(arguments.seeds):
        torch.manual_seed(seed)
        tagger = Tagger(saved["shape"], dense, len(corpus.scale), {"main": len(chain)}).to(DEVICE)
        if "trunk" in saved:
            tagger.load_state_dict(saved["trunk"], strict=False)
        else:
            tagger.encoder.load_state_dict(saved["encoder"])
        steps = [(batch, "main") for batch in shuffled(corpus, pieces, learned, arguments.rounds, seed)]
        teach(tagger, steps, {"main": chain}, arguments.rate)
        found = [probabilities(tagger, made, chain, "main") for made in (dev, unseen, unmarked)]
        told(f"part {part} seed {seed}: dev", measured(dev, found[0], chain, corpus))
        sums = (
            [[a + b for a, b in zip(*both, strict=True)] for both in zip(sums, found, strict=True)] if seed else found
        )
        print(f"{time.monotonic() - began:.0f} s", flush=True)
    means = [[each / arguments.seeds for each in made] for made in sums]
    told(f"part {part} mean: dev", measured(dev, means[0], chain, corpus))
    if unseen:
        told(f"part {part} mean: unseen", measured(unseen, means[1], chain, corpus))
    write(arguments.out, corpus, chain, unmarked, means[2])


def write(path: str, corpus: Corpus, chain: Chain, made: Sequence[Batch], found: Sequence[Tensor]) -> None:
    """Tags that are probable enough, token by token, with 8 bits for how much; `counts` says how many a token has."""
    tokens = np.concatenate([batch.tokens for batch in made])
    order = np.argsort(tokens)
    tables = []
    for each in found:
        table = each.float()
        table = torch.where(table >= LEAST, table, 0)
        tables.append((table / table.sum(1, keepdim=True) * 255).round().to(torch.uint8).cpu().numpy())
    table = np.concatenate(tables)[order]
    token, tag = np.nonzero(table)
    docs = corpus.docs(UNMARKED)
    docs = docs[: int(np.searchsorted(corpus.ends[docs], tokens.max() + 1)) + 1]
    lengths = corpus.ends[docs] - corpus.starts[docs]
    assert lengths.sum() == len(table)
    np.savez_compressed(
        path,
        tags=np.array(chain.tags),
        digests=corpus.digests[: len(docs)],
        lengths=lengths.astype("uint32"),
        counts=np.bincount(token, minlength=len(table)).astype("uint8"),
        which=tag.astype("uint8"),
        probabilities=table[token, tag],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["beside", "marks"])
    for name in ("corpus", "pieces", "model", "out"):
        parser.add_argument(name)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--part", type=int, help="leave out this part of the main corpus")
    parser.add_argument("--texts", type=int, help="mark so many texts at most")
    arguments = parser.parse_args()
    {"beside": beside, "marks": marks}[arguments.step](arguments)


if __name__ == "__main__":
    main()
