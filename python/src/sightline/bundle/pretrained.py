"""torchvision's own weights: their names, and the download."""

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
    """Return the descriptions of torchvision's own weights by name, without a download.

    Args:
        architecture: `torchvision:NAME`.

    Raises:
        WrongUseError: UNKNOWN_ARCHITECTURE; NO_WEIGHTS if the architecture is not torchvision's.
    """
    library, _, plain = architecture.partition(":")
    if library != "torchvision":
        raise WrongUseError(
            "NO_WEIGHTS",
            "only torchvision's own weights can be downloaded, with --architecture "
            f"torchvision:NAME, and '{architecture}' is not such a name. Download the weights "
            "yourself, and give --weights FILE.",
        )
    import torchvision

    find_maker(architecture)
    known: Mapping[str, Any] = torchvision.models.get_model_weights(plain).__members__
    return known


def find_weights(architecture: str, name: str) -> Any:  # noqa: ANN401 - torchvision has no types
    """Return the description of the weights `name`: IMAGENET1K_V1 or `add_request.RECOMMENDED`.

    Raises:
        WrongUseError: An error of `known_weights`; UNKNOWN_WEIGHTS with the known names.
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
    """Download weights or read them from torch's cache (TORCH_HOME); progress goes to stderr.

    A download is checked against the hash in the file's name. Nothing is unpickled.

    Raises:
        WrongUseError: An error of `find_weights`; UNSAFE_WEIGHTS if the file contains code.
        SightlineError: DOWNLOAD_FAILED with the address.
    """
    weights = find_weights(architecture, name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch prints the name of the download
            tensors: dict[str, torch.Tensor] = weights.get_state_dict(
                progress=True, check_hash=True, weights_only=True, map_location="cpu"
            )
    except pickle.UnpicklingError as error:
        raise WrongUseError(
            "UNSAFE_WEIGHTS",
            f"{weights.url}, in torch's cache {torch.hub.get_dir()}, contains more than tensors. "
            "No code was executed. Remove the file there, or give another: --weights FILE.",
        ) from error
    except (OSError, EOFError, http.client.HTTPException, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SightlineError(
            "DOWNLOAD_FAILED",
            f"{weights.url} could not be downloaded: {reason}. If this machine cannot reach it, "
            "download it on another machine and give the file: --weights FILE.",
        ) from error
    return {key: value.detach().clone().contiguous() for key, value in tensors.items()}
