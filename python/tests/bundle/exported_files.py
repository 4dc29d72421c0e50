"""Writes files of torch.export."""

from __future__ import annotations

from pathlib import Path

import torch


def save(path: Path, network: torch.nn.Module, *args: torch.Tensor, **options: object) -> Path:
    torch.export.save(
        torch.export.export(network.eval(), args, **options),  # type: ignore[arg-type]
        path,
    )
    return path
