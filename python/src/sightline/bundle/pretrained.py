"""torchvision's own weights: which there are, and fetching them."""

from __future__ import annotations

import contextlib
import http.client
import pickle
import sys
from collections.abc import Mapping
from typing import Any

import torch

from sightline.backends.architecture import find_maker
from sightline.errors import SightlineError, WrongUseError


def known_weights(architecture: str) -> Mapping[str, Any]:
    """The descriptions of torchvision's own weights, by name; nothing is fetched.

    Args:
        architecture: `torchvision:NAME`.

    Raises:
        WrongUseError: UNKNOWN_ARCHITECTURE; NO_WEIGHTS for one that is not torchvision's.
    """
    library, _, plain = architecture.partition(":")
    if library != "torchvision":
        raise WrongUseError(
            "NO_WEIGHTS",
            "only torchvision's own weights are fetched, with --architecture torchvision:NAME; "
            f"'{architecture}' is none of its. Fetch them by hand, and give --weights FILE.",
        )
    import torchvision

    find_maker(architecture)
    known: Mapping[str, Any] = torchvision.models.get_model_weights(plain).__members__
    return known


def find_weights(architecture: str, name: str) -> Any:  # noqa: ANN401 - torchvision has no types
    """The description of the weights of that name: IMAGENET1K_V1, or `add_request.RECOMMENDED`.

    Raises:
        WrongUseError: From `known_weights`; UNKNOWN_WEIGHTS, with the names of those there are.
    """
    known = known_weights(architecture)
    if name not in known:
        raise WrongUseError(
            "UNKNOWN_WEIGHTS",
            f"torchvision has no weights '{name}' of {architecture}. "
            f"Known: {', '.join(known) or 'none'}.",
        )
    return known[name]


def fetch_weights(architecture: str, name: str) -> dict[str, torch.Tensor]:
    """Download weights, or take them from torch's own cache (TORCH_HOME), with progress on stderr.

    The hash in the file's name is checked as it is downloaded, and nothing is unpickled.

    Raises:
        WrongUseError: From `find_weights`; UNSAFE_WEIGHTS if the file holds code.
        SightlineError: DOWNLOAD_FAILED, naming the address.
    """
    weights = find_weights(architecture, name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch prints what it downloads
            tensors: dict[str, torch.Tensor] = weights.get_state_dict(
                progress=True, check_hash=True, weights_only=True, map_location="cpu"
            )
    except pickle.UnpicklingError as error:
        raise WrongUseError(
            "UNSAFE_WEIGHTS",
            f"{weights.url}, as torch keeps it in {torch.hub.get_dir()}, holds more than tensors, "
            "and nothing of it was run. Remove the file there, or give another: --weights FILE.",
        ) from error
    except (OSError, EOFError, http.client.HTTPException, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SightlineError(
            "DOWNLOAD_FAILED",
            f"{weights.url} could not be fetched: {reason}. Where that cannot be reached, download "
            "it elsewhere and give the file: --weights FILE.",
        ) from error
    return {key: value.detach().clone().contiguous() for key, value in tensors.items()}
