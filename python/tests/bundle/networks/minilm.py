"""The encoder all-MiniLM-L6-v2 (a BERT of 6 layers) as a torch module, with the files' names."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

HEADS, LAYERS, WIDTH, INNER, WORDS, POSITIONS = 12, 6, 384, 1536, 30522, 512


class _Embeddings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(WORDS, WIDTH)
        self.position_embeddings = nn.Embedding(POSITIONS, WIDTH)
        self.token_type_embeddings = nn.Embedding(2, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, ids: Tensor, types: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1])
        words = self.word_embeddings(ids) + self.token_type_embeddings(types)
        found: Tensor = self.LayerNorm(words + self.position_embeddings(places))
        return found


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        inner = nn.ModuleDict({name: nn.Linear(WIDTH, WIDTH) for name in ("query", "key", "value")})
        output = nn.ModuleDict({"dense": nn.Linear(WIDTH, WIDTH), "LayerNorm": _norm()})
        self.attention = nn.ModuleDict({"self": inner, "output": output})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(WIDTH, INNER)})
        self.output = nn.ModuleDict({"dense": nn.Linear(INNER, WIDTH), "LayerNorm": _norm()})

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        def heads(name: str) -> Tensor:
            y: Tensor = self.attention["self"][name](x)  # type: ignore[index]
            return y.reshape(x.shape[0], x.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)

        scores = heads("query") @ heads("key").transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        seen = (scores + hidden).softmax(dim=-1) @ heads("value")  # (n, heads, tokens, width)
        seen = seen.transpose(1, 2).reshape(x.shape)
        part = self.attention["output"]
        x = part["LayerNorm"](x + part["dense"](seen))  # type: ignore[index]
        wide = nn.functional.gelu(self.intermediate["dense"](x))
        found: Tensor = self.output["LayerNorm"](x + self.output["dense"](wide))
        return found


def _norm() -> nn.LayerNorm:
    return nn.LayerNorm(WIDTH, eps=1e-12)


class MiniLM(nn.Module):
    """Token ids, mask and types, each (n, tokens), to states (n, tokens, 384)."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = _Embeddings()
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList([_Layer() for _ in range(LAYERS)])})

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        hidden = (1.0 - attention_mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        x = self.embeddings(input_ids, token_type_ids)
        for layer in self.encoder["layer"]:  # type: ignore[attr-defined]
            x = layer(x, hidden)
        found: Tensor = x
        return found
