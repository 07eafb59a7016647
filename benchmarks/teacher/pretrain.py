"""A small transformer that learns to fill in hidden words of unmarked texts: the ground that the teachers stand on.

    python benchmarks/teacher/pretrain.py corpus.npz.xz pieces.npz encoder.pt --seconds 250

It learns for as long as it is given; the learning rate follows the clock.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from corpus import MASK, PAD, SPECIAL, VOCABULARY, WINDOW, Corpus, Pieces
from torch import nn

Tensor = torch.Tensor
HIDDEN = 0.25
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Block(nn.Module):
    """Attention and two layers, each on the normed stream; positions by rotation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // 64
        self.first, self.second = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor, turn: Tensor, seen: Tensor | None, dropout: float) -> Tensor:
        count, length, width = x.shape
        q, k, v = self.qkv(self.first(x)).view(count, length, 3, self.heads, 64).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(_turned(q, turn), _turned(k, turn), v, attn_mask=seen)
        x = x + F.dropout(self.out(mixed.transpose(1, 2).reshape(count, length, width)), dropout, self.training)
        return x + F.dropout(self.down(F.gelu(self.up(self.second(x)))), dropout, self.training)


def _turned(x: Tensor, turn: Tensor) -> Tensor:
    cos, sin = turn[0].to(x.dtype), turn[1].to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Encoder(nn.Module):
    """Pieces to vectors."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.enter = nn.RMSNorm(width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.leave = nn.RMSNorm(width)
        self.dropout = 0.0
        angles = torch.arange(2 * WINDOW)[:, None] * 10_000.0 ** (-torch.arange(32) / 32)
        self.register_buffer("turn", torch.stack([angles.cos(), angles.sin()]), persistent=False)

    def forward(self, pieces: Tensor, *, beside: Tensor | None = None, step: Any = None) -> Tensor:
        """Vectors of pieces (text, piece); `beside` is added to what goes in."""
        x = self.enter(self.embed(pieces))
        if beside is not None:
            x = x + beside
        turn = self.turn[:, : pieces.shape[1]]
        seen = (pieces != PAD)[:, None, None] if step is None else None
        for block in self.blocks:
            x = block(x, turn, seen, self.dropout) if step is None else step(block, x, turn)
        return self.leave(x)


class Muon:
    """Steps of equal size in all directions of a matrix (Jordan et al. 2024); matrices of one shape at once."""

    def __init__(self, matrices: list[nn.Parameter]) -> None:
        shapes = {each.shape for each in matrices}
        self.groups = [[each for each in matrices if each.shape == shape] for shape in shapes]
        self.moments = [torch.zeros(len(group), *group[0].shape, device=group[0].device) for group in self.groups]

    @torch.no_grad()
    def step(self, rate: float, decay: float = 0.1, momentum: float = 0.95) -> None:
        for group, moment in zip(self.groups, self.moments, strict=True):
            gradient = torch.stack([each.grad for each in group])
            moment.lerp_(gradient, 1 - momentum)
            x = gradient.lerp(moment, momentum)
            size = 0.2 * max(x.shape[1:]) ** 0.5
            x = _orthogonal(x)
            torch._foreach_mul_(group, 1 - rate * decay)
            torch._foreach_add_(group, list((x * (-rate * size)).unbind()))


def _orthogonal(x: Tensor) -> Tensor:
    x = x.to(torch.bfloat16)
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x if wide else x.mT).float()


def hide(pieces: Tensor, word: Tensor) -> tuple[Tensor, Tensor]:
    """Pieces with a quarter of the words hidden (of those a tenth stays, a tenth is another), and which were."""
    chance = torch.rand_like(pieces, dtype=torch.float32).gather(1, word)
    hidden = (chance < HIDDEN) & (pieces >= SPECIAL)
    which = torch.rand_like(chance)
    other = torch.randint_like(pieces, SPECIAL, VOCABULARY)
    shown = torch.where(which < 0.1, pieces, torch.where(which < 0.2, other, MASK))
    return torch.where(hidden, shown, pieces), hidden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("pieces")
    parser.add_argument("out")
    parser.add_argument("--seconds", type=float, default=250)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--depth", type=int, default=12)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--plain", action="store_true", help="do not compile")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    language = Corpus(arguments.corpus).language
    pieces, begins = Pieces(arguments.pieces).of(language)
    starts = np.zeros(len(pieces), dtype="uint8")
    starts[begins] = 1
    stream = torch.tensor(pieces.astype("int16"), device=DEVICE)
    word_starts = torch.tensor(starts, device=DEVICE)
    print(f"{len(language):,} words, {len(pieces):,} pieces", flush=True)
    encoder = Encoder(arguments.width, arguments.depth).to(DEVICE)
    head = nn.Sequential(nn.Linear(arguments.width, arguments.width), nn.GELU(), nn.RMSNorm(arguments.width)).to(DEVICE)
    bias = nn.Parameter(torch.zeros(VOCABULARY, device=DEVICE))
    matrices = [each for each in encoder.blocks.parameters() if each.ndim == 2]
    others = [each for each in encoder.parameters() if each.ndim != 2]
    others += [encoder.embed.weight, *head.parameters(), bias]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.01, fused=DEVICE == "cuda")

    def apply(block: Block, x: Tensor, turn: Tensor) -> Tensor:
        return block(x, turn, None, 0.0)

    step = apply if arguments.plain else torch.compile(apply)
    window = torch.arange(WINDOW, device=DEVICE)
    began, number, total = time.monotonic(), 0, torch.zeros((), device=DEVICE)
    while (share := (time.monotonic() - began) / arguments.seconds) < 1:
        at = torch.randint(len(stream) - WINDOW, (arguments.batch, 1), device=DEVICE) + window
        chosen = stream[at].long()
        word = word_starts[at].long().cumsum(1).clamp(max=WINDOW - 1)
        shown, hidden = hide(chosen, word)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            vectors = head(encoder(shown, step=step)[hidden])
            scores = F.linear(vectors, encoder.embed.weight, bias)
        loss = F.cross_entropy(scores.float(), chosen[hidden])
        loss.backward()
        rate = arguments.rate * min(1.0, (number + 1) / 100, (1 - share) / 0.7 + 0.01)
        muon.step(rate)
        adam.param_groups[0]["lr"] = rate
        adam.step()
        for each in (*matrices, *others):
            each.grad = None
        total += loss.detach()
        number += 1
        if number == 2:
            began = time.monotonic()  # what was compiled is compiled
        if number % 100 == 0 or number < 3:
            seconds = time.monotonic() - began
            mean = total.item() / (100 if number % 100 == 0 else 1)
            print(f"{seconds:6.1f} s, step {number}, loss {mean:.3f}, rate {rate:.5f}", flush=True)
            total.zero_()
    shape = {"width": arguments.width, "depth": arguments.depth}
    torch.save({"shape": shape, "encoder": encoder.state_dict()}, arguments.out)
    print(f"{number} steps of {arguments.batch * WINDOW:,} pieces", flush=True)


if __name__ == "__main__":
    main()
