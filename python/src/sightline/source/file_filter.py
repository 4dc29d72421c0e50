"""Which files a listing takes, by their names."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

from sightline.errors import WrongUseError

# Endings of the formats that can be decoded; Scala has the same.
ENDINGS = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "bmp", "dib", "gif", "tif", "tiff")
)


class NamePatterns:
    """Patterns of files' names, with commas between: ``*.jpg,thumbs/*``.

    ``*`` is any text, ``?`` any letter, ``[a-z]`` one of some, ``[!a-z]`` none of them; capital
    letters are as small ones. A pattern with a ``/`` is held against the path below the listed
    folder, where ``*`` crosses folders; another against the name alone.

    Args:
        option: Named in errors.
        text: The patterns.

    Raises:
        WrongUseError: INVALID_OPTION if there is no pattern.
    """

    def __init__(self, option: str, text: str) -> None:
        patterns = [pattern.strip() for pattern in text.split(",") if pattern.strip()]
        if not patterns:
            raise WrongUseError(
                "INVALID_OPTION",
                f"{option} is '{text}'. It has no pattern. Give some with commas between, such as "
                "'*.jpg,*.png'.",
            )
        self._of_paths = [_compile(pattern) for pattern in patterns if "/" in pattern]
        self._of_names = [_compile(pattern) for pattern in patterns if "/" not in pattern]

    def match(self, relative_path: str) -> bool:
        """Whether a path below the listed folder matches one of them."""
        name = relative_path.rpartition("/")[2]
        return any(pattern.match(name) for pattern in self._of_names) or any(
            pattern.match(relative_path) for pattern in self._of_paths
        )


@dataclass(frozen=True, slots=True)
class FileFilter:
    """What is taken.

    Args:
        include: Patterns; None: of files that a folder is searched for, those with the ending of
            an image, and any file that was named or matched by a glob.
        exclude: Patterns of files that are left out all the same.
    """

    include: NamePatterns | None = None
    exclude: NamePatterns | None = None

    def takes(self, relative_path: str, *, found: bool) -> bool:
        """Whether a file is taken.

        Args:
            relative_path: Below the listed folder.
            found: Whether a folder was searched for it; else it was named, or a glob matched it.
        """
        if self.exclude is not None and self.exclude.match(relative_path):
            return False
        if self.include is not None:
            return self.include.match(relative_path)
        return not found or ending(relative_path) in ENDINGS


def ending(path: str) -> str:
    """The ending of a file's name in small letters; empty for a name without one."""
    name, dot, last = path.rpartition("/")[2].rpartition(".")
    return last.lower() if dot and name else ""


def told(by_ending: dict[str, int], passed_over: list[str], files: FileFilter) -> str:
    """A sentence on what a listing left out; empty where nothing was.

    Args:
        by_ending: How many files, by their endings.
        passed_over: Folders that runs have written.
        files: What was asked for.
    """
    sentences = []
    if by_ending:
        most = sorted(by_ending.items(), key=lambda item: (-item[1], item[0]))
        kinds = [f"{n} .{kind}" if kind else f"{n} without an ending" for kind, n in most[:5]]
        kinds += ["…"] if len(most) > len(kinds) else []
        why = (
            "without the ending of an image; --include '*' takes every file"
            if files.include is None
            else "by --include or --exclude"
        )
        number = sum(by_ending.values())
        files_ = "1 file" if number == 1 else f"{number} files"
        sentences.append(f"{files_} left out ({', '.join(kinds)}), {why}.")
    if passed_over:
        sentences.append(f"Passed over, for runs have written them: {', '.join(passed_over)}.")
    return " ".join(sentences)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern), re.IGNORECASE)
