"""The workers of a run and their messages, by torch.distributed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import PrefixStore, TCPStore
from torch.distributed.rendezvous import rendezvous

from sightline.errors import SightlineError

_TIMEOUT = timedelta(minutes=30)
# The others wait while the first prepares the samples. If it dies, torchrun ends them.
_PREPARE_TIMEOUT = timedelta(days=7)
_NETWORK = re.compile(
    "gloo|nccl|connection|socket|broken pipe|store|timed? ?out|peer", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The workers of one run. Each is a process with one device.

    Args:
        rank: Number of this worker, from 0. Worker 0 writes the checkpoints.
        workers: Number of workers.
        device: Of this worker.
        store: Shared keys and values; None for a single worker.
    """

    rank: int
    workers: int
    device: torch.device
    store: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this worker writes checkpoints and reports."""
        return self.rank == 0

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of a tensor over all workers, on this worker's device."""
        if self.workers > 1:
            dist.all_reduce(values)
        return values

    def agree(self, key: str, decide: Callable[[], str]) -> str:
        """Return the text that the first worker decides on."""
        if self.workers == 1:
            return decide()
        if self.is_first:
            self.store.set(key, decide())
        text: bytes = self.store.get(key)
        return text.decode()

    def close(self) -> None:
        """Leave the group."""
        if self.workers > 1 and dist.is_initialized():
            dist.destroy_process_group()


def join(
    rank: int, workers: int, device: torch.device, host: str, exchange: Callable[[str], str]
) -> ProcessGroup:
    """Join the other workers, with gloo on the CPU and nccl on CUDA devices.

    Args:
        rank: Number of this worker.
        workers: Number of workers.
        device: Of this worker.
        host: Address of this worker's machine that the others can reach.
        exchange: Gives every worker the text of the first, which is the address of its store.

    Raises:
        SightlineError: WORKER_LOST if a worker does not answer.
    """
    if workers == 1:
        return ProcessGroup(0, 1, device)
    try:
        if rank == 0:
            store = _first_store(host, workers, exchange)
        else:
            first, _, port = exchange("").partition(" ")
            # Without a port the text is the first worker's error, which int() reports.
            store = TCPStore(first, int(port), workers, is_master=False, timeout=_TIMEOUT)
        return _begin(store, rank, workers, device)
    except (RuntimeError, ValueError) as error:
        raise lost(error) from error


def _first_store(host: str, workers: int, exchange: Callable[[str], str]) -> TCPStore:
    """Open the store, and tell the others its address; if it fails, tell them why."""
    try:
        store = TCPStore(host, 0, workers, is_master=True, timeout=_TIMEOUT, wait_for_workers=False)
    except (RuntimeError, ValueError) as error:
        exchange(f"store {error}")  # the others wait for a text
        raise
    exchange(f"{host} {store.port}")
    return store


def join_environment(device: torch.device) -> ProcessGroup:
    """Join the workers that torchrun has started; without torchrun this worker is alone.

    Raises:
        SightlineError: WORKER_LOST if a worker does not answer.
    """
    if "WORLD_SIZE" not in os.environ:
        return ProcessGroup(0, 1, device)
    try:
        store, rank, workers = next(rendezvous("env://"))
        return _begin(store, rank, workers, device)
    except (RuntimeError, ValueError) as error:
        raise lost(error) from error


def _begin(store: Any, rank: int, workers: int, device: torch.device) -> ProcessGroup:  # noqa: ANN401
    store.set_timeout(_PREPARE_TIMEOUT)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=workers, timeout=_TIMEOUT)
    return ProcessGroup(rank, workers, device, PrefixStore("sightline", store))


def is_lost(error: Exception) -> bool:
    """Whether an error says that another worker is gone, and not that this one is wrong."""
    return isinstance(error, dist.DistError) or _NETWORK.search(str(error)) is not None


def lost(error: Exception) -> SightlineError:
    """Return the error WORKER_LOST for an error of torch.distributed."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return SightlineError(
        "WORKER_LOST",
        f"another worker of this run ended or cannot be reached: {first[:300]}. The run continues "
        "from the last checkpoint when it is started again with --resume.",
    )
