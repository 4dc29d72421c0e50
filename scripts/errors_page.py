"""Write docs/errors.md from error_conditions.json, which both languages read.

Run it after a change of that file: ``python scripts/errors_page.py``. A test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONDITIONS = ROOT / "python" / "src" / "sightline" / "error_conditions.json"
PAGE = ROOT / "docs" / "errors.md"

HEAD = """# Errors

<!-- Written by scripts/errors_page.py from python/src/sightline/error_conditions.json. -->

Every error has a condition, a name in capitals for programs, and one or two sentences for people.
Commands print one line on the error stream, `sightline: CONDITION: …`, and end with the exit
status of the condition: 2 when what was asked for cannot be done as asked, which nothing but
another command line or setting will mend, and 1 when the run failed. The jar and the Python
package read one file of conditions, so both end with the same condition and status.

In SQL an error is an `AnalysisException` of Spark's, or a `SparkRuntimeException` where it comes
from a running task. Every client gets the condition, its parameters and its SQLSTATE:
`getCondition()`, `getMessageParameters()` and `getSqlState()` in Scala, PySpark and Spark
Connect, `getSQLState()` in JDBC.

```python
from pyspark.errors import AnalysisException

try:
    spark.sql("SELECT ml_predict('resnet5', content) FROM read_images('photos')")
except AnalysisException as error:
    if error.getCondition() != "UNKNOWN_MODEL":
        raise
    print(error.getMessageParameters()["known"])
```

An image that cannot be read is no error of this kind, but a row with an `error`
([sql.md](sql.md#errors)).

`<names>` in a message are its parameters. Where the message is `<detail>`, the package or a
worker fills in the whole sentence; an error of the Python package that reaches the user through
the jar has that one parameter too.
"""

SECTIONS = {
    2: "## Wrong use (exit status 2)",
    1: "## Failed runs (exit status 1)",
}


def page(conditions: dict[str, dict[str, Any]]) -> str:
    """The whole page, as Markdown."""
    parts = [HEAD]
    for status, title in SECTIONS.items():
        rows = [
            f"| `{name}` | {told['sqlState']} | {told['meaning']} | {_cell(told['message'])} |"
            for name, told in sorted(conditions.items())
            if told["exitStatus"] == status
        ]
        table = ["| condition | SQLSTATE | when | message |", "|---|---|---|---|", *rows]
        parts.append("\n".join([title, "", *table, ""]))
    return "\n".join(parts)


def _cell(message: list[str]) -> str:
    text = " ".join(message).replace("|", "\\|")
    # Two backticks: messages quote commands in single ones.
    return f"`` {text} ``" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(CONDITIONS.read_text("utf-8"))), "utf-8")
