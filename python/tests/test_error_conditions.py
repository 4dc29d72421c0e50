from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

from sightline.errors import SightlineError, WrongUseError, error_conditions

SOURCES = Path(__file__).parents[1] / "src" / "sightline"
SCALA = Path(__file__).parents[2] / "scala/src/main/scala"
# A call that only passes the condition on does not choose it.
PASSED_ON = re.compile(r"condition|f'UNKNOWN_\{")


def raised_in_python() -> list[tuple[str, str, str]]:
    """The place, class and condition of every error that the package raises."""
    found = []
    for file in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name in ("SightlineError", "WrongUseError"):
                where = f"{file.relative_to(SOURCES)}:{node.lineno}"
                code = node.args[0]
                text = code.value if isinstance(code, ast.Constant) else ast.unparse(code)
                found.append((where, name, str(text)))
    return found


def raised_in_scala() -> dict[str, list[tuple[str, set[str]]]]:
    """Conditions of the jar's errors, with the place and the parameters of each."""
    found: dict[str, list[tuple[str, set[str]]]] = {}
    for file in sorted(SCALA.rglob("*.scala")):
        text = file.read_text("utf-8")
        for match in re.finditer(r'SightlineException\(\s*"([A-Z_0-9]+)"', text):
            where = f"{file.name}:{text[: match.start()].count(chr(10)) + 1}"
            given = set(
                re.findall(r'"([a-zA-Z]+)" ->', text[match.end() : _end(text, match.end())])
            )
            found.setdefault(match[1], []).append((where, given))
    return found


def _end(text: str, start: int) -> int:
    """The position of the parenthesis that closes the one open at `start`."""
    depth, at = 1, start
    while depth:
        if text[at] == '"':
            at = _end_of_string(text, at)
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def _end_of_string(text: str, start: int) -> int:
    at = start + 1
    while text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text[at : at + 2] == "${":
            at += 2
            while text[at] != "}":
                at = _end_of_string(text, at) if text[at] == '"' else at + 1
        else:
            at += 1
    return at + 1


def test_every_error_of_the_package_has_a_condition_and_the_class_for_its_exit_status() -> None:
    conditions = error_conditions()
    wrong = [
        (where, name, code)
        for where, name, code in raised_in_python()
        if not PASSED_ON.search(code)
        and (
            code not in conditions
            or (name == "WrongUseError") != (conditions[code]["exitStatus"] == 2)
        )
    ]
    assert wrong == []


def test_every_error_of_the_jar_has_a_condition_and_gives_the_parameters_of_its_message() -> None:
    conditions = error_conditions()
    wrong = []
    for code, places in raised_in_scala().items():
        message = " ".join(conditions.get(code, {"message": ["<no such condition>"]})["message"])
        wanted = set(re.findall(r"<([a-zA-Z]+)>", message))
        wrong += [(code, where, given, wanted) for where, given in places if given != wanted]
    assert wrong == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(WrongUseError("UNKNOWN_MODEL", "'x'."), 2), (SightlineError("MODEL_FAILED", "It did."), 1)],
)
def test_the_exit_status_is_that_of_the_condition(error: SightlineError, status: int) -> None:
    assert error.exit_status == status
    assert str(error).startswith(f"{error.code}: ")


def test_a_condition_has_a_meaning_a_message_a_sqlstate_and_an_exit_status() -> None:
    for name, condition in error_conditions().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", name)
        assert set(condition) == {"meaning", "message", "sqlState", "exitStatus"}, name
        assert re.fullmatch(r"[0-9A-Z]{5}", condition["sqlState"]), name
        assert condition["exitStatus"] in (1, 2), name
        assert re.fullmatch(r"[^ ].*\.", condition["meaning"]), name


def test_the_errors_page_has_all_conditions() -> None:
    root = SCALA.parents[3]
    page = runpy.run_path(str(root / "scripts/errors_page.py"))["page"]
    written = (root / "docs/errors.md").read_text("utf-8")
    assert written == page(error_conditions()), "run: python scripts/errors_page.py"


def test_every_condition_is_raised_by_the_sources() -> None:
    raised = {code for _, _, code in raised_in_python()} | set(raised_in_scala())
    reported = "".join(
        file.read_text("utf-8") for file in [*SOURCES.rglob("*.py"), *SCALA.rglob("*.scala")]
    )
    # Some conditions are passed to a function by name.
    unused = {name for name in error_conditions() if f'"{name}"' not in reported} - raised
    assert unused == set()


def test_every_condition_is_raised_by_a_test() -> None:
    root = SCALA.parents[3]
    suites = {
        "jar": [*(root / "scala/src/test").rglob("*.scala"), *(root / "tests").rglob("*.py")],
        "package": [*(root / "python/tests").rglob("*.py"), *(root / "tests").rglob("*.py")],
    }
    reported = {
        "jar": "".join(file.read_text("utf-8") for file in SCALA.rglob("*.scala")),
        "package": "".join(file.read_text("utf-8") for file in SOURCES.rglob("*.py")),
    }
    this = Path(__file__).name
    missing = []
    for side, files in suites.items():
        asserted = "".join(file.read_text("utf-8") for file in files if file.name != this)
        missing += [
            f"{name} of the {side}"
            for name in error_conditions()
            if re.search(rf'["\']{name}["\']', reported[side])
            and not re.search(rf'["\'][^"\'\n]*\b{name}\b', asserted)
        ]
    assert missing == []
