"""The chain over tags of caseframe.stages.entity_network, for a GPU: forward and backward in one replayed graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from corpus import LONGEST_SENTENCE

Array = Any
Tensor = torch.Tensor


class Chain:
    """Tags of types and what may follow what."""

    def __init__(self, types: Sequence[str], device: str) -> None:
        self.tags = ("O", *(f"{part}-{name}" for name in types for part in "BILU"))
        parts = np.array([tag[0] for tag in self.tags])
        names = np.array([tag[2:] for tag in self.tags])
        opened = np.isin(parts, ("B", "I"))[:, None]
        goes_on = np.isin(parts, ("I", "L"))[None, :]
        allowed = np.where(opened, goes_on & (names[:, None] == names[None, :]), ~goes_on)
        self.allowed = torch.tensor(allowed, device=device)
        self.first = torch.tensor(np.isin(parts, ("O", "B", "U")), device=device)
        self.last = torch.tensor(np.isin(parts, ("O", "L", "U")), device=device)
        self._graphs: dict[int, Callable[..., tuple[Tensor, Tensor]]] = {}

    def __len__(self) -> int:
        return len(self.tags)

    def marginals(self, scores: Tensor, places: Tensor, lengths: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
        """The probability of each tag of each token (as `scores`), and how often each pair of tags is expected.

        `places` (sentence, token) says where in `scores` each token of each sentence is; `lengths` how many there are.
        """
        padded = scores[places]
        if scores.is_cuda:
            found, pairs = self._replayed(padded, lengths, transitions)
        else:
            found, pairs = self._run(padded, lengths, transitions)
        valid = torch.arange(places.shape[1], device=scores.device)[None] < lengths[:, None]
        flat = torch.zeros_like(scores)
        flat[places[valid]] = found[: len(places)][valid]
        return flat, pairs

    def _replayed(self, scores: Tensor, lengths: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
        """`_run` over as many rows as the next multiple of 64, from a graph: thousands of small steps at once."""
        rows = -(-len(scores) // 64) * 64
        if rows not in self._graphs:
            self._graphs[rows] = self._captured(rows, scores, transitions)
        return self._graphs[rows](scores, lengths, transitions)

    def _captured(self, rows: int, scores: Tensor, transitions: Tensor) -> Callable[..., tuple[Tensor, Tensor]]:
        held = scores.new_zeros(rows, LONGEST_SENTENCE, len(self))
        count = torch.zeros(rows, dtype=torch.int64, device=scores.device)
        after = transitions.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._run(held, count, after)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            made = self._run(held, count, after)

        def replay(scores: Tensor, lengths: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
            held[: len(scores), : scores.shape[1]] = scores
            count.zero_()
            count[: len(lengths)] = lengths
            after.copy_(transitions)
            graph.replay()
            return made[0][:, : scores.shape[1]], made[1]

        return replay

    def _run(self, scores: Tensor, lengths: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
        longest = scores.shape[1]
        steps = transitions.exp() * self.allowed
        valid = (torch.arange(longest, device=scores.device)[:, None] < lengths[None])[:, :, None]
        likely = (scores - scores.amax(-1, keepdim=True)).clamp(min=-60).exp().transpose(0, 1).contiguous()
        here = likely[0] * self.first
        scales = [here.sum(-1, keepdim=True)]
        here = here / scales[0]
        forward = [here]
        for t in range(1, longest):
            after = (here @ steps) * likely[t]
            scales.append(after.sum(-1, keepdim=True).clamp(min=1e-30))
            here = torch.where(valid[t], after / scales[t], here)
            forward.append(here)
        rest = self.last / (here * self.last).sum(-1, keepdim=True).clamp(min=1e-30)
        backward, reached = [rest], []
        weights = torch.stack(scales).reciprocal() * likely
        for t in range(longest - 1, 0, -1):
            reached.append(weights[t] * rest * valid[t])
            rest = torch.where(valid[t], reached[-1] @ steps.T, rest)
            backward.append(rest)
        ahead = torch.stack(forward)
        pairs = torch.einsum("tsi,tsj->ij", ahead[:-1], torch.stack(reached[::-1])) * steps
        tags = ahead * torch.stack(backward[::-1]) * valid
        return tags.transpose(0, 1), pairs

    def best(self, scores: Array, sentences: Sequence[tuple[int, int]], transitions: Array | None = None) -> Array:
        """The best tag of each token (Viterbi), for scores in an array and the bounds of its sentences."""
        allowed = self.allowed.cpu().numpy()
        between = np.where(allowed, 0.0 if transitions is None else transitions, -1e9)
        first, last = (np.where(each.cpu().numpy(), 0.0, -1e9) for each in (self.first, self.last))
        tags = np.zeros(len(scores), dtype="int64")
        for start, end in sentences:
            here, came = scores[start] + first, []
            for t in range(start + 1, end):
                ways = here[:, None] + between
                came.append(ways.argmax(0))
                here = ways.max(0) + scores[t]
            tags[end - 1] = (here + last).argmax()
            for t in range(end - 1, start, -1):
                tags[t - 1] = came[t - 1 - start][tags[t]]
        return tags

    def spans(self, tags: Array) -> set[tuple[int, int, str]]:
        """The spans that a sequence of tags stands for."""
        found, start = set(), 0
        for n, tag in enumerate(self.tags[number] for number in tags):
            if tag[0] in "BU":
                start = n
            if tag[0] in "LU":
                found.add((start, n + 1, tag[2:]))
        return found


def strict(chain: Chain, found: Array, wanted: Array) -> dict[str, float]:
    """Strict F1 of tags, over all and by type."""
    a, b = chain.spans(found), chain.spans(wanted)
    types = sorted({tag[2:] for tag in chain.tags[1:]})
    groups = {"all": (a, b)} | {
        name: ({span for span in a if span[2] == name}, {span for span in b if span[2] == name}) for name in types
    }
    return {name: 2 * len(x & y) / max(1, len(x) + len(y)) for name, (x, y) in groups.items()}
