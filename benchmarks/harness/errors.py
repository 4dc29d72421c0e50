"""Errors of the benchmark: a condition name, what is wrong, and what to do."""

from __future__ import annotations


class BenchError(Exception):
    """A measurement failed; exit status 1.

    Args:
        condition: BENCH_SETUP (an input cannot be made), BENCH_PROGRAM_ABSENT (a program is not
            installed), BENCH_PROGRAM_FAILED, BENCH_OUTPUT (a program wrote no usable output) or
            WRONG_LABELS.
        message: One or two sentences, without the condition.
    """

    exit_status = 1

    def __init__(self, condition: str, message: str) -> None:
        super().__init__(condition, message)
        self.condition = condition
        self.message = message

    def __str__(self) -> str:
        return f"{self.condition}: {self.message}"


class WrongUseError(BenchError):
    """The command line asks for something that does not exist; exit status 2.

    Conditions: UNKNOWN_CONTENDER, UNKNOWN_MODEL, PATH_NOT_FOUND, NO_JAR, NO_RESULTS and
    MISSING_PACKAGE.
    """

    exit_status = 2
