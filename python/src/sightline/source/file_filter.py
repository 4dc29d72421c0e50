"""Choose the files of a listing by their names."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

from sightline.wrong_option import invalid_option

# Endings of the formats that can be decoded. Scala has the same list.
ENDINGS = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "bmp", "dib", "gif", "tif", "tiff")
)


class NamePatterns:
    """File name patterns with commas between, such as ``*.jpg,thumbs/*``.

    ``*`` matches any text, ``?`` any character, ``[a-z]`` one of these characters, ``[!a-z]`` any
    other. Case is ignored. A pattern with a ``/`` is compared with the path below the listed
    folder, and its ``*`` also matches ``/``. Other patterns are compared with the file name.

    Args:
        option: Name of the option, for messages.
        text: The patterns.

    Raises:
        WrongUseError: INVALID_OPTION if the text has no pattern.
    """

    def __init__(self, option: str, text: str) -> None:
        patterns = [pattern.strip() for pattern in text.split(",") if pattern.strip()]
        if not patterns:
            raise invalid_option(
                option,
                text,
                "It has no pattern. Give patterns with commas between, such as '*.jpg,*.png'.",
            )
        self._of_paths = [_compile(pattern) for pattern in patterns if "/" in pattern]
        self._of_names = [_compile(pattern) for pattern in patterns if "/" not in pattern]

    def match(self, relative_path: str) -> bool:
        """Whether a path, relative to the listed folder, matches one of the patterns."""
        name = relative_path.rpartition("/")[2]
        return any(pattern.match(name) for pattern in self._of_names) or any(
            pattern.match(relative_path) for pattern in self._of_paths
        )


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files of a listing are used.

    Args:
        include: Patterns of files to use. None: files with the ending of an image if a folder is
            searched, and any file that was named or matched by a glob.
        exclude: Patterns of files to leave out, even if ``include`` matches them.
    """

    include: NamePatterns | None = None
    exclude: NamePatterns | None = None

    def accepts(self, relative_path: str, *, found: bool) -> bool:
        """Whether a file is used.

        Args:
            relative_path: Path relative to the listed folder.
            found: Whether the file was found by searching a folder. If not, the user named it, or
                it matched a glob.
        """
        if self.exclude is not None and self.exclude.match(relative_path):
            return False
        if self.include is not None:
            return self.include.match(relative_path)
        return not found or ending(relative_path) in ENDINGS


def ending(path: str) -> str:
    """Return the ending of a file name in lower case; empty for a name without one."""
    name, dot, last = path.rpartition("/")[2].rpartition(".")
    return last.lower() if dot and name else ""


def describe_left_out(by_ending: dict[str, int], outputs: list[str], files: FileFilter) -> str:
    """Return sentences about the files that a listing left out; empty if it used all.

    Args:
        by_ending: Number of files left out, by their endings.
        outputs: Skipped folders, which runs have written.
        files: The filter of the listing.
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
    if outputs:
        sentences.append(f"Skipped, because they are outputs of runs: {', '.join(outputs)}.")
    return " ".join(sentences)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern), re.IGNORECASE)
