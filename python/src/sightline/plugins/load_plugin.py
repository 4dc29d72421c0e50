"""Finds a plugin: a shipped one, one of an installed package, or one in a zip."""

from __future__ import annotations

import importlib
import os
import zipfile
from pathlib import Path
from types import ModuleType

from sightline.backends.import_code import import_module_of
from sightline.errors import SightlineError, WrongUseError
from sightline.extensions import Group, extension_names, load_extension
from sightline.plugins.plugin import Plugin
from sightline.plugins.session_folder import keep_file

_GROUP: Group = "sightline.plugins"
SHIPPED = {
    "onnx": "sightline.plugins.onnx_plugin",
    "pytorch": "sightline.plugins.pytorch_plugin",
    "keras": "sightline.plugins.keras_plugin",
    "tensorflow": "sightline.plugins.tensorflow_plugin",
}


def load_plugin(name: str, archive: str | os.PathLike[str] | None = None) -> Plugin:
    """Return a plugin.

    Args:
        name: ``onnx``, ``pytorch``, ``keras``, ``tensorflow``, or the name of an entry point in the
            group `sightline.plugins`. With `archive`, the name of the module that has the plugin.
        archive: A zip with that module. It is read once. Its sources travel to the workers inside
            each model that the plugin makes; the workers need nothing installed for it. A module
            must not have the name of one that is loaded already, or of Python's own library.

    Raises:
        WrongUseError: UNKNOWN_PLUGIN with the known names, BROKEN_EXTENSION, PATH_NOT_FOUND, or
            WRONG_PLUGIN if the module has no plugin or cannot be imported.
    """
    if archive is not None:
        return _in_archive(name, Path(archive))
    if name in SHIPPED:
        return plugin_of(importlib.import_module(SHIPPED[name]))
    if name not in known_plugins():
        raise WrongUseError(
            "UNKNOWN_PLUGIN",
            f"'{name}'. Known: {', '.join(known_plugins())}. Install the package that has it, or "
            "give its zip as the second argument.",
        )
    found = load_extension(_GROUP, name)
    if isinstance(found, ModuleType):
        return plugin_of(found)
    if isinstance(found, type) and issubclass(found, Plugin):
        return found()
    if isinstance(found, Plugin):
        return found
    raise WrongUseError(
        "BROKEN_EXTENSION",
        f"the entry point '{name}' of {_GROUP} is {found!r:.100}, not a subclass of "
        "sightline.Plugin. Fix or uninstall its package.",
    )


def known_plugins() -> tuple[str, ...]:
    """Return the names of the shipped plugins, then those of installed packages."""
    others = (name for name in extension_names(_GROUP) if name not in SHIPPED)
    return (*SHIPPED, *others)


def plugin_of(module: ModuleType) -> Plugin:
    """Return the plugin of a module: its `plugin`, else its only subclass of `Plugin`.

    Raises:
        WrongUseError: WRONG_PLUGIN.
    """
    named = getattr(module, "plugin", None)
    if isinstance(named, Plugin):
        return named
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Plugin)
        and value.__module__ == module.__name__
    ]
    if len(classes) == 1:
        return classes[0]()
    found = f"{len(classes)} subclasses of sightline.Plugin" if classes else "no plugin"
    raise WrongUseError(
        "WRONG_PLUGIN",
        f"module {module.__name__} has {found}. It must have one subclass of sightline.Plugin, or "
        "a variable 'plugin'.",
    )


def _in_archive(name: str, archive: Path) -> Plugin:
    if not archive.is_file():
        raise WrongUseError("PATH_NOT_FOUND", f"'{archive}' (the zip of plugin {name}) is no file.")
    try:
        module = import_module_of(name, keep_file(archive))
    except SightlineError:
        raise
    except zipfile.BadZipFile as error:
        raise WrongUseError("WRONG_PLUGIN", f"'{archive}' is no zip file: {error}.") from error
    except Exception as error:
        message = " ".join(str(error).split())[:300]
        raise WrongUseError(
            "WRONG_PLUGIN",
            f"module '{name}' of '{archive}' cannot be imported: "
            f"{type(error).__name__}: {message}.",
        ) from error
    return plugin_of(module)
