"""Builds an untrained torch module from an architecture's name, without running unsafe code."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import typing
from collections.abc import Mapping
from typing import Any

import torch

from sightline.backends.consent import require_consent
from sightline.errors import WrongUseError

# Arguments with which torchvision or timm would download or unpickle weights.
_REFUSED = {"weights", "weights_backbone", "pretrained", "pretrained_cfg", "checkpoint_path"}
_REFUSED |= {"pretrained_cfg_overlay", "cache_dir", "pretrained_strict"}


def build_architecture(
    name: str,
    arguments: Mapping[str, object],
    *,
    model: str = "unnamed",
    allow_code: bool = False,
) -> torch.nn.Module:
    """Build the module in evaluation mode, with random weights.

    Args:
        name: `torchvision:NAME`, `timm:NAME`, or `package.module:function`. Such a function is
            executed, so it must be annotated to return a `torch.nn.Module`.
        arguments: Keyword arguments of the architecture.
        model: The bundle's name, for messages.
        allow_code: Whether code outside timm, torchvision and sightline may be imported.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED, before anything is imported; UNKNOWN_ARCHITECTURE (with
            close names); BAD_ARCHITECTURE if it cannot be built with these arguments.
    """
    require_consent(model, name, allow_code=allow_code)
    for refused in sorted(_REFUSED & arguments.keys()):
        raise _bad(name, f"the argument '{refused}' is refused: weights come from the bundle alone")
    make = find_maker(name)
    try:
        module = make(**arguments)
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError) as error:
        raise _bad(name, f"with arguments {dict(arguments)} it fails: {error}") from error
    if not isinstance(module, torch.nn.Module):
        raise _bad(name, f"it returned a {type(module).__name__}, not a torch.nn.Module")
    return module.eval()


def find_maker(name: str) -> Any:  # noqa: ANN401 - neither torchvision nor timm has types
    """Return the function that makes the module; a `package.module:function` is imported.

    Raises:
        WrongUseError: UNKNOWN_ARCHITECTURE (with close names); BAD_ARCHITECTURE if it is a
            function that is not annotated to return a module.
    """
    library, _, plain = name.partition(":")
    makers = {"torchvision": _torchvision, "timm": _timm}
    return makers[library](plain) if library in makers else _function(name)


def load_weights(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], what: str) -> None:
    """Copy a state dict into the module. The tensors' names and shapes must match exactly.

    Raises:
        WrongUseError: WEIGHTS_MISMATCH with the number of differences and the first of each kind.
    """
    wanted = module.state_dict()
    missing = [key for key in wanted if key not in weights]
    extra = [key for key in weights if key not in wanted]
    shapes = [
        f"'{key}' is {tuple(weights[key].shape)} in the file, "
        f"{tuple(wanted[key].shape)} in the network"
        for key in wanted
        if key in weights and weights[key].shape != wanted[key].shape
    ]
    if missing or extra or shapes:
        problems = [
            f"{len(found)} {kind} (first: {found[0]})"
            for found, kind in ((missing, "missing"), (extra, "unexpected"), (shapes, "misshapen"))
            if found
        ]
        raise WrongUseError(
            "WEIGHTS_MISMATCH",
            f"the weights do not fit {what}, which has {len(wanted)} tensors: "
            f"{'; '.join(problems)}. Check --architecture and --architecture-arguments.",
        )
    module.load_state_dict(dict(weights))


def _torchvision(name: str) -> Any:  # noqa: ANN401
    import torchvision

    known = torchvision.models.list_models()
    if name not in known:
        raise _unknown(f"torchvision:{name}", name, known)
    builder = torchvision.models.get_model_builder(name)
    # Some builders download a backbone's weights by default.
    known = inspect.signature(builder).parameters
    none = {one: None for one in ("weights", "weights_backbone") if one in known}
    return functools.partial(builder, **none)


def _timm(name: str) -> Any:  # noqa: ANN401
    import timm

    known = timm.list_models()
    if name not in known:
        raise _unknown(f"timm:{name}", name, known)
    return lambda **arguments: timm.create_model(name, pretrained=False, **arguments)


def _function(name: str) -> Any:  # noqa: ANN401 - an attribute may have any type
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise WrongUseError(
            "UNKNOWN_ARCHITECTURE",
            f"'{name}': {error}. Known forms: torchvision:NAME, timm:NAME, "
            "package.module:function; the package must be importable here (PYTHONPATH).",
        ) from error
    function = getattr(module, attribute, None)
    if not callable(function):
        known = [one for one, value in vars(module).items() if _gives_module(value)]
        raise _unknown(name, attribute, known)
    if not _gives_module(function):
        # A bundle may name any function, such as os.system. Only annotated functions are called.
        raise _bad(name, "its return type is not annotated: add '-> torch.nn.Module' to it")
    return function


def _gives_module(value: object) -> bool:
    """Whether the value is a Module class, or a function annotated to return a module."""
    kind: object = value
    if inspect.isfunction(value):
        try:
            kind = typing.get_type_hints(value).get("return")
        except (NameError, TypeError):
            return False
    return inspect.isclass(kind) and issubclass(kind, torch.nn.Module)


def _unknown(full: str, name: str, known: list[str]) -> WrongUseError:
    close = known if len(known) < 6 else difflib.get_close_matches(name, known, 5, 0.5)
    hint = f"Close: {', '.join(close)}." if close else f"There are {len(known)} others."
    return WrongUseError("UNKNOWN_ARCHITECTURE", f"'{full}'. {hint}")


def _bad(name: str, problem: str) -> WrongUseError:
    return WrongUseError("BAD_ARCHITECTURE", f"'{name}' cannot be used: {problem}.")
