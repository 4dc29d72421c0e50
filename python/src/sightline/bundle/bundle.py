"""An opened bundle: its manifest, its hash and its files. Each file is hashed when it is read."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sightline.bundle.manifest import MANIFEST_FILE, Manifest
from sightline.bundle.signature import Classes, Output
from sightline.errors import WrongUseError

_LARGEST_MANIFEST_BYTES = 16 * 1024 * 1024
_SMALL_ZIPPED_BYTES, _LARGEST_RATIO = 64 * 1024 * 1024, 20


@dataclass(frozen=True)
class Bundle:
    """One model on disk.

    Attributes:
        path: A folder, or a zip file that contains one.
        manifest: The content of model.json.
        sha256: Hash of model.json, which contains the hashes of all other files. It identifies the
            bundle.
        prefix: The folder inside the zip ("" or "id_fraud/"); empty for a folder.
        text: The bytes of model.json.
    """

    path: Path
    manifest: Manifest
    sha256: str
    prefix: str = ""
    text: bytes = field(default=b"", repr=False)
    _labels: dict[tuple[str, int], tuple[str, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        return self.manifest.name

    @staticmethod
    def load(path: Path | str) -> Bundle:
        """Open a bundle. This reads and checks only its manifest.

        Args:
            path: A folder with model.json, or a zip of such a folder.

        Raises:
            WrongUseError: UNKNOWN_MODEL if the path does not exist, INVALID_BUNDLE if it is
                damaged.
        """
        path = Path(path)
        prefix = "" if path.is_dir() else _zip_prefix(path)
        where = f"{path}/{prefix}{MANIFEST_FILE}"
        text = _read(path, prefix, MANIFEST_FILE, _LARGEST_MANIFEST_BYTES)
        manifest = Manifest.from_json(text, where)
        return Bundle(path, manifest, hashlib.sha256(text).hexdigest(), prefix, text)

    def read_bytes(self, file: str) -> bytes:
        """Return the content of one file after a check of its hash.

        Args:
            file: A name from `manifest.files`.

        Raises:
            WrongUseError: INVALID_BUNDLE if the file is missing or not a plain file;
                BUNDLE_CORRUPT if its hash differs from model.json.
        """
        content = _read(self.path, self.prefix, file)
        found, expected = hashlib.sha256(content).hexdigest(), self.manifest.files[file]
        if found != expected:
            raise WrongUseError(
                "BUNDLE_CORRUPT",
                f"{self.path}: '{file}' has changed: its sha256 is {found[:12]}, but model.json "
                f"states {expected[:12]}. Download or make the bundle again.",
            )
        return content

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return `labels_of` the first output with a classes head.

        Raises:
            WrongUseError: NO_CLASSES or INVALID_BUNDLE.
        """
        return self.labels_of(self.manifest.signature.require_classes(self.name))

    def labels_of(self, output: Output) -> tuple[str, ...]:
        """Return one label per class, in the order of the class ids. A file is read once.

        Args:
            output: An output with a classes head.

        Raises:
            WrongUseError: INVALID_BUNDLE if the numbers of labels and classes differ.
        """
        (classes,) = output.tensor.row_shape
        file = output.head.labels if isinstance(output.head, Classes) else ""
        known = self._labels.get((file, classes))
        if known is not None:
            return known
        try:
            lines = self.read_bytes(file).decode("utf-8").replace("\r\n", "\n").split("\n")
        except UnicodeDecodeError as error:
            raise WrongUseError(
                "INVALID_BUNDLE", f"{self.path}: '{file}' is not UTF-8 text ({error.reason})."
            ) from error
        if lines[-1] == "":
            lines.pop()
        if len(lines) != classes:
            raise WrongUseError(
                "INVALID_BUNDLE",
                f"{self.path}: '{file}' has {len(lines)} labels for {classes} "
                "classes. It needs one line per class.",
            )
        return self._labels.setdefault((file, classes), tuple(lines))


def _read(path: Path, prefix: str, file: str, at_most: int | None = None) -> bytes:
    """Return the bytes of one file, whose name is plain. Zip files are never unpacked to disk."""
    size = -1 if at_most is None else at_most
    try:
        if path.is_dir():
            inside = (path / file).resolve(strict=True)
            if not inside.is_relative_to(path.resolve()) or not inside.is_file():
                raise _invalid(path, f"'{file}' is not a plain file inside the bundle")
            with inside.open("rb") as stream:
                return stream.read(size)
        with zipfile.ZipFile(path) as archive, archive.open(prefix + file) as member:
            _refuse_bomb(path, file, archive.getinfo(prefix + file).file_size)
            return member.read(size)
    except (FileNotFoundError, KeyError) as error:
        raise _invalid(path, f"'{file}' is missing") from error
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        # RuntimeError: an encrypted member; NotImplementedError: an unknown compression.
        raise _invalid(path, f"'{file}' cannot be read ({error})") from error


def _refuse_bomb(path: Path, file: str, size: int) -> None:
    """Reject a file that is far larger than its zip, before it is unpacked.

    Weights hardly compress. Without this limit a zip of 1 MB could fill the memory. The Scala code
    has the same limit.
    """
    most = max(_SMALL_ZIPPED_BYTES, _LARGEST_RATIO * path.stat().st_size)
    if size > most:
        raise _invalid(
            path,
            f"'{file}' unpacks to {size} bytes, but the zip has {path.stat().st_size} bytes, which "
            f"allow at most {most}. Do not use this file",
        )


def _zip_prefix(path: Path) -> str:
    """Return the folder in the zip that contains model.json: the top level or its only folder."""
    if not path.exists():
        raise WrongUseError("UNKNOWN_MODEL", f"'{path}' does not exist.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise _invalid(path, f"it is neither a folder nor a zip file ({error})") from error
    found = [name for name in names if name.split("/")[-1] == MANIFEST_FILE and name.count("/") < 2]
    if len(found) != 1:
        raise _invalid(path, f"it must contain one {MANIFEST_FILE}, but contains {len(found)}")
    return found[0].removesuffix(MANIFEST_FILE)


def _invalid(path: Path, problem: str) -> WrongUseError:
    return WrongUseError("INVALID_BUNDLE", f"{path}: {problem}.")
